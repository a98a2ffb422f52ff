//! A locked package of PyPI: one wheel for one platform.

use std::str::FromStr as _;

use pep440_rs::VersionSpecifiers;
use pep508_rs::Requirement;
use rattler_conda_types::package::{
    ArchiveIdentifier, BuildString, DistArchiveIdentifier, WheelArchiveType,
};
use rattler_conda_types::{
    NoArchType, PackageName, PackageRecord, RepoDataRecord, Version, VersionWithSource,
};
use rattler_digest::Sha256Hash;
use rattler_lock::{PackageHashes, PypiDistributionData, PypiPackageData, UrlOrPath, Verbatim};
use url::Url;

/// The channel that conda names for a package of PyPI.
pub const CHANNEL: &str = "pypi";

/// A locked wheel.
#[derive(Debug, Clone, PartialEq)]
pub struct LockedWheel {
    record: RepoDataRecord,
    /// The index that listed it, without credentials.
    pub index: Option<Url>,
    /// What it requires.
    pub requires_dist: Vec<Requirement>,
    /// The versions of Python that it is for.
    pub requires_python: Option<VersionSpecifiers>,
}

/// Why a package of PyPI can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WheelFault {
    /// It isn't a file with a URL.
    #[error("it isn't a wheel with a URL")]
    NoUrl,
    /// It has no digest.
    #[error("it has no sha256")]
    NoSha256,
    /// The file name isn't that of a wheel of the package.
    #[error("its file `{file}` isn't a wheel of {name} {version}")]
    FileName {
        /// The file name in the URL.
        file: String,
        /// The name of the package.
        name: String,
        /// The version of the package.
        version: String,
    },
}

impl LockedWheel {
    /// Creates the wheel of a package. `url` is the origin's URL of the file, without credentials.
    ///
    /// # Errors
    /// The file name isn't that of a wheel of the package.
    pub fn new(
        name: &str,
        version: &str,
        url: Url,
        sha256: Sha256Hash,
    ) -> Result<Self, WheelFault> {
        let record = record(name, version, url, sha256)?;
        Ok(Self { record, index: None, requires_dist: Vec::new(), requires_python: None })
    }

    /// Returns the wheel as a record, so that it is fetched, linked and compared as conda packages
    /// are. Its build is that of its tags.
    pub fn record(&self) -> &RepoDataRecord {
        &self.record
    }

    /// Returns its normalised name on PyPI.
    pub fn name(&self) -> &str {
        self.record.package_record.name.as_normalized()
    }

    /// Returns its version.
    pub fn version(&self) -> String {
        self.record.package_record.version.to_string()
    }

    /// Returns the origin's URL of the file.
    pub fn url(&self) -> &Url {
        &self.record.url
    }

    /// Returns the digest of the file.
    pub fn sha256(&self) -> Sha256Hash {
        self.record.package_record.sha256.unwrap_or_default()
    }

    /// Reads the package of a lock.
    pub(crate) fn from_lock(package: &PypiPackageData) -> Result<Self, WheelFault> {
        let data = package.as_wheel().ok_or(WheelFault::NoUrl)?;
        let UrlOrPath::Url(url) = data.location.inner() else { return Err(WheelFault::NoUrl) };
        let sha256 = data.hash.as_ref().and_then(PackageHashes::sha256);
        let sha256 = *sha256.ok_or(WheelFault::NoSha256)?;
        let (name, version) = (data.name.to_string(), data.version.to_string());
        Ok(Self {
            index: data.index_url.clone(),
            requires_dist: data.requires_dist.clone(),
            requires_python: data.requires_python.clone(),
            ..Self::new(&name, &version, url.clone(), sha256)?
        })
    }

    /// Returns the package as `rattler_lock` writes it.
    pub(crate) fn to_lock(&self) -> Result<PypiDistributionData, String> {
        Ok(PypiDistributionData {
            name: pep508_rs::PackageName::from_str(self.name()).map_err(|e| e.to_string())?,
            version: pep440_rs::Version::from_str(&self.version()).map_err(|e| e.to_string())?,
            location: Verbatim::new(UrlOrPath::Url(self.url().clone())),
            index_url: self.index.clone(),
            hash: Some(PackageHashes::Sha256(self.sha256())),
            requires_dist: self.requires_dist.clone(),
            requires_python: self.requires_python.clone(),
        })
    }
}

