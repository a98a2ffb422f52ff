//! Facts that a server reported about a profile: names, times, yes and no. No secret value fits
//! into these types, so they may be printed.

use std::collections::{BTreeMap, BTreeSet};

use envlock_policy::Engine;
use jiff::{SignedDuration, Timestamp};

/// A fact, or why it isn't known.
pub type Fact<T> = Result<T, UnknownReason>;

/// Why a fact isn't known. None of these counts as a yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownReason {
    /// The token may not ask (403).
    Forbidden,
    /// The server doesn't have the endpoint (400, 404 or 405).
    Unsupported,
    /// Every request that would answer could also return a secret value.
    NoSafeRequest,
    /// It wasn't requested: by choice, or because an earlier fact isn't known.
    NotRequested,
}

/// Everything that a server reported about one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// The server.
    pub server: Server,
    /// The token that asked.
    pub token: Token,
    /// The token's capabilities by path: names such as `read`, as the server gives them.
    /// `NotAsked` where the token isn't that of the job.
    pub capabilities: Fact<BTreeMap<String, BTreeSet<String>>>,
    /// What is known of each need, by its name.
    pub needs: BTreeMap<String, NeedFacts>,
}

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The address as the user gave it, without credentials.
    pub address: String,
    /// Its version, such as `2.4.0`; empty where it doesn't say.
    pub version: String,
    /// How far its clock is ahead of this machine's.
    pub clock_ahead: Option<SignedDuration>,
}

/// A token, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Whether envlock logged in to get it; otherwise the user supplied it.
    pub logged_in: bool,
    /// The policies that it has, identity policies included.
    pub policies: Vec<String>,
    /// How long it lives from now, in seconds; 0 for one that never ends.
    pub ttl: u64,
    /// When it ends; `None` for one that never does.
    pub expires: Option<Timestamp>,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// The period that each renewal gives, in seconds; 0 without one.
    pub period: u64,
    /// How long it can live at most however often it is renewed, in seconds; 0 where only the
    /// server's own limit counts, which it doesn't tell.
    pub explicit_max_ttl: u64,
    /// How many requests it is still good for; `None` for any number.
    pub uses_left: Option<u64>,
    /// Whether it is a batch token: not renewable, not to be revoked.
    pub batch: bool,
}

/// What is known of one need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedFacts {
    /// The mount that serves it.
    pub mount: Fact<Mount>,
    /// Whether the secret, the role or the key is there.
    pub presence: Fact<Presence>,
    /// The names of its fields (kv2 alone).
    pub fields: Fact<BTreeSet<String>>,
    /// How long its leases last (engines that lease).
    pub lease: Fact<Lease>,
}

/// A secrets engine where it is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The path that it is really mounted at, without a slash at its end.
    pub path: String,
    /// The engine's type, such as `kv` or `database`.
    pub kind: String,
    /// The version of a kv engine: 1 or 2.
    pub kv_version: Option<u32>,
    /// The mount's own default TTL of leases, in seconds; 0 for the server's.
    pub default_ttl: u64,
    /// The mount's own longest TTL of leases, in seconds; 0 for the server's.
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
    /// It exists; a version of kv2 may have an end.
    Present {
        /// When its current version is deleted by the server.
        deleted_at: Option<Timestamp>,
    },
    /// It doesn't exist.
    Absent,
    /// Its current version was deleted; it could be undeleted.
    Deleted,
    /// Its current version was destroyed.
    Destroyed,
}

/// How long the leases of a role last, in seconds; 0 where the role leaves it to the mount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lease {
    /// At first.
    pub default_ttl: u64,
    /// However often they are renewed.
    pub max_ttl: u64,
}
