//! Reads the state of a prefix quickly: from one small file and the names of the records.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::difference::DifferenceKind;
use crate::error::{Attempting, InstallError};
use crate::journal::Journal;
use crate::meta::FILES;
use crate::prefix_paths::{PrefixPaths, is_not_found};
use crate::trusted::read_bounded;

/// The most bytes of the record: some 50 for each package.
const MAX_BYTES: u64 = 16_000_000;

/// What is at a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrefixState {
    /// Nothing, or an empty directory.
    Absent,
    /// An environment as the last install left its records.
    Ready {
        /// The stamp of that install.
        stamp: String,
    },
    /// An environment of ours whose records were changed since.
    Modified {
        /// The stamp of the install before that.
        stamp: String,
    },
    /// An environment of ours that was made for another path, which its files name.
    Moved {
        /// That path.
        from: PathBuf,
    },
    /// An environment that another tool made.
    MadeByOtherTool,
    /// A directory with files that isn't an environment.
    NotAnEnvironment,
    /// An install was killed at a moment that the next one must sort out.
    Interrupted,
}

/// Reads the state of a prefix. Never writes.
///
/// An install that was killed before it exchanged the prefix left the prefix as it was: that
/// isn't [`PrefixState::Interrupted`].
pub fn state(prefix: &Path) -> Result<PrefixState, InstallError> {
    let paths = PrefixPaths::of(prefix)?;
    if std::fs::symlink_metadata(prefix).is_err() && Journal::read(&paths)?.is_some() {
        return Ok(PrefixState::Interrupted);
    }
    state_of(prefix, prefix)
}

/// The state of what is in `folder`, if it were at `prefix`.
pub(crate) fn state_of(folder: &Path, prefix: &Path) -> Result<PrefixState, InstallError> {
    if is_empty(folder).attempting("look at the prefix")? {
        return Ok(PrefixState::Absent);
    }
    if let Some(stamp) = InstallRecord::read(folder).attempting("read the environment's stamp")? {
        return Ok(if !is_same_directory(&stamp.prefix, prefix) {
            PrefixState::Moved { from: stamp.prefix }
        } else if !stamp.complete {
            PrefixState::Interrupted
        } else if stamp.records == records(folder).attempting("list the environment's records")? {
            PrefixState::Ready { stamp: stamp.digest }
        } else {
            PrefixState::Modified { stamp: stamp.digest }
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

/// `conda-meta/envlock`: what this install was. Without `.json`: conda and rattler read
/// every `conda-meta/*.json` as a package's record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct InstallRecord {
    version: u32,
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
    /// A complete environment with the records that are in `at` now, which will live at
    /// `prefix`.
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

    /// How the records in `folder` differ from those that this install wrote, by file name.
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

    /// When the record in `folder` was written: at the end of the install.
    pub(crate) fn modified(folder: &Path) -> io::Result<SystemTime> {
        fs_err::metadata(Self::path(folder))?.modified()
    }

    /// Whether that install wrote a record of this file name.
    pub(crate) fn has_record(&self, record: &str) -> bool {
        self.records.contains_key(record)
    }

    /// The path of the record in a prefix.
    pub(crate) fn path(prefix: &Path) -> PathBuf {
        prefix.join("conda-meta/envlock")
    }

    /// `None` when there is none or it says nothing that we understand.
    pub(crate) fn read(prefix: &Path) -> io::Result<Option<Self>> {
        let bytes = read_bounded(&Self::path(prefix), MAX_BYTES)?;
        let record = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(record.filter(|record: &Self| record.version == 1))
    }

    /// Written whole or not at all: a killed process can't leave half of it.
    pub(crate) fn write(&self, prefix: &Path) -> io::Result<()> {
        let path = Self::path(prefix);
        let fresh = path.with_extension("new");
        fs_err::write(&fresh, serde_json::to_vec_pretty(self)?)?;
        fs_err::rename(fresh, path)
    }
}

/// The sizes of the records' files and of our list of files by name, in bytes: they show
/// that conda installed or removed something without reading megabytes of JSON. Not their
/// times, which a container image rounds.
fn records(prefix: &Path) -> io::Result<BTreeMap<String, u64>> {
    let mut records = BTreeMap::new();
    for entry in fs_err::read_dir(prefix.join("conda-meta"))? {
        let entry = entry?;
        let is_ours = entry.file_name() == FILES;
        if is_ours || entry.path().extension() == Some(OsStr::new("json")) {
            let name = entry.file_name().to_string_lossy().into_owned();
            records.insert(name, entry.metadata()?.len());
        }
    }
    Ok(records)
}
