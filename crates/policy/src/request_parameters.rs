//! The parameters of the requests that jobs send, by engine and operation.
//!
//! A parameter is mandatory if the engine refuses the request without it. `public_key` and others
//! have no default; `common_name`, `input` and `kubernetes_namespace` can be waived by a role or a
//! key, which a manifest doesn't show, and no client leaves them out. Every other parameter that the
//! engine knows may be sent: some clients send one without being told to.
//!
//! Sources: the field schemas and handlers of OpenBao 2.4.0, by file below `builtin/logical/` or
//! `vault/`; for aws and gcp those of Vault 1.20 and of its plugins. The tests in `crates/vault` send the requests
//! to a server, with the mandatory parameters and without each of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::engine::{ApiRequest, Engine, TransitOperation};
use super::partial_body::{KnownParameter, PartialBody};
use super::request::Operation;

/// The requests of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    /// A write by `create` or `update`.
    Write,
    Patch,
    /// A write to an endpoint of transit.
    Transit(TransitOperation),
}

/// The parameters of one request.
struct Row {
    engines: &'static [Engine],
    kind: Kind,
    /// The mandatory parameters. A request has those of one of these lists.
    mandatory: &'static [&'static [&'static str]],
    /// The parameters that may be sent.
    optional: &'static [&'static str],
    /// The parameters that are sent only if a manifest says so.
    if_declared: &'static [&'static str],
    /// Whether the parameters are what a user stores.
    stores: bool,
}

impl Row {
    const fn new(
        engines: &'static [Engine],
        kind: Kind,
        mandatory: &'static [&'static [&'static str]],
    ) -> Self {
        Self { engines, kind, mandatory, optional: &[], if_declared: &[], stores: false }
    }

    const fn transit(
        operation: TransitOperation,
        mandatory: &'static [&'static [&'static str]],
    ) -> Self {
        Self::new(&[Engine::Transit], Kind::Transit(operation), mandatory)
    }

    const fn with_optional(self, optional: &'static [&'static str]) -> Self {
        Self { optional, ..self }
    }

    const fn if_declared(self, if_declared: &'static [&'static str]) -> Self {
        Self { if_declared, ..self }
    }

    const fn storing(self) -> Self {
        Self { stores: true, ..self }
    }

    fn knows(&self, name: &str) -> bool {
        self.mandatory.iter().any(|names| names.contains(&name))
            || self.optional.contains(&name)
            || self.if_declared.contains(&name)
    }
}

const NOTHING: &[&[&str]] = &[&[]];

