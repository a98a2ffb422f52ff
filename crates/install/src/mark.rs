//! Marks in the directories that an install makes and moves: only what has the mark of an
//! install of this prefix is ever put in place or removed.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state::InstallRecord;
use crate::trusted::{check_directory, read_bounded};

/// The name of a mark in `conda-meta`.
const FILE: &str = "conda-meta/envlock-mark";

/// The maximum number of bytes of a mark.
const MAX_BYTES: u64 = 64 * 1024;

/// A mark: which prefix a directory was made for, and the random number of that install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) prefix: PathBuf,
    pub(crate) id: String,
}

impl Mark {
    /// Creates a mark with a random number.
    pub(crate) fn new(prefix: &Path) -> Self {
        // Each state has keys from the random numbers of the system.
        let number = || RandomState::new().build_hasher().finish();
        Self { prefix: prefix.to_owned(), id: format!("{:016x}{:016x}", number(), number()) }
    }

    /// Reads the mark in a directory, if there is one.
    pub(crate) fn read(directory: &Path) -> io::Result<Option<Self>> {
        let bytes = read_bounded(&directory.join(FILE), MAX_BYTES)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Marks a directory.
    pub(crate) fn write(&self, directory: &Path) -> io::Result<()> {
        fs_err::create_dir_all(directory.join("conda-meta"))?;
        fs_err::write(directory.join(FILE), serde_json::to_vec(self)?)
    }

    /// Removes the mark of a directory, if it has one.
    pub(crate) fn remove(directory: &Path) -> io::Result<()> {
        match fs_err::remove_file(directory.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Returns the path of the mark in a directory.
pub(crate) fn mark_path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Whether an install of `prefix` has made this directory: it has a mark or a record of that
/// prefix, or no files yet.
pub(crate) fn is_made_for(prefix: &Path, directory: &Path) -> bool {
    let marked =
        || Mark::read(directory).is_ok_and(|mark| mark.is_some_and(|m| m.prefix == prefix));
    let recorded = || {
        InstallRecord::read(directory)
            .is_ok_and(|record| record.is_some_and(|r| r.prefix == prefix))
    };
    check_directory(directory).is_ok()
        && (marked() || recorded() || has_no_files(directory).unwrap_or(false))
}

fn has_no_files(directory: &Path) -> io::Result<bool> {
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs_err::read_dir(next)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                return Ok(false);
            }
            directories.push(entry.path());
        }
    }
    Ok(true)
}
