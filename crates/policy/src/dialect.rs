//! The server versions whose policy rules differ.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A server version whose policy rules are followed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// OpenBao 2.6.0 and later.
    #[serde(rename = "openbao")]
    OpenBao,
    /// Vault with the security releases of mid-2026.
    Vault,
    /// Vault 1.15 to 1.20.
    VaultLegacy,
    /// RustyVault.
    #[serde(rename = "rustyvault")]
    RustyVault,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 4] = [Self::OpenBao, Self::Vault, Self::VaultLegacy, Self::RustyVault];

    /// The dialects that must give the same answer for `portable`.
    pub const PORTABLE: [Self; 3] = [Self::OpenBao, Self::Vault, Self::VaultLegacy];

    /// The name, as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenBao => "openbao",
            Self::Vault => "vault",
            Self::VaultLegacy => "vault-legacy",
            Self::RustyVault => "rustyvault",
        }
    }

    /// Whether it is one of the two generations of Vault.
    pub(crate) fn is_vault(self) -> bool {
        matches!(self, Self::Vault | Self::VaultLegacy)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == text).ok_or(())
    }
}

/// A set of dialects.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct DialectSet(u8);

impl DialectSet {
    /// Whether the set contains `dialect`.
    pub fn contains(self, dialect: Dialect) -> bool {
        self.0 & dialect.bit() != 0
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Iterates over the dialects, in the order of [`Dialect::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Dialect> {
        Dialect::ALL.into_iter().filter(move |dialect| self.contains(*dialect))
    }
}

impl FromIterator<Dialect> for DialectSet {
    fn from_iter<I: IntoIterator<Item = Dialect>>(dialects: I) -> Self {
        Self(dialects.into_iter().fold(0, |bits, dialect| bits | dialect.bit()))
    }
}

impl fmt::Display for DialectSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Dialect::name).collect();
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for DialectSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}
