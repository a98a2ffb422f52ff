//! The unpacked packages in the cache: one folder each, named after the package and the archive's
//! sha256.
//!
//! rattler's package cache has no digest in the name: there two archives of the same name, version
//! and build (of two channels, or of two platforms) overwrite each other. A folder is created by
//! a rename, so it was complete. Its files can be edited later through the hard links of an
//! environment, so each is compared with the list of unpacked files before it is linked again.

use std::io;
use std::path::{Path, PathBuf};

use envlock_model::record;
use fs_err as fs;
use rattler_conda_types::RepoDataRecord;
use rattler_digest::Sha256Hash;
use tempfile::TempDir;

use super::error::FetchError;
use super::unpacked_files::UnpackedFiles;
use crate::cache_folder;
use crate::disk::{DiskError, WithPath};
use crate::scratch::Scratch;

/// The folder of one unpacked package in the cache.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PackageDir(PathBuf);

/// A package in the cache, with its list of files.
pub(crate) struct CachedPackage {
    dir: PackageDir,
    files: UnpackedFiles,
    /// The sum of the listed file sizes, in bytes.
    pub(crate) bytes: u64,
}

impl PackageDir {
    /// Returns the folder of the package of `record`, whether it exists or not. Its name has the
    /// whole digest: with a part of it, a second archive with the same part could be made.
    pub(crate) fn for_record(
        cache_dir: &Path,
        record: &RepoDataRecord,
    ) -> Result<Self, FetchError> {
        let sha256 = checked_sha256(record)?;
        let name = format!("{}-{}", record.identifier.identifier, hex::encode(sha256));
        Ok(Self(cache_dir.join("pkgs").join(name)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn exists(&self) -> bool {
        self.0.is_dir()
    }

    /// Reads the list of files. The error describes what is wrong with the package.
    pub(crate) fn read(self) -> Result<CachedPackage, String> {
        let files = UnpackedFiles::read(&self.0)?;
        Ok(CachedPackage { bytes: files.bytes(), dir: self, files })
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

/// Checks a record and returns its sha256, which names its folder.
pub(super) fn checked_sha256(record: &RepoDataRecord) -> Result<Sha256Hash, FetchError> {
    let file = || record.identifier.to_string();
    record::check(record).map_err(|fault| FetchError::MalformedRecord { file: file(), fault })?;
    record.package_record.sha256.ok_or_else(|| FetchError::NoSha256 { file: file() })
}

impl CachedPackage {
    /// Compares every file with the list. The error names the first file that differs.
    pub(crate) fn verify(&self) -> Result<(), String> {
        self.files.verify(&self.dir.0)
    }
}

/// Whether another run moved a package in meanwhile.
fn exists_already(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists)
}