/// Returns the record of a wheel.
fn record(
    name: &str,
    version: &str,
    url: Url,
    sha256: Sha256Hash,
) -> Result<RepoDataRecord, WheelFault> {
    let last = url.path_segments().and_then(Iterator::last).unwrap_or_default();
    let file = percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned();
    let wrong = || WheelFault::FileName {
        file: file.clone(),
        name: name.to_owned(),
        version: version.to_owned(),
    };
    let identifier = identifier(&file, name, version).ok_or_else(wrong)?;
    let build = BuildString::new_unchecked(identifier.build_string.replace('-', "_"));
    let package_name = PackageName::try_from(name).map_err(|_| wrong())?;
    let package_version = Version::from_str(version).map_err(|_| wrong())?;
    let package_version = VersionWithSource::new(package_version, version);
    let mut package_record = PackageRecord::new(package_name, package_version, build);
    package_record.noarch = NoArchType::python();
    "noarch".clone_into(&mut package_record.subdir);
    package_record.sha256 = Some(sha256);
    let archive_type = WheelArchiveType::Whl.into();
    Ok(RepoDataRecord {
        package_record,
        identifier: DistArchiveIdentifier { identifier, archive_type },
        url,
        channel: Some(CHANNEL.to_owned()),
    })
}

/// Returns the parts of the file name of a wheel: the name and the version as the file has them,
/// and the tags. `None` if they aren't those of the package.
fn identifier(file: &str, name: &str, version: &str) -> Option<ArchiveIdentifier> {
    let mut parts = file.strip_suffix(".whl")?.splitn(3, '-');
    let (file_name, file_version, tags) = (parts.next()?, parts.next()?, parts.next()?);
    let is_tags = matches!(tags.split('-').count(), 3 | 4)
        && tags.split('-').all(|tag| !tag.is_empty() && tag.chars().all(is_tag_character));
    let found = pep440_rs::Version::from_str(file_version).ok()?;
    let is_version = found == pep440_rs::Version::from_str(version).ok()?;
    let is_named = normalized(file_name) == normalized(name);
    (is_tags && is_version && is_named).then(|| ArchiveIdentifier {
        name: file_name.to_owned(),
        version: file_version.to_owned(),
        build_string: tags.to_owned(),
    })
}

fn is_tag_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.')
}

/// Returns a name with one form for all that PyPI regards as the same.
pub fn normalized(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !normalized.ends_with('-') {
                normalized.push('-');
            }
        } else {
            normalized.push(c.to_ascii_lowercase());
        }
    }
    normalized
}

/// Whether a record is a wheel's.
pub fn is_wheel(record: &RepoDataRecord) -> bool {
    record.identifier.archive_type == WheelArchiveType::Whl.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wheel(name: &str, version: &str, file: &str) -> Result<LockedWheel, WheelFault> {
        let url = Url::parse(&format!("https://files.example/packages/ab/{file}")).expect("a URL");
        LockedWheel::new(name, version, url, Sha256Hash::default())
    }

    #[test]
    fn the_record_of_a_wheel_has_its_file_name_and_its_tags() {
        let wheel = wheel("pyyaml", "6.0.1", "PyYAML-6.0.1-cp310-cp310-manylinux_2_17_x86_64.whl");
        let wheel = wheel.expect("a wheel of pyyaml");
        let record = wheel.record();
        assert!(is_wheel(record));
        let file = "PyYAML-6.0.1-cp310-cp310-manylinux_2_17_x86_64.whl";
        assert_eq!(record.identifier.to_string(), file);
        let build = record.package_record.build.as_str();
        assert_eq!(build, "cp310_cp310_manylinux_2_17_x86_64");
        assert_eq!(crate::record::check(record), Ok(()));
    }

    #[test]
    fn versions_and_names_are_compared_as_pypi_does() {
        assert!(wheel("zope-interface", "6.0", "zope.interface-6.0.0-py3-none-any.whl").is_ok());
        assert!(wheel("a", "1.0+cu118", "a-1.0%2Bcu118-py3-none-any.whl").is_ok());
        assert!(wheel("a", "1.0rc1", "a-1.0rc1-1-py3-none-any.whl").is_ok());
    }

    #[test]
    fn a_file_that_is_not_a_wheel_of_the_package_is_refused() {
        for file in [
            "b-1.0-py3-none-any.whl",
            "a-1.1-py3-none-any.whl",
            "a-1.0.tar.gz",
            "a-1.0-any.whl",
            "a-1.0-py3--any.whl",
            "a-1.0-py3-none-..%2F..%2Fx.whl",
            "a-1.0-py3-none-any-x-y.whl",
            "",
        ] {
            let refused = wheel("a", "1.0", file);
            assert!(matches!(refused, Err(WheelFault::FileName { .. })), "{file}: {refused:?}");
        }
    }

    #[test]
    fn names_that_pypi_regards_as_the_same_have_one_form() {
        assert_eq!(normalized("Zope._-Interface"), "zope-interface");
        assert_eq!(normalized("PyYAML"), "pyyaml");
    }
}