const ROWS: [Row; 24] = [
    // kv/passthrough.go, handleWrite: any field, and at least one; a write replaces all of them.
    Row::new(&[Engine::Kv1, Engine::Cubbyhole], Kind::Write, NOTHING).storing(),
    // kv/path_data.go, pathDataRead: `version` only for an old version, which a need doesn't name.
    Row::new(&[Engine::Kv2], Kind::Read, NOTHING).if_declared(&["version"]),
    // kv/path_data.go, pathDataWrite. The command line and hvac always send `options`.
    Row::new(&[Engine::Kv2], Kind::Write, &[&["data"]]).with_optional(&["options"]),
    // kv/path_data.go, pathDataPatch.
    Row::new(&[Engine::Kv2], Kind::Patch, &[&["data"]]).with_optional(&["options"]),
    // transit/path_encrypt.go, pathEncryptWrite.
    Row::transit(TransitOperation::Encrypt, &[&["plaintext"], &["batch_input"]]).with_optional(&[
        "plaintext",
        "context",
        "nonce",
        "type",
        "convergent_encryption",
        "key_version",
        "partial_failure_response_code",
        "associated_data",
    ]),
    // transit/path_decrypt.go, pathDecryptWrite.
    Row::transit(TransitOperation::Decrypt, &[&["ciphertext"], &["batch_input"]]).with_optional(&[
        "ciphertext",
        "context",
        "nonce",
        "partial_failure_response_code",
        "associated_data",
    ]),
    // transit/path_sign_verify.go, pathSignWrite. An empty input can be signed.
    Row::transit(TransitOperation::Sign, &[&["input"], &["batch_input"]]).with_optional(&SIGNING),
    // transit/path_sign_verify.go, pathVerifyWrite.
    Row::transit(
        TransitOperation::Verify,
        &[&["signature", "input"], &["hmac", "input"], &["batch_input"]],
    )
    .with_optional(&SIGNING),
    // transit/path_hmac.go, pathHMACWrite.
    Row::transit(TransitOperation::Hmac, &[&["input"], &["batch_input"]]).with_optional(&[
        "input",
        "algorithm",
        "urlalgorithm",
        "key_version",
    ]),
    // pki/fields.go, addNonCACommonFields, and pki/path_issue_sign.go.
    Row::new(&[Engine::Pki], Kind::Write, &[&["common_name"]]).with_optional(&[
        "alt_names",
        "exclude_cn_from_sans",
        "format",
        "ip_sans",
        "issuer_ref",
        "key_bits",
        "key_type",
        "not_after",
        "not_before",
        "other_sans",
        "private_key_format",
        "remove_roots_from_chain",
        "serial_number",
        "ttl",
        "uri_sans",
        "user_ids",
    ]),
    // pki/path_issue_sign.go. The request itself may contain the common name.
    Row::new(&[Engine::PkiSign], Kind::Write, &[&["csr"]]).with_optional(&[
        "alt_names",
        "common_name",
        "exclude_cn_from_sans",
        "format",
        "ip_sans",
        "issuer_ref",
        "not_after",
        "not_before",
        "other_sans",
        "private_key_format",
        "remove_roots_from_chain",
        "serial_number",
        "ttl",
        "uri_sans",
        "user_ids",
    ]),
    // ssh/path_sign.go, pathSignCertificate. hvac always sends all of them.
    Row::new(&[Engine::SshCa], Kind::Write, &[&["public_key"]]).with_optional(&SSH),
    // ssh/path_issue.go: the role has defaults for all of them.
    Row::new(&[Engine::SshIssue], Kind::Write, NOTHING).with_optional(&SSH),
    // ssh/path_creds_create.go, pathCredsCreateWrite. A role without a default user needs `username`.
    Row::new(&[Engine::SshOtp], Kind::Write, &[&["ip"]]).with_optional(&["username"]),
    // aws/path_user.go, pathCredsRead, of both `creds/` and `sts/`.
    Row::new(&[Engine::Aws], Kind::Read, NOTHING).with_optional(&AWS),
    Row::new(&[Engine::Aws, Engine::AwsSts], Kind::Write, NOTHING).with_optional(&AWS),
    // gcp, path_role_set_secrets.go, pathRoleSetSecretServiceAccountKey.
    Row::new(&[Engine::GcpKey], Kind::Read, NOTHING).with_optional(&[
        "key_algorithm",
        "key_type",
        "ttl",
    ]),
    Row::new(&[Engine::GcpKey], Kind::Write, NOTHING).with_optional(&[
        "key_algorithm",
        "key_type",
        "ttl",
    ]),
    // gcp, path_role_set_secrets.go and the files of the other accounts: a token has no parameters.
    Row::new(&[Engine::GcpToken, Engine::GcpStatic, Engine::GcpImpersonated], Kind::Write, NOTHING),
    // kubernetes/path_creds.go.
    Row::new(&[Engine::Kubernetes], Kind::Write, &[&["kubernetes_namespace"]]).with_optional(&[
        "audiences",
        "cluster_role_binding",
        "ttl",
    ]),
    // openldap/path_checkouts.go.
    Row::new(&[Engine::LdapLibrary], Kind::Write, NOTHING).with_optional(&["ttl"]),
    // totp/path_code.go: a write validates a code.
    Row::new(&[Engine::Totp], Kind::Write, &[&["code"]]),
    // vault/token_store.go, handleCreateCommon. The servers' command lines always send
    // `display_name`, `entity_alias`, `num_uses` and `type`, and hvac `no_parent`.
    Row::new(&[Engine::Token, Engine::TokenRole], Kind::Write, NOTHING)
        .with_optional(&[
            "display_name",
            "entity_alias",
            "explicit_max_ttl",
            "meta",
            "no_default_policy",
            "no_parent",
            "num_uses",
            "policies",
            "renewable",
            "ttl",
            "type",
        ])
        .if_declared(&["id", "lease", "period"]),
    // vault/identity_store_oidc.go: a signed token has no parameters.
    Row::new(&[Engine::IdentityToken], Kind::Read, NOTHING),
];

