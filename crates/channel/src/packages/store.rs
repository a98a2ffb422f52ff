//! Unpacked packages: one folder each, named after the package and the archive's sha256.
//!
//! The digest in the name is why this isn't rattler's package cache: there two archives of
//! the same name, version and build (of two channels, or of two platforms) take turns in one
//! folder. A folder comes into being by a rename, so one that is there was whole. It may
//! have been edited since, through the hard links of an environment: every file is compared
//! with its digest before it is linked again.

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

use crate::disk::{DiskError, WithPath};
use crate::scratch::Scratch;

/// The dir of one package.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PackageDir(PathBuf);

/// A package that is there and lists its files.
pub(crate) struct CachedPackage {
    dir: PackageDir,
    paths: PathsJson,
    /// The sum of its files' sizes in bytes, as far as they are listed.
    pub(crate) bytes: u64,
}

impl PackageDir {
    /// Where the package of `record` is or will be; `None` where the record has no sha256 or
    /// its names don't make a folder's name.
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

    /// What the package consists of; an error is what is wrong with it.
    pub(crate) fn read(self) -> Result<CachedPackage, String> {
        let (_, paths) = validate_package_directory(&self.0, ValidationMode::Skip)
            .map_err(|error| describe(&error))?;
        let bytes = paths.paths.iter().filter_map(|entry| entry.size_in_bytes).sum();
        Ok(CachedPackage { dir: self, paths, bytes })
    }

    /// Puts an unpacked package here; what another run put here meanwhile is as good.
    pub(crate) fn move_in(&self, unpacked: TempDir) -> Result<(), DiskError> {
        let pkgs = self.0.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(pkgs).with_path(pkgs)?;
        let unpacked = unpacked.keep();
        match fs::rename(&unpacked, &self.0) {
            Err(error) if is_taken(&error) => Ok(()),
            result => result.with_path(&self.0),
        }
    }

    /// Takes a damaged package out of the way; it goes with the scratch folder.
    pub(crate) fn move_out(&self, scratch: &Scratch) -> Result<(), DiskError> {
        let away = scratch.folder()?;
        match fs::rename(&self.0, away.path().join("damaged")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.with_path(&self.0),
        }
    }
}

impl CachedPackage {
    /// Compares every file with its digest; an error names the first that differs.
    pub(crate) fn verify(&self) -> Result<(), String> {
        self.compare(&self.dir.0, ValidationMode::Full)
    }

    fn compare(&self, folder: &Path, mode: ValidationMode) -> Result<(), String> {
        validate_package_directory_from_paths(folder, &self.paths, mode)
            .map_err(|(path, error)| format!("{}: {}", path.display(), describe(&error)))
    }
}

/// Whether a freshly unpacked package has every file that it lists: an archive may name
/// files in ways in which they aren't unpacked (`..`), and is then not what it says.
pub(crate) fn check_unpacked(folder: &Path) -> Result<(), String> {
    let listed = PackageDir(folder.to_owned()).read()?;
    let stays = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    match listed.paths.paths.iter().find(|entry| !stays(&entry.relative_path)) {
        Some(entry) => Err(format!("`{}` leads out of its folder", entry.relative_path.display())),
        None => listed.compare(folder, ValidationMode::Fast),
    }
}

/// Another run put its own there meanwhile.
fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}

/// An error with its cause.
fn describe(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
