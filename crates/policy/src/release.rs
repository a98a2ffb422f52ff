//! The products and releases of servers, and the dialects that they read policies in.
//!
//! A release that a table doesn't know by measurement is placed by the sources of its changes:
//! - the search for the rule of a LIST, and wildcards in the values of templates: OpenBao 2.6.0
//!   (GHSA-xp3c-3jw3-4vcr), Vault 2.0.3;
//! - duplicate attributes, and the comparison of lists by element: Vault 1.21.0;
//! - the patch releases of Vault Enterprise from April 2026 on have changes of Vault 2.0 in an
//!   order that isn't known, so both dialects must agree on them.

use std::fmt;

use super::dialect::Dialect;

/// A product with the API of Vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// OpenBao.
    OpenBao,
    /// HashiCorp Vault.
    Vault,
}

/// A release of a server, or all of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    product: Product,
    version: Option<Version>,
}

/// The numbers of a version. Without a patch number it is every patch release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    minor: (u32, u32),
    patch: Option<u32>,
}

/// Why a version names no release whose policy rules are known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownRelease {
    /// It isn't a version.
    #[error("`{0}` isn't a version such as 1.21 or 1.21.4")]
    NotAVersion(String),
    /// The product has no such release, or its policy rules aren't known.
    #[error("envlock doesn't know how {product} {version} reads policies")]
    Unknown {
        /// The product.
        product: Product,
        /// The version.
        version: String,
        /// The nearest version whose rules are known.
        nearest: &'static str,
    },
}

/// A range of minor versions whose dialects are known.
struct Row {
    major: u32,
    /// The first and the last one.
    minors: (u32, u32),
    /// The dialects of a version without a patch number.
    any: &'static [Dialect],
    /// The dialects of the patch releases from a number on, in the order of the numbers.
    patches: &'static [(u32, &'static [Dialect])],
}

const fn row(
    (major, first, last): (u32, u32, u32),
    any: &'static [Dialect],
    patches: &'static [(u32, &'static [Dialect])],
) -> Row {
    Row { major, minors: (first, last), any, patches }
}

const OPENBAO: &[Dialect] = &[Dialect::OpenBao];
const OPENBAO_LEGACY: &[Dialect] = &[Dialect::OpenBaoLegacy];
const VAULT: &[Dialect] = &[Dialect::Vault];
const VAULT_121: &[Dialect] = &[Dialect::Vault121];
const VAULT_LEGACY: &[Dialect] = &[Dialect::VaultLegacy];
const VAULT_OR_121: &[Dialect] = &[Dialect::Vault, Dialect::Vault121];
const VAULT_OR_LEGACY: &[Dialect] = &[Dialect::Vault, Dialect::VaultLegacy];

const OPENBAO_ROWS: [Row; 2] = [
    row((2, 0, 5), OPENBAO_LEGACY, &[(0, OPENBAO_LEGACY)]),
    row((2, 6, u32::MAX), OPENBAO, &[(0, OPENBAO)]),
];

const VAULT_ROWS: [Row; 6] = [
    row((1, 15, 18), VAULT_LEGACY, &[(0, VAULT_LEGACY)]),
    row((1, 19, 19), VAULT_LEGACY, &[(0, VAULT_LEGACY), (16, VAULT_OR_LEGACY)]),
    row((1, 20, 20), VAULT_LEGACY, &[(0, VAULT_LEGACY), (10, VAULT_OR_LEGACY)]),
    row((1, 21, 21), VAULT_121, &[(0, VAULT_121), (5, VAULT_OR_121)]),
    row((2, 0, 0), VAULT_OR_121, &[(0, VAULT_121), (3, VAULT)]),
    row((2, 1, u32::MAX), VAULT, &[(0, VAULT)]),
];

impl Product {
    /// Every product.
    pub const ALL: [Self; 2] = [Self::OpenBao, Self::Vault];

    /// The name, as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenBao => "openbao",
            Self::Vault => "vault",
        }
    }

    fn rows(self) -> &'static [Row] {
        match self {
            Self::OpenBao => &OPENBAO_ROWS,
            Self::Vault => &VAULT_ROWS,
        }
    }

    /// The dialects of all its releases.
    const fn dialects(self) -> &'static [Dialect] {
        match self {
            Self::OpenBao => &[Dialect::OpenBao, Dialect::OpenBaoLegacy],
            Self::Vault => &[Dialect::Vault, Dialect::Vault121, Dialect::VaultLegacy],
        }
    }

    /// The version nearest to `minor` whose rules are known.
    fn nearest(self, minor: (u32, u32)) -> &'static str {
        match self {
            Self::OpenBao if minor < (2, 0) => "2.0",
            Self::OpenBao => "2.6",
            Self::Vault if minor < (1, 15) => "1.15",
            Self::Vault if minor < (2, 0) => "1.21",
            Self::Vault => "2.2",
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenBao => "OpenBao",
            Self::Vault => "Vault",
        })
    }
}

