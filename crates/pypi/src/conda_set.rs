//! The conda packages that PyPI sees as installed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::sync::Arc;

use rattler_conda_types::{PackageRecord, RepoDataRecord};
use uv_distribution_types::{InstalledDist, InstalledDistKind, InstalledRegistryDist};
use uv_normalize::PackageName;
use uv_pep440::Version;
use uv_types::InstalledPackagesProvider;

use crate::names;

/// The conda packages of a platform by their names on PyPI.
#[derive(Debug, Clone, Default)]
pub struct CondaSet {
    packages: Arc<BTreeMap<PackageName, CondaPackage>>,
}

/// A conda package that counts as installed on PyPI.
#[derive(Debug, Clone)]
struct CondaPackage {
    /// The name in conda.
    conda_name: String,
    dist: InstalledDist,
}

impl CondaSet {
    /// Returns the set of these records.
    pub fn new(records: &[RepoDataRecord]) -> Self {
        let mut packages = BTreeMap::new();
        for record in records {
            let record = &record.package_record;
            let Ok(version) = Version::from_str(&record.version.as_str()) else { continue };
            for name in pypi_names(record) {
                let Ok(name) = PackageName::from_str(&name) else { continue };
                let dist = installed(name.clone(), version.clone());
                let conda_name = record.name.as_normalized().to_owned();
                packages.entry(name).or_insert(CondaPackage { conda_name, dist });
            }
        }
        Self { packages: Arc::new(packages) }
    }

    /// Whether conda installs the package of this name.
    pub(crate) fn contains(&self, name: &PackageName) -> bool {
        self.packages.contains_key(name)
    }

    /// Returns the names on PyPI.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.packages.keys().map(AsRef::as_ref)
    }

    /// Returns the conda package that counts as the package of this name on PyPI: its name in
    /// conda and its version.
    pub(crate) fn get(&self, name: &PackageName) -> Option<(&str, &Version)> {
        let package = self.packages.get(name)?;
        let InstalledDistKind::Registry(dist) = &package.dist.kind else { return None };
        Some((&package.conda_name, &dist.version))
    }
}

impl InstalledPackagesProvider for CondaSet {
    fn iter(&self) -> impl Iterator<Item = &InstalledDist> {
        self.packages.values().map(|package| &package.dist)
    }

    fn get_packages(&self, name: &PackageName) -> Vec<&InstalledDist> {
        self.packages.get(name).into_iter().map(|package| &package.dist).collect()
    }
}

/// Creates an installed package as uv takes it.
pub(crate) fn installed(name: PackageName, version: Version) -> InstalledDist {
    InstalledDist::from(InstalledDistKind::Registry(InstalledRegistryDist {
        name,
        version,
        // It is never read: the metadata is that of `provider.rs`.
        path: PathBuf::new().into_boxed_path(),
        cache_info: None,
        build_info: None,
    }))
}

/// Returns the names of a record on PyPI: those that it says itself, else that of the table, else
/// its own name if it is a Python package.
fn pypi_names(record: &PackageRecord) -> Vec<String> {
    if let Some(purls) = &record.purls {
        return purls
            .iter()
            .filter(|purl| purl.package_type() == "pypi")
            .map(|purl| purl.name().to_owned())
            .collect();
    }
    let name = record.name.as_normalized();
    if let Some(known) = names::pypi_names(name) {
        return known.to_vec();
    }
    let needs_python = || {
        record.depends.iter().any(|spec| {
            matches!(spec.split([' ', '=', '<', '>', '[']).next(), Some("python" | "python_abi"))
        })
    };
    if name != "python" && (record.noarch.is_python() || needs_python()) {
        vec![name.to_owned()]
    } else {
        Vec::new()
    }
}