const SIGNING: [&str; 12] = [
    "input",
    "algorithm",
    "context",
    "hash_algorithm",
    "key_version",
    "marshaling_algorithm",
    // hvac sends the name of the key here, too.
    "name",
    "prehashed",
    "salt_length",
    "signature_algorithm",
    "urlalgorithm",
    "partial_failure_response_code",
];

const SSH: [&str; 9] = [
    "cert_type",
    "critical_options",
    "extensions",
    "key_bits",
    "key_id",
    "key_type",
    "issuer_ref",
    "ttl",
    "valid_principals",
];

const AWS: [&str; 3] = ["role_arn", "role_session_name", "ttl"];

/// The parameters that a manifest declares for a need: each with its value, or `None` if only its name
/// is known.
pub type DeclaredParameters = BTreeMap<String, Option<Value>>;

/// Parameters whose values are secrets or personal data, so that a manifest can't contain them.
const SECRET_PARAMETERS: [&str; 16] = [
    "batch_input",
    "ciphertext",
    "code",
    "context",
    "data",
    "hmac",
    // The token itself, where one is created.
    "id",
    "input",
    "key",
    "otp",
    "password",
    "plaintext",
    "private_key",
    "secret_id",
    "signature",
    "token",
];

/// Whether the values of the parameter `name` are secrets, as in `plaintext` and `data`.
pub fn is_secret_parameter(name: &str) -> bool {
    SECRET_PARAMETERS.contains(&name.to_lowercase().as_str())
}

/// The bodies that `request` of a need of `engine` below `mount` may have: it has one of them. None
/// if it has no parameters. `fields` are the fields of the secret; `declared` are the parameters that
/// the manifest declares, which are then all that are sent besides the mandatory ones.
pub fn partial_bodies<'f>(
    engine: Engine,
    mount: &str,
    request: &ApiRequest,
    fields: impl Iterator<Item = &'f str>,
    declared: Option<&DeclaredParameters>,
) -> Vec<PartialBody> {
    let operation = request.operation;
    if !operation.has_parameters() {
        return Vec::new();
    }
    let Some(row) = row(engine, mount, request) else {
        // A read of another engine has no parameters; those of another write aren't known.
        let mut body = PartialBody { open: operation != Operation::Read, ..Default::default() };
        declare(&mut body, declared, |name| !known_to_others(engine, None, name));
        return vec![body];
    };
    let mut bodies: Vec<PartialBody> = Vec::new();
    for mandatory in row.mandatory {
        let mut body = PartialBody { open: row.stores, ..Default::default() };
        for name in row.optional {
            add(&mut body, name, false, None);
        }
        for name in *mandatory {
            add(&mut body, name, true, None);
        }
        bodies.push(body);
    }
    if row.stores {
        for field in fields {
            for body in &mut bodies {
                add(body, field, true, None);
            }
        }
    }
    if let Some(declared) = declared {
        // A parameter that only one of the bodies must have selects it.
        let selects = |body: &PartialBody| {
            let names = declared.keys();
            let always = |name: &&String| {
                body.parameters.get(*name).is_some_and(|parameter| parameter.always)
            };
            names.into_iter().filter(always).count()
        };
        let most = bodies.iter().map(selects).max().unwrap_or_default();
        bodies.retain(|body| selects(body) == most);
        for body in &mut bodies {
            declare(body, Some(declared), |name| {
                row.knows(name) || !known_to_others(engine, Some(row), name)
            });
        }
    }
    bodies
}

