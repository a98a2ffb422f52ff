//! Capabilities and sets of them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use super::dialect::DialectSet;

/// A capability that a rule may grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Capability {
    /// Write a path that doesn't exist yet, if the engine can tell.
    Create,
    /// Nothing. It also removes what other blocks of the same pattern grant.
    Deny,
    /// Delete a path.
    Delete,
    /// List the names below a path.
    List,
    /// Change a part of what a path contains.
    Patch,
    /// Read a path.
    Read,
    /// Read a version that was overwritten (Vault).
    Recover,
    /// List all names below a path, at any depth (OpenBao).
    Scan,
    /// Subscribe to events (Vault).
    Subscribe,
    /// Use a protected endpoint, together with the capability of the operation.
    Sudo,
    /// Write an existing path, or any path of an engine that can't tell whether it exists.
    Update,
}

impl Capability {
    /// All capabilities, sorted by name.
    pub const ALL: [Self; 11] = [
        Self::Create,
        Self::Delete,
        Self::Deny,
        Self::List,
        Self::Patch,
        Self::Read,
        Self::Recover,
        Self::Scan,
        Self::Subscribe,
        Self::Sudo,
        Self::Update,
    ];

    /// The name, as policies write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Deny => "deny",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Patch => "patch",
            Self::Read => "read",
            Self::Recover => "recover",
            Self::Scan => "scan",
            Self::Subscribe => "subscribe",
            Self::Sudo => "sudo",
            Self::Update => "update",
        }
    }

    /// The servers that accept it.
    pub fn dialects(self) -> DialectSet {
        DialectSet::of(|dialect| match self {
            Self::Scan => dialect.is_openbao(),
            Self::Recover | Self::Subscribe => dialect.is_vault(),
            _ => true,
        })
    }
}

impl FromStr for Capability {
    type Err = ();

    /// Case-sensitive, as on the servers.
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|capability| capability.name() == text).ok_or(())
    }
}

/// A set of capabilities. It prints them in the servers' order.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Capabilities(u16);

impl Capabilities {
    /// No capability.
    pub const NONE: Self = Self(0);

    /// Adds a capability.
    pub fn insert(&mut self, capability: Capability) {
        self.0 |= 1 << capability as u8;
    }

    /// Whether the set contains `capability`.
    pub fn contains(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u8) != 0
    }

    /// Returns the capabilities of either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the capabilities that `other` doesn't contain.
    #[must_use]
    pub fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the set contains `deny`.
    pub fn contains_deny(self) -> bool {
        self.contains(Capability::Deny)
    }

    /// Iterates over the capabilities, sorted by name.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |capability| self.contains(*capability))
    }

    /// Writes the set as a list of HCL: `["list", "read"]`.
    pub fn to_hcl(self) -> String {
        let names: Vec<_> = self.iter().map(|c| format!("\"{}\"", c.name())).collect();
        format!("[{}]", names.join(", "))
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        let mut all = Self::NONE;
        capabilities.into_iter().for_each(|capability| all.insert(capability));
        all
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Capability::name).collect();
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}