impl Release {
    /// Reads a version such as `1.21`, `1.21.4` or `1.21.4+ent`; without one the release is every
    /// one of the product.
    ///
    /// # Errors
    /// Returns why the text names no release whose policy rules are known.
    pub fn new(product: Product, version: Option<&str>) -> Result<Self, UnknownRelease> {
        let Some(text) = version else { return Ok(Self { product, version: None }) };
        let version =
            Version::parse(text).ok_or_else(|| UnknownRelease::NotAVersion(text.to_owned()))?;
        let release = Self { product, version: Some(version) };
        if release.dialects().is_empty() {
            let nearest = product.nearest(version.minor);
            return Err(UnknownRelease::Unknown { product, version: text.to_owned(), nearest });
        }
        Ok(release)
    }

    /// The value of `server:` in a manifest for it.
    pub fn to_manifest(&self) -> String {
        let name = self.product.name();
        match self.version {
            None => format!("{{product: {name}}}"),
            Some(Version { minor: (major, minor), patch }) => {
                let patch = patch.map(|patch| format!(".{patch}")).unwrap_or_default();
                format!("{{product: {name}, version: \"{major}.{minor}{patch}\"}}")
            }
        }
    }

    /// The dialects in which it may read policies; at least one.
    pub fn dialects(&self) -> &'static [Dialect] {
        let Some(version) = self.version else { return self.product.dialects() };
        let (major, minor) = version.minor;
        let row = self
            .product
            .rows()
            .iter()
            .find(|row| row.major == major && (row.minors.0..=row.minors.1).contains(&minor));
        let Some(row) = row else { return &[] };
        let Some(patch) = version.patch else { return row.any };
        let mut patches = row.patches.iter().rev();
        patches.find(|(first, _)| *first <= patch).map_or(row.any, |(_, dialects)| *dialects)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            None => write!(f, "{}", self.product),
            Some(Version { minor: (major, minor), patch: None }) => {
                write!(f, "{} {major}.{minor}", self.product)
            }
            Some(Version { minor: (major, minor), patch: Some(patch) }) => {
                write!(f, "{} {major}.{minor}.{patch}", self.product)
            }
        }
    }
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let end = text.find(['+', '-']).unwrap_or(text.len());
        let (bare, suffix) = text.split_at(end);
        let numbers: Option<Vec<u32>> = bare.split('.').map(number).collect();
        match (numbers?.as_slice(), suffix) {
            ([major, minor], "") => Some(Self { minor: (*major, *minor), patch: None }),
            ([major, minor, patch], _) => {
                Some(Self { minor: (*major, *minor), patch: Some(*patch) })
            }
            _ => None,
        }
    }
}

fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(product: Product, version: &str) -> String {
        let release = Release::new(product, Some(version)).unwrap();
        release.dialects().iter().map(|dialect| dialect.name()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_release_has_its_dialects() {
        for (product, version, expected) in [
            (Product::OpenBao, "2.0", "openbao-legacy"),
            (Product::OpenBao, "2.4.0", "openbao-legacy"),
            (Product::OpenBao, "2.5.9", "openbao-legacy"),
            (Product::OpenBao, "2.6.0", "openbao"),
            (Product::OpenBao, "v2.7.1-beta1", "openbao"),
            (Product::Vault, "1.15.0", "vault-legacy"),
            (Product::Vault, "1.20", "vault-legacy"),
            (Product::Vault, "1.20.17+ent", "vault vault-legacy"),
            (Product::Vault, "1.21", "vault-1.21"),
            (Product::Vault, "1.21.4", "vault-1.21"),
            (Product::Vault, "1.21.12+ent.hsm", "vault vault-1.21"),
            (Product::Vault, "2.0.2", "vault-1.21"),
            (Product::Vault, "2.0", "vault vault-1.21"),
            (Product::Vault, "2.0.3", "vault"),
            (Product::Vault, "2.2.2", "vault"),
        ] {
            assert_eq!(names(product, version), expected, "{product} {version}");
        }
        let all = |product| Release::new(product, None).unwrap().dialects();
        assert_eq!(all(Product::OpenBao), [Dialect::OpenBao, Dialect::OpenBaoLegacy]);
        assert_eq!(all(Product::Vault), [Dialect::Vault, Dialect::Vault121, Dialect::VaultLegacy]);
    }

    #[test]
    fn an_unknown_release_names_the_nearest_one() {
        for (product, version, nearest) in [
            (Product::Vault, "1.14.2", "1.15"),
            (Product::Vault, "0.11", "1.15"),
            (Product::Vault, "1.22", "1.21"),
            (Product::Vault, "3.0", "2.2"),
            (Product::OpenBao, "1.21", "2.0"),
            (Product::OpenBao, "3.0.0", "2.6"),
        ] {
            let error = Release::new(product, Some(version)).unwrap_err();
            let version = version.to_owned();
            assert_eq!(error, UnknownRelease::Unknown { product, version, nearest });
            assert!(Release::new(product, Some(nearest)).is_ok());
        }
        for text in ["", "2", "latest", "2.x", "1.21.4.1", "1.21-ent", "1..2", "+1.2", "1.21 "] {
            let error = Release::new(Product::Vault, Some(text)).unwrap_err();
            assert_eq!(error, UnknownRelease::NotAVersion(text.to_owned()), "{text}");
        }
    }
}
