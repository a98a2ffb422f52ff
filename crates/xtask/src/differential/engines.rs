//! The engines of the server, and the requests that jobs send to them. What a job sends is written
//! down here by hand, apart from envlock's own table, so that an error there shows.

use envlock_policy::Operation;
use envlock_testkit::{SeededRandom, VaultClient};
use serde_json::{Map, Value, json};

/// The names of secrets that exist in every kv mount. The others of [`NAMES`] don't.
const PRESENT: [&str; 4] = ["a", "ab", "a/b", "team/db"];

/// Names of secrets.
const NAMES: [&str; 8] = ["a", "ab", "a/b", "team/db", "b", "abc", "a/c", "team/db/x"];

/// An engine of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    Kv1,
    Kv2,
    Database,
    Transit,
    Pki,
    PkiSign,
    SshCa,
    SshOtp,
    Totp,
    Token,
    TokenRole,
    IdentityToken,
}

/// One need of a manifest.
#[derive(Debug, Clone)]
pub(super) struct Need {
    pub(super) name: String,
    pub(super) engine: Engine,
    mount: &'static str,
    /// The path, role or key.
    locator: &'static str,
    /// The operation of a transit key; else empty.
    transit: &'static str,
    /// `create`, `update`, `list` and others, in addition to those of the engine.
    capabilities: Vec<&'static str>,
    /// The optional parameters that the manifest declares; the job sends these and no others. `None`
    /// if it declares nothing.
    declared: Option<Vec<&'static str>>,
    /// The TTL of wrapped responses in seconds, if the job asks for them.
    pub(super) wrap_ttl: Option<u32>,
}

