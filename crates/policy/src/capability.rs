//! Capabilities and sets of them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use super::dialect::{Dialect, DialectSet};

/// One thing that a rule may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Capability {
    /// Write what isn't there yet, where the engine can tell.
    Create,
    /// Nothing, and nothing that another rule of the same pattern allows either.
    Deny,
    /// Remove.
    Delete,
    /// See the names below a path.
    List,
    /// Change in part.
    Patch,
    /// Get.
    Read,
    /// Get what was overwritten (Vault).
    Recover,
    /// See all names below a path (OpenBao).
    Scan,
    /// Follow events (Vault).
    Subscribe,
    /// Use an endpoint that is protected, together with the capability that it needs.
    Sudo,
    /// Write, and every POST or PUT of an engine that can't tell what is there.
    Update,
}

impl Capability {
    /// All, in the order of their names.
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

    /// The name as policies write it.
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

    /// The servers that know it.
    pub fn dialects(self) -> DialectSet {
        Dialect::ALL
            .into_iter()
            .filter(|dialect| match self {
                Self::Scan => *dialect == Dialect::OpenBao,
                Self::Recover | Self::Subscribe => dialect.is_vault(),
                _ => true,
            })
            .collect()
    }
}

impl FromStr for Capability {
    type Err = ();

    /// Case counts, as on the servers.
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|capability| capability.name() == text).ok_or(())
    }
}

/// Some capabilities; prints as the servers sort them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Capabilities(u16);

impl Capabilities {
    /// None.
    pub const NONE: Self = Self(0);

    /// With one more.
    pub fn insert(&mut self, capability: Capability) {
        self.0 |= 1 << capability as u8;
    }

    /// Whether `capability` is among them.
    pub fn contains(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u8) != 0
    }

    /// Those of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that `other` doesn't have.
    #[must_use]
    pub fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether it is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it denies.
    pub fn contains_deny(self) -> bool {
        self.contains(Capability::Deny)
    }

    /// Them, sorted by name.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |capability| self.contains(*capability))
    }

    /// As a list of HCL: `["list", "read"]`.
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
