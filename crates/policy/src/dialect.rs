//! The generations of servers whose policy rules differ.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A generation of servers whose policy rules are followed. The products and releases of each one
/// are in [`Release`](crate::Release).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// OpenBao 2.6.0 and later.
    #[serde(rename = "openbao")]
    OpenBao,
    /// OpenBao 2.0 to 2.5.
    #[serde(rename = "openbao-legacy")]
    OpenBaoLegacy,
    /// Vault 2.0.3 and later.
    Vault,
    /// Vault 1.21 to 2.0.2.
    #[serde(rename = "vault-1.21")]
    Vault121,
    /// Vault 1.15 to 1.20.
    VaultLegacy,
    /// RustyVault.
    #[serde(rename = "rustyvault")]
    RustyVault,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 6] = [
        Self::OpenBao,
        Self::OpenBaoLegacy,
        Self::Vault,
        Self::Vault121,
        Self::VaultLegacy,
        Self::RustyVault,
    ];

    /// The dialects that must give the same answer for `portable`: those of every release that people
    /// run.
    pub const PORTABLE: [Self; 5] =
        [Self::OpenBao, Self::OpenBaoLegacy, Self::Vault, Self::Vault121, Self::VaultLegacy];

    /// The name, as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenBao => "openbao",
            Self::OpenBaoLegacy => "openbao-legacy",
            Self::Vault => "vault",
            Self::Vault121 => "vault-1.21",
            Self::VaultLegacy => "vault-legacy",
            Self::RustyVault => "rustyvault",
        }
    }

    /// Whether it is a generation of Vault.
    pub(crate) fn is_vault(self) -> bool {
        matches!(self, Self::Vault | Self::Vault121 | Self::VaultLegacy)
    }

    /// Whether it is a generation of OpenBao.
    pub fn is_openbao(self) -> bool {
        matches!(self, Self::OpenBao | Self::OpenBaoLegacy)
    }

    /// Whether the HCL parser rejects an attribute that is assigned twice.
    pub(crate) fn rejects_duplicate_attributes(self) -> bool {
        matches!(self, Self::Vault | Self::Vault121)
    }

    /// Whether a list, and a text with commas, is compared with the values of a parameter element
    /// by element. Vault does so since 1.21; earlier releases need a variable of the server.
    pub(crate) fn compares_elements(self) -> bool {
        matches!(self, Self::Vault | Self::Vault121)
    }

    /// Whether the case of policy names in parameters is folded before they are compared.
    pub(crate) fn folds_policy_names(self) -> bool {
        self == Self::Vault
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

impl DialectSet {
    /// The dialects that `wanted` returns true for.
    pub(crate) fn of(wanted: impl Fn(Dialect) -> bool) -> Self {
        Dialect::ALL.into_iter().filter(|dialect| wanted(*dialect)).collect()
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