/// A parameter of a request body: its name, a value, and whether every job sends it.
type Parameter = (&'static str, fn() -> Value, bool);

impl Need {
    pub(super) fn random(name: String, random: &mut SeededRandom) -> Self {
        let kv = |random: &mut SeededRandom| {
            let mut capabilities = Vec::new();
            for (capability, percent) in [("create", 35), ("list", 25), ("delete", 15)] {
                if random.chance(percent) {
                    capabilities.push(capability);
                }
            }
            (random.pick(&NAMES), capabilities)
        };
        let (engine, mount, locator, transit, capabilities) = match random.below(19) {
            0..=1 => {
                let (name, capabilities) = kv(random);
                (Engine::Kv1, random.pick(&["kv", "old/kv"]), name, "", capabilities)
            }
            2..=5 => {
                let (name, mut capabilities) = kv(random);
                if random.chance(20) {
                    capabilities.push("patch");
                }
                (Engine::Kv2, random.pick(&["secret", "team/kv"]), name, "", capabilities)
            }
            6 => (Engine::Database, "database", random.pick(&["ro", "rw"]), "", Vec::new()),
            7..=9 => {
                let operation = random.pick(&["encrypt", "decrypt", "hmac"]);
                (Engine::Transit, "transit", random.pick(&["k1", "k2"]), operation, Vec::new())
            }
            10 => {
                let operation = random.pick(&["sign", "verify"]);
                (Engine::Transit, "transit", "ed", operation, Vec::new())
            }
            11 => (Engine::Pki, "pki", "web", "", Vec::new()),
            12 => (Engine::PkiSign, "pki", "web", "", Vec::new()),
            13 => (Engine::SshCa, "ssh", "users", "", Vec::new()),
            14 => (Engine::SshOtp, "ssh", "otp", "", Vec::new()),
            15 => (Engine::Totp, "totp", "app", "", Vec::new()),
            16 => {
                let endpoint = random.pick(&["create", "create-orphan"]);
                (Engine::Token, "auth/token", endpoint, "", Vec::new())
            }
            17 => (Engine::TokenRole, "auth/token", "ci", "", Vec::new()),
            _ => (Engine::IdentityToken, "identity", "ci", "", Vec::new()),
        };
        let wrap_ttl = random.chance(8).then(|| random.pick(&[30, 60, 90, 300]));
        let mut need =
            Self { name, engine, mount, locator, transit, capabilities, declared: None, wrap_ttl };
        if random.chance(40) {
            let all = need.known_parameters();
            let optional = all.iter().filter(|(_, _, always)| !always && random.chance(40));
            need.declared = Some(optional.map(|(name, ..)| *name).collect());
        }
        need
    }

    /// Writes the need as a line of a manifest.
    pub(super) fn yaml(&self) -> String {
        let (engine, key) = match self.engine {
            Engine::Kv1 => ("kv1", "path"),
            Engine::Kv2 => ("kv2", "path"),
            Engine::Database => ("database", "role"),
            Engine::Transit => ("transit", "key"),
            Engine::Pki => ("pki", "role"),
            Engine::PkiSign => ("pki-sign", "role"),
            Engine::SshCa => ("ssh-ca", "role"),
            Engine::SshOtp => ("ssh-otp", "role"),
            Engine::Totp => ("totp", "key"),
            Engine::Token => ("token", "path"),
            Engine::TokenRole => ("token-role", "role"),
            Engine::IdentityToken => ("identity-token", "role"),
        };
        let Self { name, mount, locator, transit, capabilities, .. } = self;
        let mut line = format!("{name}: {{engine: {engine}, mount: {mount}, {key}: {locator}");
        if !transit.is_empty() {
            line.push_str(&format!(", operations: [{transit}]"));
        }
        if self.engine == Engine::Kv1 {
            // The fields are also what a job writes.
            line.push_str(&format!(", fields: {{username: {name}_U, password: {name}_P}}"));
        }
        if !capabilities.is_empty() {
            line.push_str(&format!(", capabilities: [{}]", capabilities.join(", ")));
        }
        if let Some(declared) = &self.declared {
            let all = self.known_parameters();
            let value = |name: &str| {
                let known = all.iter().find(|(known, ..)| *known == name);
                known.map_or(Value::Null, |(_, value, _)| value())
            };
            // JSON is YAML. A manifest may have no mapping as a value, and no value of `context`,
            // which may be a secret.
            let text = |name: &&str| match value(name) {
                Value::Object(_) => format!("{name}: "),
                _ if *name == "context" => format!("{name}: "),
                value => format!("{name}: {value}"),
            };
            let written: Vec<_> = declared.iter().map(text).collect();
            line.push_str(&format!(", parameters: {{{}}}", written.join(", ")));
        }
        if let Some(ttl) = self.wrap_ttl {
            line.push_str(&format!(", wrap_ttl: {ttl}s"));
        }
        line + "}"
    }

    /// The names of the parameters that a job may send.
    pub(super) fn parameters(&self) -> Vec<&'static str> {
        let all = self.known_parameters();
        all.iter().map(|(name, ..)| *name).collect()
    }

    /// The body of a request for this need: what every job sends, and some of what a job may send.
    pub(super) fn body(
        &self,
        operation: Operation,
        random: &mut SeededRandom,
    ) -> Option<Map<String, Value>> {
        if !matches!(operation, Operation::Create | Operation::Update | Operation::Patch) {
            return None;
        }
        let all = self.known_parameters();
        let mut sends = |name: &str| match &self.declared {
            Some(declared) => declared.contains(&name),
            // A job that asks for what takes `sudo` says so in its manifest.
            None => name != "period" && random.chance(25),
        };
        let sent = all.iter().filter(|(name, _, always)| *always || sends(name));
        let mut body: Map<_, _> =
            sent.map(|(name, value, _)| ((*name).to_owned(), value())).collect();
        // Several texts in one request.
        let single = ["plaintext", "ciphertext"].into_iter().find(|name| body.contains_key(*name));
        if let Some(single) = single.filter(|_| self.declared.is_none() && random.chance(15)) {
            let value = body.remove(single);
            body.insert("batch_input".to_owned(), json!([{ single: value }]));
        }
        Some(body)
    }

    fn known_parameters(&self) -> Vec<Parameter> {
        let cas: fn() -> Value = || json!({ "cas": 1 });
        let text: fn() -> Value = || json!("aGVsbG8=");
        match (self.engine, self.transit) {
            (Engine::Kv1, _) => {
                vec![("username", || json!("u"), true), ("password", || json!("p"), true)]
            }
            (Engine::Kv2, _) => vec![
                ("data", || json!({ "username": "u", "password": "p" }), true),
                ("options", cas, false),
            ],
            (Engine::Transit, "encrypt") => {
                vec![("plaintext", text, true), ("key_version", || json!(1), false)]
            }
            (Engine::Transit, "decrypt") => {
                vec![("ciphertext", || json!("vault:v1:aGVsbG8="), true), ("context", text, false)]
            }
            (Engine::Transit, "sign") => {
                vec![("input", text, true), ("hash_algorithm", || json!("sha2-256"), false)]
            }
            (Engine::Transit, "verify") => vec![
                ("input", text, true),
                ("signature", || json!("vault:v1:aGVsbG8="), true),
                ("prehashed", || json!(false), false),
            ],
            (Engine::Transit, _) => {
                vec![("input", text, true), ("algorithm", || json!("sha2-256"), false)]
            }
            (Engine::Pki, _) => vec![
                ("common_name", || json!("a.example.com"), true),
                ("ttl", || json!("1h"), false),
                ("alt_names", || json!("b.example.com"), false),
                ("format", || json!("pem"), false),
                ("exclude_cn_from_sans", || json!(true), false),
            ],
            (Engine::PkiSign, _) => vec![
                ("csr", || json!("-----BEGIN CERTIFICATE REQUEST-----"), true),
                // A role may take the name from the CSR.
                ("common_name", || json!("a.example.com"), false),
                ("ttl", || json!("1h"), false),
            ],
            (Engine::SshCa, _) => vec![
                ("public_key", || json!("ssh-ed25519 AAAA"), true),
                ("valid_principals", || json!("ubuntu"), false),
                ("cert_type", || json!("user"), false),
                ("ttl", || json!("1h"), false),
                ("extensions", || json!({ "permit-pty": "" }), false),
            ],
            (Engine::SshOtp, _) => {
                vec![("ip", || json!("10.1.2.3"), true), ("username", || json!("ubuntu"), false)]
            }
            (Engine::Token | Engine::TokenRole, _) => {
                let orphan: fn() -> Value = match self.declared {
                    Some(_) => || json!(true),
                    None => || json!(false),
                };
                vec![
                    ("display_name", || json!("x"), false),
                    ("no_parent", orphan, false),
                    ("period", || json!("1h"), false),
                    ("ttl", || json!("1h"), false),
                ]
            }
            (Engine::Database | Engine::Totp | Engine::IdentityToken, _) => Vec::new(),
        }
    }

    /// The name of the secret at a path of a kv mount.
    fn secret<'p>(&self, path: &'p str) -> Option<&'p str> {
        let below = path.strip_prefix(self.mount)?.strip_prefix('/')?;
        match self.engine {
            Engine::Kv1 => Some(below),
            Engine::Kv2 => below.strip_prefix("data/"),
            _ => None,
        }
    }

    /// Whether the server sees `operation` when a job writes to `path`: a write of a kv secret is
    /// `create` or `update`, depending on whether it exists.
    pub(super) fn is_sent(&self, operation: Operation, path: &str) -> bool {
        let exists = self.secret(path).is_some_and(|name| PRESENT.contains(&name));
        match (self.engine, operation) {
            (Engine::Kv1 | Engine::Kv2, Operation::Create) => !exists,
            (Engine::Kv1 | Engine::Kv2, Operation::Update | Operation::Patch) => exists,
            (_, Operation::Create) => false,
            _ => true,
        }
    }

    /// Puts a kv secret back after a request that may have changed it.
    pub(super) fn restore(&self, root: &VaultClient, path: &str) {
        let Some(name) = self.secret(path) else { return };
        if PRESENT.contains(&name) {
            root.secret(self.mount, name, json!({ "username": "u", "password": "p" }));
        } else if self.engine == Engine::Kv2 {
            root.delete(&format!("{}/metadata/{name}", self.mount));
        } else {
            root.delete(path);
        }
    }
}

