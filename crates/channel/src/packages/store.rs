//! The unpacked packages in the cache: one folder each, named after the package and the archive's
//! sha256.
//!
//! rattler's package cache has no digest in the name: there two archives of the same name, version
//! and build (of two channels, or of two platforms) overwrite each other. A folder is created by
//! a rename, so it was complete. It may have been edited since, through the hard links of an
//! environment: every file is compared with its digest before it is linked again.

use std::io;
use std::path::{Component, Path, PathBuf};

use fs_err as fs;
use rattler_cache::validation::{
    ValidationMode, validate_package_directory, validate_package_directory_from_paths,
};
use rattler_conda_types::RepoDataRecord;
use rattler_conda_types::package::PathsJson;
use rattler_conda_types::utils::ensure_safe_path_component;
use tempfile::TempDir;

use crate::cache_folder;
use crate::disk::{DiskError, WithPath};
use crate::scratch::Scratch;

/// The folder of one unpacked package in the cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PackageDir(PathBuf);

/// A package in the cache, with its list of files.
pub(crate) struct CachedPackage {
    dir: PackageDir,
    paths: PathsJson,
    /// The sum of the listed file sizes, in bytes.
    pub(crate) bytes: u64,
}

impl PackageDir {
    /// Returns the folder of the package of `record`, whether it exists or not; `None` if the record
    /// has no sha256 or its names can't be in a folder name.
    pub(crate) fn for_record(cache_dir: &Path, record: &RepoDataRecord) -> Option<Self> {
        let package = &record.package_record;
        let digest = hex::encode(package.sha256?);
        let name = format!(
            "{}-{}-{}-{}",
            package.name.as_normalized(),
            package.version,
            package.build,
            &digest[..16]
        );
        ensure_safe_path_component(&name).ok()?;
        Some(Self(cache_dir.join("pkgs").join(name)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn exists(&self) -> bool {
        self.0.is_dir()
    }

    /// Reads the list of files. The error describes what is wrong with the package.
    pub(crate) fn read(self) -> Result<CachedPackage, String> {
        let (_, paths) = validate_package_directory(&self.0, ValidationMode::Skip)
            .map_err(|error| describe(&error))?;
        let bytes = paths.paths.iter().filter_map(|entry| entry.size_in_bytes).sum();
        Ok(CachedPackage { dir: self, paths, bytes })
    }

    /// Moves an unpacked package in. A package that another run moved in meanwhile is kept.
    pub(crate) fn move_in(&self, unpacked: TempDir) -> Result<(), DiskError> {
        if let Some(cache_dir) = self.0.parent().and_then(Path::parent) {
            cache_folder::create(cache_dir, "pkgs")?;
        }
        let unpacked = unpacked.keep();
        match fs::rename(&unpacked, &self.0) {
            Err(error) if exists_already(&error) => Ok(()),
            result => result.with_path(&self.0),
        }
    }

    /// Moves a damaged package out, into the temporary folder.
    pub(crate) fn move_out(&self, scratch: &Scratch) -> Result<(), DiskError> {
        let away = scratch.folder()?;
        match fs::rename(&self.0, away.path().join("damaged")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.with_path(&self.0),
        }
    }
}

impl CachedPackage {
    /// Compares every file with its digest. The error names the first file that differs.
    pub(crate) fn verify(&self) -> Result<(), String> {
        self.compare(&self.dir.0, ValidationMode::Full)
    }

    fn compare(&self, folder: &Path, mode: ValidationMode) -> Result<(), String> {
        validate_package_directory_from_paths(folder, &self.paths, mode)
            .map_err(|(path, error)| format!("{}: {}", path.display(), describe(&error)))
    }
}

/// Checks that an unpacked package has every file that it lists. Files with `..` in their name
/// aren't unpacked, and make the package invalid.
pub(crate) fn check_unpacked(folder: &Path) -> Result<(), String> {
    let listed = PackageDir(folder.to_owned()).read()?;
    let is_inside =
        |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    match listed.paths.paths.iter().find(|entry| !is_inside(&entry.relative_path)) {
        Some(entry) => Err(format!("`{}` leads out of its folder", entry.relative_path.display())),
        None => listed.compare(folder, ValidationMode::Fast),
    }
}

/// Whether another run moved a package in meanwhile.
fn exists_already(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

/// Formats an error with its cause.
fn describe(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
