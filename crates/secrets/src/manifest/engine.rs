//! The secrets engines: which API path a need becomes, and what it takes there.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::Mount;
use envlock_policy::Operation;

/// A secrets engine, by the way its secrets are got.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the engines' own; `ROWS` says what each does")]
pub enum Engine {
    Kv1,
    Kv2,
    Cubbyhole,
    Database,
    DatabaseStatic,
    Aws,
    AwsSts,
    AwsStatic,
    GcpToken,
    GcpKey,
    GcpStatic,
    GcpImpersonated,
    Azure,
    Pki,
    PkiSign,
    SshCa,
    SshIssue,
    SshOtp,
    Transit,
    Rabbitmq,
    Kubernetes,
    Ldap,
    LdapStatic,
    LdapLibrary,
    Totp,
}

/// What names a secret in its engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locator {
    /// `path:`, which may have slashes.
    Path,
    /// `role:`.
    Role,
    /// `key:`.
    Key,
}

/// The fields that a secret of an engine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownFields {
    /// Whatever was stored.
    Any,
    /// These.
    These(&'static [&'static str]),
}

/// One request that a job or a verifier makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Access {
    /// The path below `/v1/`.
    pub path: String,
    /// What it does there.
    pub operation: Operation,
}

/// One engine. `{}` in a suffix is the path, role or key.
struct Row {
    engine: Engine,
    name: &'static str,
    locator: Locator,
    consume: &'static str,
    operation: Operation,
    /// Where presence shows without a value.
    existence: &'static [&'static str],
    fields: KnownFields,
    leased: bool,
}

const NAME_AND_PASSWORD: KnownFields = KnownFields::These(&["username", "password"]);

impl Row {
    const fn read(engine: Engine, name: &'static str, consume: &'static str) -> Self {
        Self {
            engine,
            name,
            locator: Locator::Role,
            consume,
            operation: Operation::Read,
            existence: &["roles/{}"],
            fields: KnownFields::Any,
            leased: true,
        }
    }

    const fn update(engine: Engine, name: &'static str, consume: &'static str) -> Self {
        Self { operation: Operation::Update, ..Self::read(engine, name, consume) }
    }

    const fn by(self, locator: Locator) -> Self {
        Self { locator, leased: false, ..self }
    }

    const fn exists(self, existence: &'static [&'static str]) -> Self {
        Self { existence, ..self }
    }

    const fn gives(self, fields: &'static [&'static str]) -> Self {
        Self { fields: KnownFields::These(fields), ..self }
    }

    const fn lasting(self) -> Self {
        Self { leased: false, ..self }
    }
}

const ROWS: [Row; 25] = [
    Row::read(Engine::Kv1, "kv1", "{}").by(Locator::Path).exists(&[]),
    Row::read(Engine::Kv2, "kv2", "data/{}")
        .by(Locator::Path)
        .exists(&["metadata/{}", "subkeys/{}"]),
    Row::read(Engine::Cubbyhole, "cubbyhole", "{}").by(Locator::Path).exists(&[]),
    Row { fields: NAME_AND_PASSWORD, ..Row::read(Engine::Database, "database", "creds/{}") },
    Row::read(Engine::DatabaseStatic, "database-static", "static-creds/{}")
        .exists(&["static-roles/{}"])
        .gives(&["username", "password", "ttl", "last_vault_rotation"])
        .lasting(),
    Row::read(Engine::Aws, "aws", "creds/{}").gives(&[
        "access_key",
        "secret_key",
        "security_token",
    ]),
    Row::update(Engine::AwsSts, "aws-sts", "sts/{}").gives(&[
        "access_key",
        "secret_key",
        "security_token",
    ]),
    Row::read(Engine::AwsStatic, "aws-static", "static-creds/{}")
        .exists(&["static-roles/{}"])
        .gives(&["access_key", "secret_key"])
        .lasting(),
    Row::read(Engine::GcpToken, "gcp-token", "roleset/{}/token")
        .exists(&["roleset/{}"])
        .gives(&["token"]),
    Row::read(Engine::GcpKey, "gcp-key", "roleset/{}/key")
        .exists(&["roleset/{}"])
        .gives(&["private_key_data"]),
    Row::read(Engine::GcpStatic, "gcp-static", "static-account/{}/token")
        .exists(&["static-account/{}"])
        .gives(&["token"]),
    Row::read(Engine::GcpImpersonated, "gcp-impersonated", "impersonated-account/{}/token")
        .exists(&["impersonated-account/{}"])
        .gives(&["token"]),
    Row::read(Engine::Azure, "azure", "creds/{}").gives(&["client_id", "client_secret"]),
    Row::update(Engine::Pki, "pki", "issue/{}").gives(&[
        "certificate",
        "private_key",
        "issuing_ca",
    ]),
    Row::update(Engine::PkiSign, "pki-sign", "sign/{}").gives(&["certificate", "issuing_ca"]),
    Row::update(Engine::SshCa, "ssh-ca", "sign/{}").gives(&["signed_key"]).lasting(),
    Row::update(Engine::SshIssue, "ssh-issue", "issue/{}")
        .gives(&["signed_key", "private_key"])
        .lasting(),
    Row::update(Engine::SshOtp, "ssh-otp", "creds/{}").gives(&["key"]),
    Row::update(Engine::Transit, "transit", "{op}/{}")
        .by(Locator::Key)
        .exists(&["keys/{}"])
        .gives(&[]),
    Row { fields: NAME_AND_PASSWORD, ..Row::read(Engine::Rabbitmq, "rabbitmq", "creds/{}") },
    // The body names the Kubernetes namespace, which makes it a write.
    Row::update(Engine::Kubernetes, "kubernetes", "creds/{}").gives(&["service_account_token"]),
    Row::read(Engine::Ldap, "ldap", "creds/{}")
        .exists(&["role/{}"])
        .gives(&["username", "password"]),
    // Singular, unlike every other engine.
    Row::read(Engine::LdapStatic, "ldap-static", "static-cred/{}")
        .exists(&["static-role/{}"])
        .gives(&["username", "password"])
        .lasting(),
    Row::update(Engine::LdapLibrary, "ldap-library", "library/{}/check-out")
        .exists(&["library/{}/status"])
        .gives(&["password"]),
    Row::read(Engine::Totp, "totp", "code/{}")
        .by(Locator::Key)
        .exists(&["keys/{}"])
        .gives(&["code"]),
];

