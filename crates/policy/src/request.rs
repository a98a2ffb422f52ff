//! A request, as the server's core checks it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::capability::Capability;
use super::dialect::Dialect;

/// The operation of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// GET.
    Read,
    /// LIST, or GET with `list=true`.
    List,
    /// SCAN, or GET with `scan=true` (OpenBao).
    Scan,
    /// POST or PUT where the engine can tell that the path doesn't exist yet.
    Create,
    /// POST or PUT otherwise.
    Update,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// Reads a version that was overwritten (Vault).
    Recover,
    /// Renews a lease.
    Renew,
    /// Revokes a lease.
    Revoke,
    /// The server's rollback of a failed request.
    Rollback,
    /// Requests help, which every token may do.
    Help,
    /// Anything else, such as HEAD, which has no capability.
    Other,
}

impl Operation {
    /// The operations that a user can name.
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

    /// Finds an operation by its name. An unknown one is [`Self::Other`], which nothing allows.
    pub fn from_name(name: &str) -> Self {
        Self::BY_NAME.iter().find(|(known, _)| *known == name).map_or(Self::Other, |(_, op)| *op)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::BY_NAME.iter().find(|(_, op)| *op == self).map_or("other", |(name, _)| name)
    }

    /// The capability that it needs on a server of `dialect`.
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

    /// Whether it lists names on `dialect`: the search for its rule then also tries the path without
    /// its final slash.
    pub fn tries_path_without_slash(self, dialect: Dialect) -> bool {
        self == Self::List || (self == Self::Scan && dialect.is_openbao())
    }

    /// The path that the servers check for a request of `path`: every server adds the final slash of
    /// a list, before it searches the rule.
    pub fn checked_path(self, path: &str) -> Cow<'_, str> {
        match self {
            Self::List | Self::Scan if !path.ends_with('/') => Cow::Owned(format!("{path}/")),
            _ => Cow::Borrowed(path),
        }
    }

    /// Whether the server checks parameters for it.
    pub(crate) fn has_parameters(self) -> bool {
        matches!(self, Self::Read | Self::Create | Self::Update | Self::Patch | Self::Recover)
    }
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The operation.
    pub operation: Operation,
    /// The path below `/v1/`, without the namespace. That of a list ends in a slash.
    pub path: &'a str,
    /// The namespace header; `""` without one.
    pub namespace: &'a str,
    /// The body, or the query of a GET.
    pub data: Option<&'a Map<String, Value>>,
    /// The TTL of the wrapped response in seconds, if the request wants one.
    pub wrap_ttl: Option<f64>,
}

impl<'a> Request<'a> {
    /// Makes a request without body, namespace or wrapping.
    pub fn new(operation: Operation, path: &'a str) -> Self {
        Self { operation, path, namespace: "", data: None, wrap_ttl: None }
    }
}
