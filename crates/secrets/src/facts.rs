//! Facts that a server reported about a profile: names, times and booleans. These types can't
//! contain a secret value, so they may be printed.

use std::collections::{BTreeMap, BTreeSet};

use envlock_policy::{Engine, Product, Release};
use jiff::{SignedDuration, Timestamp};

/// A fact, or why it is unknown.
pub type Fact<T> = Result<T, UnknownReason>;

/// Why a fact is unknown. An unknown fact never counts as a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownReason {
    /// The server denies the request (403).
    Forbidden,
    /// The server doesn't have the endpoint (400, 404 or 405).
    Unsupported,
    /// Every possible request could also return a secret value.
    NoSafeRequest,
    /// It wasn't requested: by choice, or because an earlier fact is unknown.
    NotRequested,
}

/// Everything that a server reported about one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// The server.
    pub server: Server,
    /// The token that was used.
    pub token: Token,
    /// The token's capabilities by path: names such as `read`, as the server returns them.
    /// `NotRequested` if the token isn't that of the job.
    pub capabilities: Fact<BTreeMap<String, BTreeSet<String>>>,
    /// The facts about each need, by its name.
    pub needs: BTreeMap<String, NeedFacts>,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The address, as the user wrote it, without credentials.
    pub address: String,
    /// Its version, such as `2.4.0`; empty if the server doesn't report it.
    pub version: String,
    /// The product; `None` if its health doesn't tell.
    pub product: Option<Product>,
    /// Whether it has namespaces; `None` if its health doesn't tell.
    pub has_namespaces: Option<bool>,
    /// The difference of its clock to this machine's; positive if it is ahead.
    pub clock_ahead: Option<SignedDuration>,
}

impl Server {
    /// The release, if its policy rules are known.
    pub fn release(&self) -> Option<Release> {
        Release::new(self.product?, Some(&self.version)).ok()
    }
}

/// Returns the product of a server with this version, and whether its edition has namespaces; `None`
/// where that isn't known. `enterprise` is a key of Vault's health that no OpenBao has.
pub fn read_health(version: &str, enterprise: Option<bool>) -> (Option<Product>, Option<bool>) {
    let mut numbers = version.split(['.', '+', '-']).map_while(|part| part.parse::<u32>().ok());
    let (major, minor) = (numbers.next(), numbers.next().unwrap_or(0));
    match (enterprise, major) {
        (Some(enterprise), _) => (Some(Product::Vault), Some(enterprise)),
        // An older Vault marks its Enterprise edition in the version only.
        (None, Some(1)) => (Some(Product::Vault), Some(version.contains("+ent"))),
        // OpenBao has namespaces since 2.3.
        (None, Some(2..)) => (Some(Product::OpenBao), Some((major, minor) >= (Some(2), 3))),
        _ => (None, None),
    }
}

/// Returns the program of the product's command line; Vault's if the product isn't known.
pub fn program(product: Option<Product>) -> &'static str {
    match product {
        Some(Product::OpenBao) => "bao",
        Some(Product::Vault) | None => "vault",
    }
}

/// The properties of a token, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whether envlock logged in to get it; otherwise the user supplied it.
    pub logged_in: bool,
    /// Its policies, with the identity policies.
    pub policies: Vec<String>,
    /// The remaining TTL in seconds; 0 if it never expires.
    pub ttl: u64,
    /// Its expiration time; `None` if it never expires.
    pub expires: Option<Timestamp>,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// The period of a periodic token in seconds; 0 if it isn't periodic.
    pub period: u64,
    /// The remaining time in seconds after which its own limit, `explicit_max_ttl`, ends it in
    /// spite of renewals; 0 if it has none.
    pub explicit_max_ttl: u64,
    /// The longest TTL of its auth mount's tokens with renewals, in seconds; 0 if it wasn't read, or
    /// if the server's own limit applies, which can't be read.
    pub mount_max_ttl: u64,
    /// The remaining number of uses; `None` if it is unlimited.
    pub uses_left: Option<u64>,
    /// Whether it is a batch token, which can't be renewed or revoked.
    pub batch: bool,
}

/// The facts about one need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedFacts {
    /// The mount that serves the need.
    pub mount: Fact<Mount>,
    /// Whether the secret, the role or the key exists.
    pub presence: Fact<Presence>,
    /// The names of its fields (kv2 only).
    pub fields: Fact<BTreeSet<String>>,
    /// The TTLs of its leases (engines with leases).
    pub lease: Fact<Lease>,
}

/// A mounted secrets engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The path of the mount, without a final slash.
    pub path: String,
    /// The engine's type, such as `kv` or `database`.
    pub kind: String,
    /// The version of a kv engine: 1 or 2.
    pub kv_version: Option<u32>,
    /// The mount's default TTL of leases, in seconds; 0 if the server's default applies.
    pub default_ttl: u64,
    /// The mount's longest TTL of leases, in seconds; 0 if the server's limit applies.
    pub max_ttl: u64,
}

impl Mount {
    /// Whether this is a mount of `engine`. A kv mount without a version is version 1.
    pub fn serves(&self, engine: Engine) -> bool {
        let version = match engine {
            Engine::Kv1 => Some(1),
            Engine::Kv2 => Some(2),
            _ => None,
        };
        engine.mount_types().contains(&self.kind.as_str())
            && version.is_none_or(|version| self.kv_version.unwrap_or(1) == version)
    }
}

/// Whether a secret, role or key exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It exists.
    Present {
        /// The time at which the server deletes the current version (kv2).
        deleted_at: Option<Timestamp>,
    },
    /// It doesn't exist.
    Absent,
    /// Its current version was deleted, and can be restored.
    Deleted,
    /// Its current version was destroyed.
    Destroyed,
}

/// The TTLs of a role's leases, in seconds; 0 if the mount's TTL applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lease {
    /// The TTL of a new lease.
    pub default_ttl: u64,
    /// The longest TTL with renewals.
    pub max_ttl: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_health_tells_the_product_and_whether_it_has_namespaces() {
        for (version, enterprise, expected) in [
            ("1.21.4", Some(false), (Some(Product::Vault), Some(false))),
            ("1.21.4+ent", Some(true), (Some(Product::Vault), Some(true))),
            ("2.0.0", Some(false), (Some(Product::Vault), Some(false))),
            ("1.13.0", None, (Some(Product::Vault), Some(false))),
            ("1.13.0+ent.hsm", None, (Some(Product::Vault), Some(true))),
            ("2.2.1", None, (Some(Product::OpenBao), Some(false))),
            ("2.3.0", None, (Some(Product::OpenBao), Some(true))),
            ("2.6.0-beta20260101", None, (Some(Product::OpenBao), Some(true))),
            ("", None, (None, None)),
            ("0.1.0", None, (None, None)),
        ] {
            assert_eq!(read_health(version, enterprise), expected, "{version}");
        }
    }
}