/// What a transit key can be used for.
pub const TRANSIT_OPERATIONS: [&str; 5] = ["encrypt", "decrypt", "sign", "hmac", "verify"];

impl Engine {
    /// Every engine.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.engine)
    }

    fn row(self) -> &'static Row {
        let row = ROWS.iter().find(|row| row.engine == self);
        row.expect("every engine has its row; a test counts them")
    }

    /// The name as manifests write it.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Which of `path`, `role`, `key` names a secret.
    pub fn locator(self) -> Locator {
        self.row().locator
    }

    /// The fields that its secrets have.
    pub fn fields(self) -> KnownFields {
        self.row().fields
    }

    /// Whether its secrets come with a lease.
    pub fn is_leased(self) -> bool {
        self.row().leased
    }

    /// The types that servers call it by.
    pub fn kinds(self) -> &'static [&'static str] {
        match self {
            // `generic` is the oldest name of kv version 1.
            Self::Kv1 | Self::Kv2 => &["kv", "generic"],
            Self::Cubbyhole => &["cubbyhole"],
            Self::Database | Self::DatabaseStatic => &["database"],
            Self::Aws | Self::AwsSts | Self::AwsStatic => &["aws"],
            Self::GcpToken | Self::GcpKey | Self::GcpStatic | Self::GcpImpersonated => &["gcp"],
            Self::Azure => &["azure"],
            Self::Pki | Self::PkiSign => &["pki"],
            Self::SshCa | Self::SshIssue | Self::SshOtp => &["ssh"],
            Self::Transit => &["transit"],
            Self::Rabbitmq => &["rabbitmq"],
            Self::Kubernetes => &["kubernetes"],
            Self::Ldap | Self::LdapStatic | Self::LdapLibrary => &["ldap", "openldap"],
            Self::Totp => &["totp"],
        }
    }

    /// Whether it is what `mount` is. A kv mount that names no version is version 1.
    pub fn is_served_by(self, mount: &Mount) -> bool {
        let version = match self {
            Self::Kv1 => Some(1),
            Self::Kv2 => Some(2),
            _ => None,
        };
        self.kinds().contains(&mount.kind.as_str())
            && version.is_none_or(|version| mount.kv_version.unwrap_or(1) == version)
    }

    /// The requests by which the job gets the secret. `operations` matters to transit alone.
    pub fn consume(self, mount: &str, locator: &str, operations: &[String]) -> Vec<Access> {
        let row = self.row();
        let at = |suffix: &str| Access {
            path: format!("{mount}/{}", suffix.replace("{}", locator)),
            operation: row.operation,
        };
        if self == Self::Transit {
            return operations.iter().map(|op| at(&row.consume.replace("{op}", op))).collect();
        }
        vec![at(row.consume)]
    }

    /// The requests by which a verifier sees presence and fields, and no value.
    pub fn existence(self, mount: &str, locator: &str) -> Vec<Access> {
        if self == Self::Kv1 {
            // kv1 shows nothing but the names in a folder.
            let parent = locator.rsplit_once('/').map_or(String::new(), |(p, _)| format!("{p}/"));
            return vec![Access { path: format!("{mount}/{parent}"), operation: Operation::List }];
        }
        let access = |suffix: &&str| Access {
            path: format!("{mount}/{}", suffix.replace("{}", locator)),
            operation: Operation::Read,
        };
        self.row().existence.iter().map(access).collect()
    }
}

impl Locator {
    /// The key in the manifest.
    pub fn key(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Role => "role",
            Self::Key => "key",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Engine {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        ROWS.iter().find(|row| row.name == text).map(|row| row.engine).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_has_one_row_and_is_found_by_the_name_that_serde_writes() {
        for engine in Engine::all() {
            let written = serde_json::to_string(&engine).unwrap();
            assert_eq!(written, format!("\"{}\"", engine.name()));
            assert_eq!(engine.name().parse(), Ok(engine));
        }
    }

    #[test]
    fn paths_are_those_of_the_servers() {
        let path = |engine: Engine, name| engine.consume("m", name, &[])[0].path.clone();
        assert_eq!(path(Engine::Kv2, "a/b"), "m/data/a/b");
        assert_eq!(path(Engine::LdapStatic, "r"), "m/static-cred/r");
        assert_eq!(path(Engine::LdapLibrary, "s"), "m/library/s/check-out");
        assert_eq!(Engine::Kv1.existence("kv", "a/b")[0].path, "kv/a/");
        let uses = ["encrypt".to_owned(), "decrypt".to_owned()];
        assert_eq!(Engine::Transit.consume("t", "k", &uses)[1].path, "t/decrypt/k");
    }
}
