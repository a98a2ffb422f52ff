//! The secrets engines: their names, the API paths of their secrets, and what they return.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use super::request::Operation;

/// A secrets engine, and the endpoint that returns its secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
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
    Token,
    TokenRole,
    IdentityToken,
}

/// The key of a need that names a secret of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocatorKind {
    /// `path:`; may contain slashes.
    Path,
    /// `role:`.
    Role,
    /// `key:`.
    Key,
}

/// The fields of an engine's secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownFields {
    /// Any field: a user stores what the secret holds.
    Any,
    /// A fixed list.
    Listed(&'static [&'static str]),
}

/// What a transit key is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the endpoints' own")]
pub enum TransitOperation {
    Decrypt,
    Encrypt,
    Hmac,
    Sign,
    Verify,
}

impl TransitOperation {
    /// All operations, sorted by name.
    pub const ALL: [Self; 5] = [Self::Decrypt, Self::Encrypt, Self::Hmac, Self::Sign, Self::Verify];

    /// The name in manifests and in paths.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decrypt => "decrypt",
            Self::Encrypt => "encrypt",
            Self::Hmac => "hmac",
            Self::Sign => "sign",
            Self::Verify => "verify",
        }
    }
}

impl FromStr for TransitOperation {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|operation| operation.name() == text).ok_or(())
    }
}

/// One request that a job or a presence check makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiRequest {
    /// The path below `/v1/`.
    pub path: String,
    /// The operation on it.
    pub operation: Operation,
}

/// One engine. `{}` in a suffix is the path, role or key.
struct Row {
    engine: Engine,
    name: &'static str,
    locator: LocatorKind,
    consume: &'static str,
    operation: Operation,
    /// The paths where a read shows that the secret exists, without its value.
    existence: &'static [&'static str],
    fields: KnownFields,
    leased: bool,
}

const NAME_AND_PASSWORD: KnownFields = KnownFields::Listed(&["username", "password"]);

impl Row {
    const fn read(engine: Engine, name: &'static str, consume: &'static str) -> Self {
        Self {
            engine,
            name,
            locator: LocatorKind::Role,
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

    const fn located_by(self, locator: LocatorKind) -> Self {
        Self { locator, leased: false, ..self }
    }

    const fn exists_at(self, existence: &'static [&'static str]) -> Self {
        Self { existence, ..self }
    }

    const fn with_fields(self, fields: &'static [&'static str]) -> Self {
        Self { fields: KnownFields::Listed(fields), ..self }
    }

    const fn without_lease(self) -> Self {
        Self { leased: false, ..self }
    }
}

const ROWS: [Row; 28] = [
    Row::read(Engine::Kv1, "kv1", "{}").located_by(LocatorKind::Path).exists_at(&[]),
    Row::read(Engine::Kv2, "kv2", "data/{}")
        .located_by(LocatorKind::Path)
        .exists_at(&["metadata/{}", "subkeys/{}"]),
    Row::read(Engine::Cubbyhole, "cubbyhole", "{}").located_by(LocatorKind::Path).exists_at(&[]),
    Row { fields: NAME_AND_PASSWORD, ..Row::read(Engine::Database, "database", "creds/{}") },
    Row::read(Engine::DatabaseStatic, "database-static", "static-creds/{}")
        .exists_at(&["static-roles/{}"])
        .with_fields(&["username", "password", "ttl", "last_vault_rotation"])
        .without_lease(),
    Row::read(Engine::Aws, "aws", "creds/{}").with_fields(&[
        "access_key",
        "secret_key",
        "security_token",
    ]),
    Row::update(Engine::AwsSts, "aws-sts", "sts/{}").with_fields(&[
        "access_key",
        "secret_key",
        "security_token",
    ]),
    Row::read(Engine::AwsStatic, "aws-static", "static-creds/{}")
        .exists_at(&["static-roles/{}"])
        .with_fields(&["access_key", "secret_key"])
        .without_lease(),
    Row::read(Engine::GcpToken, "gcp-token", "roleset/{}/token")
        .exists_at(&["roleset/{}"])
        .with_fields(&["token"]),
    Row::read(Engine::GcpKey, "gcp-key", "roleset/{}/key")
        .exists_at(&["roleset/{}"])
        .with_fields(&["private_key_data"]),
    Row::read(Engine::GcpStatic, "gcp-static", "static-account/{}/token")
        .exists_at(&["static-account/{}"])
        .with_fields(&["token"]),
    Row::read(Engine::GcpImpersonated, "gcp-impersonated", "impersonated-account/{}/token")
        .exists_at(&["impersonated-account/{}"])
        .with_fields(&["token"]),
    Row::read(Engine::Azure, "azure", "creds/{}").with_fields(&["client_id", "client_secret"]),
    Row::update(Engine::Pki, "pki", "issue/{}").with_fields(&[
        "certificate",
        "private_key",
        "issuing_ca",
    ]),
    Row::update(Engine::PkiSign, "pki-sign", "sign/{}").with_fields(&["certificate", "issuing_ca"]),
    Row::update(Engine::SshCa, "ssh-ca", "sign/{}").with_fields(&["signed_key"]).without_lease(),
    Row::update(Engine::SshIssue, "ssh-issue", "issue/{}")
        .with_fields(&["signed_key", "private_key"])
        .without_lease(),
    Row::update(Engine::SshOtp, "ssh-otp", "creds/{}").with_fields(&["key"]),
    Row::update(Engine::Transit, "transit", "{op}/{}")
        .located_by(LocatorKind::Key)
        .exists_at(&["keys/{}"])
        .with_fields(&[]),
    Row { fields: NAME_AND_PASSWORD, ..Row::read(Engine::Rabbitmq, "rabbitmq", "creds/{}") },
    // The body names the Kubernetes namespace, which makes it a write.
    Row::update(Engine::Kubernetes, "kubernetes", "creds/{}")
        .with_fields(&["service_account_token"]),
    Row::read(Engine::Ldap, "ldap", "creds/{}")
        .exists_at(&["role/{}"])
        .with_fields(&["username", "password"]),
    // Singular, unlike every other engine.
    Row::read(Engine::LdapStatic, "ldap-static", "static-cred/{}")
        .exists_at(&["static-role/{}"])
        .with_fields(&["username", "password"])
        .without_lease(),
    Row::update(Engine::LdapLibrary, "ldap-library", "library/{}/check-out")
        .exists_at(&["library/{}/status"])
        .with_fields(&["password"]),
    Row::read(Engine::Totp, "totp", "code/{}")
        .located_by(LocatorKind::Key)
        .exists_at(&["keys/{}"])
        .with_fields(&["code"]),
    // The path is one of `TOKEN_ENDPOINTS`, below `auth/token`.
    Row::update(Engine::Token, "token", "{}")
        .located_by(LocatorKind::Path)
        .exists_at(&[])
        .with_fields(&TOKEN),
    Row::update(Engine::TokenRole, "token-role", "create/{}").with_fields(&TOKEN).without_lease(),
    Row::read(Engine::IdentityToken, "identity-token", "oidc/token/{}")
        .exists_at(&["oidc/role/{}"])
        .with_fields(&["token", "client_id", "ttl"])
        .without_lease(),
];

