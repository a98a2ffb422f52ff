//! What is at a prefix, in milliseconds: one small file of ours and the list of records.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Attempting, InstallError};
use crate::meta::FILES;
use crate::prefix_paths::{PrefixPaths, is_absent};

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
    /// An environment of ours whose records were changed since, or that was moved here.
    Altered {
        /// The stamp of the install before that.
        stamp: String,
    },
    /// An environment that another tool made.
    NotOurs,
    /// A directory with files that isn't an environment.
    NotAnEnvironment,
    /// An install was killed at a moment that the next one must sort out.
    Interrupted,
}

/// Looks at a prefix. Reads, never writes.
///
/// An install that was killed before it exchanged the prefix left the prefix as it was: that
/// isn't [`PrefixState::Interrupted`].
pub fn state(prefix: &Path) -> Result<PrefixState, InstallError> {
    let paths = PrefixPaths::of(prefix)?;
    if !prefix.exists() && paths.journal().exists() {
        return Ok(PrefixState::Interrupted);
    }
    state_of(prefix, prefix)
}

/// The state of what is in `folder`, if it were at `prefix`.
pub(crate) fn state_of(folder: &Path, prefix: &Path) -> Result<PrefixState, InstallError> {
    if is_empty(folder).attempting("look at the prefix")? {
        return Ok(PrefixState::Absent);
    }
    if let Some(stamp) = Stamp::read(folder).attempting("read the environment's stamp")? {
        return Ok(if !stamp.complete {
            PrefixState::Interrupted
        } else if stamp.prefix == prefix
            && stamp.records == records(folder).attempting("list the environment's records")?
        {
            PrefixState::Ready { stamp: stamp.digest }
        } else {
            PrefixState::Altered { stamp: stamp.digest }
        });
    }
    Ok(if is_environment(folder) { PrefixState::NotOurs } else { PrefixState::NotAnEnvironment })
}

/// Whether a directory is a conda environment, made by any tool.
pub(crate) fn is_environment(prefix: &Path) -> bool {
    prefix.join("conda-meta").is_dir()
}

fn is_empty(prefix: &Path) -> io::Result<bool> {
    match fs_err::read_dir(prefix) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if is_absent(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

/// `conda-meta/envlock`: what this install was. Without `.json`: conda and rattler read
/// every `conda-meta/*.json` as a package's record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stamp {
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

impl Stamp {
    /// A complete environment with the records that are in `at` now, which will live at
    /// `prefix`.
    pub(crate) fn of(digest: &str, prefix: &Path, at: &Path) -> io::Result<Self> {
        Ok(Self {
            version: 1,
            digest: digest.to_owned(),
            prefix: prefix.to_owned(),
            complete: true,
            scripts_pending: false,
            records: records(at)?,
        })
    }

    /// Whether that install wrote a record of this file name.
    pub(crate) fn knows(&self, record: &str) -> bool {
        self.records.contains_key(record)
    }

    fn path(prefix: &Path) -> PathBuf {
        prefix.join("conda-meta/envlock")
    }

    /// `None` when there is none or it says nothing that we understand.
    pub(crate) fn read(prefix: &Path) -> io::Result<Option<Self>> {
        match fs_err::read(Self::path(prefix)) {
            Ok(bytes) => {
                Ok(serde_json::from_slice(&bytes).ok().filter(|stamp: &Self| stamp.version == 1))
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Written whole or not at all: a killed process can't leave half of it.
    pub(crate) fn write(&self, prefix: &Path) -> io::Result<()> {
        let path = Self::path(prefix);
        let fresh = path.with_extension("new");
        fs_err::write(&fresh, serde_json::to_vec_pretty(self)?)?;
        fs_err::rename(fresh, path)
    }
}

/// The sizes of the records' files and of our list of files by name, in bytes: they tell
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
