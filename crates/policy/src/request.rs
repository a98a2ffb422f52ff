//! One request, as the core sees it.

use serde_json::{Map, Value};

use super::capability::Capability;
use super::dialect::Dialect;

/// What a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// GET.
    Read,
    /// LIST, or GET with `list=true`.
    List,
    /// SCAN, or GET with `scan=true` (OpenBao).
    Scan,
    /// POST or PUT where the engine can tell that nothing is there yet.
    Create,
    /// POST or PUT otherwise.
    Update,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// Reading what was overwritten (Vault).
    Recover,
    /// Renewing a lease.
    Renew,
    /// Revoking a lease.
    Revoke,
    /// The server's own undoing of a failed request.
    Rollback,
    /// Asking for help, which everybody may.
    Help,
    /// Anything else, such as HEAD: no capability stands for it.
    Other,
}

impl Operation {
    /// The operations that a user may name.
    pub const BY_NAME: [(&'static str, Self); 12] = [
        ("read", Self::Read),
        ("list", Self::List),
        ("scan", Self::Scan),
        ("create", Self::Create),
        ("update", Self::Update),
        ("patch", Self::Patch),
        ("delete", Self::Delete),
        ("recover", Self::Recover),
        ("renew", Self::Renew),
        ("revoke", Self::Revoke),
        ("rollback", Self::Rollback),
        ("help", Self::Help),
    ];

    /// The operation of that name; an unknown one is [`Self::Other`], which nothing allows.
    pub fn from_name(name: &str) -> Self {
        Self::BY_NAME.iter().find(|(known, _)| *known == name).map_or(Self::Other, |(_, op)| *op)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::BY_NAME.iter().find(|(_, op)| *op == self).map_or("other", |(name, _)| name)
    }

    /// The capability that it takes on a server of `dialect`.
    pub fn capability(self, dialect: Dialect) -> Option<Capability> {
        let capability = match self {
            Self::Read => Capability::Read,
            Self::List => Capability::List,
            Self::Scan => Capability::Scan,
            Self::Create => Capability::Create,
            Self::Update | Self::Renew | Self::Revoke | Self::Rollback => Capability::Update,
            Self::Patch => Capability::Patch,
            Self::Delete => Capability::Delete,
            Self::Recover => Capability::Recover,
            Self::Help | Self::Other => return None,
        };
        capability.dialects().contains(dialect).then_some(capability)
    }

    /// Whether the search for its rule also looks at the path without its last slash.
    pub fn is_listing(self, dialect: Dialect) -> bool {
        self == Self::List || (self == Self::Scan && dialect == Dialect::OpenBao)
    }

    /// Whether parameters count.
    pub fn has_parameters(self) -> bool {
        matches!(self, Self::Read | Self::Create | Self::Update | Self::Patch | Self::Recover)
    }
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// What it wants.
    pub operation: Operation,
    /// The path below `/v1/`, without the namespace.
    pub path: &'a str,
    /// The namespace header; `""` for none.
    pub namespace: &'a str,
    /// The body, or the query of a GET.
    pub data: Option<&'a Map<String, Value>>,
    /// The lifetime of the wrapped answer in seconds, when one is asked for.
    pub wrap_ttl: Option<f64>,
}

impl<'a> Request<'a> {
    /// A plain request, without body, namespace or wrapping.
    pub fn new(operation: Operation, path: &'a str) -> Self {
        Self { operation, path, namespace: "", data: None, wrap_ttl: None }
    }
}