/// What a created token is returned with.
const TOKEN: [&str; 2] = ["client_token", "accessor"];

/// The paths of a need of [`Engine::Token`]: a token below the job's own, and one without a parent.
pub const TOKEN_ENDPOINTS: [&str; 2] = ["create", "create-orphan"];

impl Engine {
    /// Every engine.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.engine)
    }

    fn row(self) -> &'static Row {
        let row = ROWS.iter().find(|row| row.engine == self);
        row.expect("every engine has its row; a test counts them")
    }

    /// The name, as manifests write it.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The key of a need that names a secret: `path`, `role` or `key`.
    pub fn locator(self) -> LocatorKind {
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

    /// The types of its mounts, as servers report them.
    pub fn mount_types(self) -> &'static [&'static str] {
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
            Self::Token | Self::TokenRole => &["token"],
            Self::IdentityToken => &["identity"],
        }
    }

    /// Whether its secret is read by a read or by an update, as the client likes.
    pub fn takes_read_or_update(self) -> bool {
        matches!(
            self,
            Self::Aws
                | Self::AwsSts
                | Self::GcpToken
                | Self::GcpKey
                | Self::GcpStatic
                | Self::GcpImpersonated
        )
    }

    /// The requests that return the secret `locator` (a path, role or key) to a job.
    /// `operations` is used for transit alone.
    pub fn secret_requests(
        self,
        mount: &str,
        locator: &str,
        operations: &BTreeSet<TransitOperation>,
    ) -> Vec<ApiRequest> {
        let row = self.row();
        let at = |suffix: &str| ApiRequest {
            path: format!("{mount}/{}", suffix.replace("{}", locator)),
            operation: row.operation,
        };
        if self == Self::Transit {
            let used = operations.iter();
            return used.map(|used| at(&row.consume.replace("{op}", used.name()))).collect();
        }
        vec![at(row.consume)]
    }

    /// The requests that show a presence check whether the secret exists, and never return a value.
    pub fn existence_requests(self, mount: &str, locator: &str) -> Vec<ApiRequest> {
        if self == Self::Kv1 {
            // kv1 can only list the names of a directory.
            let parent = locator.rsplit_once('/').map_or(String::new(), |(p, _)| format!("{p}/"));
            return vec![ApiRequest {
                path: format!("{mount}/{parent}"),
                operation: Operation::List,
            }];
        }
        let access = |suffix: &&str| ApiRequest {
            path: format!("{mount}/{}", suffix.replace("{}", locator)),
            operation: Operation::Read,
        };
        self.row().existence.iter().map(access).collect()
    }
}

impl LocatorKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Path, Self::Role, Self::Key];

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
    fn paths_are_those_of_the_server_api() {
        let none = BTreeSet::new();
        let path = |engine: Engine, name| engine.secret_requests("m", name, &none)[0].path.clone();
        assert_eq!(path(Engine::Kv2, "a/b"), "m/data/a/b");
        assert_eq!(path(Engine::LdapStatic, "r"), "m/static-cred/r");
        assert_eq!(path(Engine::LdapLibrary, "s"), "m/library/s/check-out");
        assert_eq!(Engine::Kv1.existence_requests("kv", "a/b")[0].path, "kv/a/");
        let uses = BTreeSet::from([TransitOperation::Encrypt, TransitOperation::Decrypt]);
        assert_eq!(Engine::Transit.secret_requests("t", "k", &uses)[0].path, "t/decrypt/k");
    }
}
