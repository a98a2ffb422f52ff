//! Reads the state of a prefix quickly: from one small file and the names of the records.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::difference::DifferenceKind;
use crate::error::{InstallError, IoContext};
use crate::journal::Journal;
use crate::meta::{FILE_LIST_NAME, is_record};
use crate::prefix_paths::{PrefixPaths, is_not_found};
use crate::trusted::read_bounded;

/// The maximum number of bytes of the record: some 50 for each package.
const MAX_BYTES: u64 = 16_000_000;

/// The state of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrefixState {
    /// The prefix doesn't exist or is empty.
    Absent,
    /// An environment of envlock with the records of its last install.
    Ready {
        /// The digest of the lock that was installed.
        lock_digest: String,
    },
    /// An environment of envlock whose records were changed since its last install.
    Modified {
        /// The digest of the lock that was installed.
        lock_digest: String,
    },
    /// An environment of envlock that was made for another path, which its files name.
    Moved {
        /// That path.
        from: PathBuf,
    },
    /// An environment that another tool made.
    MadeByOtherTool,
    /// A directory with files that isn't an environment.
    NotAnEnvironment,
    /// An install was killed while it replaced the prefix. The next install completes or reverts
    /// it.
    Interrupted,
}

/// Reads the state of a prefix. Never writes.
///
/// An install that was killed before it exchanged the prefix left the prefix as it was: that
/// isn't [`PrefixState::Interrupted`].
pub fn state(prefix: &Path) -> Result<PrefixState, InstallError> {
    let paths = PrefixPaths::new(prefix)?;
    if std::fs::symlink_metadata(prefix).is_err() && Journal::read(&paths)?.is_some() {
        return Ok(PrefixState::Interrupted);
    }
    state_of(prefix, prefix)
}

/// Returns the state that the contents of `folder` would have at `prefix`.
pub(crate) fn state_of(folder: &Path, prefix: &Path) -> Result<PrefixState, InstallError> {
    if is_empty(folder).while_doing("look at the prefix")? {
        return Ok(PrefixState::Absent);
    }
    if let Some(record) =
        InstallRecord::read(folder).while_doing("read the record of the last install")?
    {
        return Ok(if !is_same_directory(&record.prefix, prefix) {
            PrefixState::Moved { from: record.prefix }
        } else if !record.complete {
            PrefixState::Interrupted
        } else if record.records == records(folder).while_doing("list the environment's records")? {
            PrefixState::Ready { lock_digest: record.digest }
        } else {
            PrefixState::Modified { lock_digest: record.digest }
        });
    }
    Ok(if is_environment(folder) {
        PrefixState::MadeByOtherTool
    } else {
        PrefixState::NotAnEnvironment
    })
}

/// Whether both paths lead to the same directory: one may go through a symbolic link. The second
/// path may be one that has nothing yet.
pub(crate) fn is_same_directory(recorded: &Path, prefix: &Path) -> bool {
    let identity =
        |path: &Path| std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    recorded == prefix || identity(recorded).is_some_and(|found| identity(prefix) == Some(found))
}

/// Whether a directory is a conda environment, made by any tool.
pub(crate) fn is_environment(prefix: &Path) -> bool {
    prefix.join("conda-meta").is_dir()
}

fn is_empty(prefix: &Path) -> io::Result<bool> {
    match fs_err::read_dir(prefix) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if is_not_found(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

/// The record of the last install, `conda-meta/envlock`. Without `.json`, because conda and
/// rattler read every `conda-meta/*.json` as a package's record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InstallRecord {
    version: u32,
    /// The digest of the lock.
    #[serde(rename = "stamp")]
    pub(crate) digest: String,
    /// Where it was installed; its files name this path.
    pub(crate) prefix: PathBuf,
    /// False while post-link scripts run.
    pub(crate) complete: bool,
    /// Whether there are post-link scripts that were not run.
    #[serde(rename = "scripts_left")]
    pub(crate) scripts_pending: bool,
    records: BTreeMap<String, u64>,
}

impl InstallRecord {
    /// Creates the record of a complete install for `prefix`, from the packages' records in `at`.
    pub(crate) fn new(digest: &str, prefix: &Path, at: &Path) -> io::Result<Self> {
        Ok(Self {
            version: 1,
            digest: digest.to_owned(),
            prefix: prefix.to_owned(),
            complete: true,
            scripts_pending: false,
            records: records(at)?,
        })
    }

    /// Whether the records in `folder` are those that this install wrote.
    pub(crate) fn has_all_records(&self, folder: &Path) -> io::Result<bool> {
        Ok(self.records == records(folder)?)
    }

    /// Returns how the records in `folder` differ from those that this install wrote, by file name.
    pub(crate) fn compare_records(
        &self,
        folder: &Path,
    ) -> io::Result<Vec<(String, DifferenceKind)>> {
        let found = records(folder)?;
        let mut differences = Vec::new();
        for (name, expected) in &self.records {
            match found.get(name) {
                None => differences.push((name.clone(), DifferenceKind::Missing)),
                Some(found) if found == expected => {}
                Some(found) => {
                    let (expected, found) = (*expected, *found);
                    differences.push((name.clone(), DifferenceKind::Size { expected, found }));
                }
            }
        }
        let others = found.into_keys().filter(|name| !self.has_record(name));
        differences.extend(others.map(|name| (name, DifferenceKind::Untracked)));
        Ok(differences)
    }

    /// Returns when the record in `folder` was written: at the end of the install.
    pub(crate) fn written_at(folder: &Path) -> io::Result<SystemTime> {
        fs_err::metadata(Self::path(folder))?.modified()
    }

    /// Whether that install wrote a record of this file name.
    pub(crate) fn has_record(&self, record: &str) -> bool {
        self.records.contains_key(record)
    }

    /// Returns the path of the record in a prefix.
    pub(crate) fn path(prefix: &Path) -> PathBuf {
        prefix.join("conda-meta/envlock")
    }

    /// Reads the record of a prefix. `None` if the file is missing or can't be parsed.
    pub(crate) fn read(prefix: &Path) -> io::Result<Option<Self>> {
        let bytes = read_bounded(&Self::path(prefix), MAX_BYTES)?;
        let record = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(record.filter(|record: &Self| record.version == 1))
    }

    /// Writes the file atomically.
    pub(crate) fn write(&self, prefix: &Path) -> io::Result<()> {
        let path = Self::path(prefix);
        let fresh = path.with_extension("new");
        fs_err::write(&fresh, serde_json::to_vec_pretty(self)?)?;
        fs_err::rename(fresh, path)
    }
}

/// Returns the sizes of the record files and of envlock's list of files, in bytes, by name. They
/// show that conda changed something, without reading megabytes of JSON. The times of the files
/// aren't used, because a container image rounds them.
fn records(prefix: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut records = BTreeMap::new();
    for entry in fs_err::read_dir(prefix.join("conda-meta"))? {
        let entry = entry?;
        let is_ours = entry.file_name() == FILE_LIST_NAME;
        if is_ours || is_record(&entry.path()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            records.insert(name, entry.metadata()?.len());
        }
    }
    Ok(records)
}