/// Enables all engines.
pub(super) fn enable(root: &VaultClient) {
    for mount in ["kv", "old/kv"] {
        root.kv1(mount);
    }
    for mount in ["secret", "team/kv"] {
        root.kv2(mount);
    }
    for mount in ["kv", "old/kv", "secret", "team/kv"] {
        for name in PRESENT {
            root.secret(mount, name, json!({ "username": "u", "password": "p" }));
        }
    }
    root.database("database");
    for role in ["ro", "rw"] {
        root.role("database", role, "1h", "2h");
    }
    for engine in ["transit", "pki", "ssh", "totp"] {
        root.post(&format!("sys/mounts/{engine}"), json!({ "type": engine }));
    }
    for (key, kind) in [("k1", "aes256-gcm96"), ("k2", "aes256-gcm96"), ("ed", "ed25519")] {
        root.post(&format!("transit/keys/{key}"), json!({ "type": kind }));
    }
    root.post("pki/root/generate/internal", json!({ "common_name": "envlock test" }));
    root.post("pki/roles/web", json!({ "allow_any_name": true, "no_store": true }));
    root.post("ssh/config/ca", json!({ "generate_signing_key": true, "key_type": "ed25519" }));
    let users = json!({ "key_type": "ca", "allow_user_certificates": true, "allowed_users": "*" });
    root.post("ssh/roles/users", users);
    let otp = json!({ "key_type": "otp", "default_user": "ubuntu", "cidr_list": "0.0.0.0/0" });
    root.post("ssh/roles/otp", otp);
    root.post("auth/token/roles/ci", json!({ "renewable": true }));
    root.post("identity/oidc/key/ci", json!({ "allowed_client_ids": ["*"] }));
    root.post("identity/oidc/role/ci", json!({ "key": "ci" }));
    let totp = json!({ "generate": true, "issuer": "envlock", "account_name": "a" });
    root.post("totp/keys/app", totp);
}