/// Whether the engine demands `sudo` on the path of a write with the parameters that are declared. It
/// refuses such a request itself: a server's policies allow it. Source: `vault/token_store.go`,
/// handleCreateCommon.
pub fn parameters_require_sudo(engine: Engine, declared: Option<&DeclaredParameters>) -> bool {
    let sent = |name: &str, without_effect: &[Value]| {
        let value = declared.and_then(|declared| declared.get(name));
        value.is_some_and(|value| !value.as_ref().is_some_and(|v| without_effect.contains(v)))
    };
    match engine {
        Engine::Token | Engine::TokenRole => {
            // A role decides itself whether its tokens have a parent.
            let orphan = engine == Engine::Token
                && sent("no_parent", &[false.into(), "false".into(), 0.into(), "0".into()]);
            let zero = ["", "0", "0s", "0m", "0h"].map(Value::from);
            let zero = [&zero[..], &[0.into()]].concat();
            orphan || sent("id", &["".into()]) || sent("period", &zero)
        }
        _ => false,
    }
}

/// The names of the parameters that the engine knows for `request` of a need below `mount`. `None` if
/// it takes any, or if they aren't known here.
pub fn known_parameters(
    engine: Engine,
    mount: &str,
    request: &ApiRequest,
) -> Option<BTreeSet<&'static str>> {
    let row = row(engine, mount, request).filter(|row| !row.stores)?;
    let mandatory = row.mandatory.iter().flat_map(|names| names.iter());
    let all = mandatory.chain(row.optional).chain(row.if_declared).copied();
    Some(if engine.is_leased() { all.chain(RENEWAL_PARAMETERS).collect() } else { all.collect() })
}

fn add(body: &mut PartialBody, name: &str, always: bool, value: Option<Value>) {
    body.parameters.insert(name.to_owned(), KnownParameter { always, value });
}

/// Closes a body: it has its mandatory parameters and the declared ones that `is_sent` with it.
fn declare(
    body: &mut PartialBody,
    declared: Option<&DeclaredParameters>,
    is_sent: impl Fn(&str) -> bool,
) {
    let Some(declared) = declared else { return };
    body.open = false;
    body.parameters.retain(|_, parameter| parameter.always);
    for (name, value) in declared.iter().filter(|(name, _)| is_sent(name)) {
        add(body, name, true, value.clone());
    }
}

/// Whether the parameter belongs to another request of the engine than that of `own`.
fn known_to_others(engine: Engine, own: Option<&Row>, name: &str) -> bool {
    if engine.is_leased() && RENEWAL_PARAMETERS.contains(&name) {
        return true;
    }
    let others = ROWS.iter().filter(|row| row.engines.contains(&engine));
    let mut others = others.filter(|row| own.is_none_or(|own| own.kind != row.kind));
    others.any(|row| row.knows(name))
}

fn row(engine: Engine, mount: &str, request: &ApiRequest) -> Option<&'static Row> {
    let kind = match request.operation {
        Operation::Read | Operation::Recover => Kind::Read,
        Operation::Patch => Kind::Patch,
        _ if engine == Engine::Transit => {
            let below = request.path.strip_prefix(mount)?.strip_prefix('/')?;
            Kind::Transit(below.split('/').next()?.parse().ok()?)
        }
        _ => Kind::Write,
    };
    ROWS.iter().find(|row| row.kind == kind && row.engines.contains(&engine))
}

/// The body of the request that renews a lease. Source: `vault/logical_system.go`, handleRenew. The
/// servers' command lines and hvac always send `increment`. `declared` are the parameters that the
/// manifest declares for the need of the lease.
pub fn renewal_body(declared: Option<&DeclaredParameters>) -> PartialBody {
    let mut body = PartialBody::default();
    add(&mut body, "lease_id", true, None);
    add(&mut body, "increment", false, None);
    declare(&mut body, declared, |name| RENEWAL_PARAMETERS.contains(&name));
    body
}

const RENEWAL_PARAMETERS: [&str; 2] = ["increment", "lease_id"];
