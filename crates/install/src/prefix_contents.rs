//! The contents of a prefix, as far as a plan depends on them. Reads, never writes.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rattler_conda_types::PrefixRecord;

use crate::activate;
use crate::error::{InstallError, IoContext};
use crate::install_spec::InstallSpec;
use crate::journal::Journal;
use crate::meta::FileList;
use crate::prefix_paths::{PrefixPaths, is_not_found};
use crate::previous::Previous;
use crate::state::{InstallRecord, PrefixState, is_environment, state, state_of};
use crate::swap::is_leftover;
use crate::untracked::{Untracked, find_untracked, records};

/// How often a prefix is read again because another process exchanged it meanwhile.
const MAX_READS: usize = 8;

/// The contents of a prefix, after recovery from a killed install if that is necessary.
#[derive(Debug)]
pub struct PrefixContents {
    pub(crate) paths: PrefixPaths,
    /// Never [`PrefixState::Interrupted`].
    pub(crate) state: PrefixState,
    /// Whether a killed install must be recovered from first.
    pub(crate) needs_recovery: bool,
    /// Whether a staging directory exists, of a killed or a running install.
    pub(crate) has_leftovers: bool,
    pub(crate) is_environment: bool,
    /// Whether all files are there with the sizes that the install recorded.
    pub(crate) is_intact: bool,
    /// Whether the packages have post-link scripts that were not run.
    pub(crate) scripts_pending: bool,
    /// The variables that activation sets, if they can be read.
    pub(crate) variables: Option<BTreeMap<String, String>>,
    /// The records, sorted by name. Not read if the prefix is up to date.
    pub(crate) records: Vec<PrefixRecord>,
    /// The first record that can't be read; then `records` and `untracked` are empty.
    pub(crate) unreadable: Option<(PathBuf, io::Error)>,
    /// What the last install didn't create.
    pub(crate) untracked: Untracked,
    pub(crate) previous: Previous,
}

impl PrefixContents {
    /// Returns the untracked files and packages.
    pub fn untracked(&self) -> &Untracked {
        &self.untracked
    }

    /// Whether the prefix is up to date: the same digest, every file there with its size, the
    /// variables set, and no script pending that is to run. Doesn't detect changed bytes, which
    /// [`verify`](crate::verify) does.
    pub(crate) fn is_up_to_date(&self, spec: &InstallSpec) -> bool {
        let ready = PrefixState::Ready { lock_digest: spec.lock_digest.clone() };
        let sets = |(name, value): (&String, &String)| {
            self.variables.as_ref().is_some_and(|set| set.get(name) == Some(value))
        };
        !spec.replace
            && self.state == ready
            && self.is_intact
            && !(spec.run_post_link_scripts && self.scripts_pending)
            && spec.variables.iter().all(sets)
    }
}

/// Reads the contents of the prefix. Takes milliseconds if the prefix is up to date; else every
/// record is read and every file is listed.
pub fn inspect(spec: &InstallSpec) -> Result<PrefixContents, InstallError> {
    // Without the prefix's lock: another install may exchange the prefix while it is read.
    for _ in 1..MAX_READS {
        let before = identity(&spec.prefix);
        let present = read(spec);
        if identity(&spec.prefix) == before {
            return present;
        }
    }
    read(spec)
}

/// Returns the file system and the inode number of the prefix's directory.
fn identity(prefix: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(prefix).ok().map(|found| (found.dev(), found.ino()))
}

fn read(spec: &InstallSpec) -> Result<PrefixContents, InstallError> {
    let paths = PrefixPaths::new(&spec.prefix)?;
    let recovered = Recovered::of(&paths)?;
    let folder = recovered.folder.unwrap_or_else(|| paths.prefix.clone());
    let is_present = recovered.is_present;
    let state = if is_present { state_of(&folder, &paths.prefix)? } else { PrefixState::Absent };
    let mut present = PrefixContents {
        state,
        needs_recovery: recovered.is_needed,
        has_leftovers: has_leftovers(&paths)?,
        is_environment: is_present && is_environment(&folder),
        is_intact: false,
        scripts_pending: false,
        variables: None,
        records: Vec::new(),
        unreadable: None,
        untracked: Untracked::default(),
        previous: recovered.previous,
        paths,
    };
    if !present.is_environment {
        return Ok(present);
    }
    let install_record =
        InstallRecord::read(&folder).while_doing("read the record of the last install")?;
    let files = FileList::read(&folder).while_doing("read the environment's list of files")?;
    present.scripts_pending = install_record.as_ref().is_some_and(|record| record.scripts_pending);
    if matches!(present.state, PrefixState::Ready { .. }) {
        present.variables = activate::configured_variables(&folder);
        present.is_intact = files.matches_disk(&folder);
    }
    if present.is_up_to_date(spec) {
        return Ok(present);
    }
    match records(&folder) {
        Ok(records) => {
            let unknown = find_untracked(&folder, &records, &files.made_by_scripts);
            let unknown = unknown.all().while_doing("list the environment's files")?;
            present.untracked = Untracked::new(unknown, &records, install_record.as_ref());
            present.records = records;
        }
        Err(InstallError::UnreadableRecord { path, source }) => {
            present.unreadable = Some((path, source));
        }
        Err(error) => return Err(error),
    }
    Ok(present)
}

fn has_leftovers(paths: &PrefixPaths) -> Result<bool, InstallError> {
    match paths.abandoned() {
        Ok(abandoned) => Ok(abandoned.iter().any(|path| is_leftover(paths, path))),
        Err(error) if is_not_found(&error) => Ok(false),
        Err(source) => {
            Err(InstallError::Io { action: "list the prefix's parent directory", source })
        }
    }
}

/// What [`recover`](crate::swap::recover) will leave.
struct Recovered {
    is_needed: bool,
    /// Whether there will be something at the prefix.
    is_present: bool,
    /// Where that is now, if not at the prefix.
    folder: Option<PathBuf>,
    previous: Previous,
}

impl Recovered {
    fn of(paths: &PrefixPaths) -> Result<Self, InstallError> {
        let previous = paths.previous();
        let mut recovered = Self {
            is_needed: false,
            is_present: true,
            folder: None,
            previous: Previous::read(paths),
        };
        if state(&paths.prefix)? != PrefixState::Interrupted {
            return Ok(recovered);
        }
        recovered.is_needed = true;
        if std::fs::symlink_metadata(&paths.prefix).is_err() {
            let next = match Journal::read(paths)? {
                Some(journal) => journal.next(paths)?,
                None => None,
            };
            if next.as_ref().is_none_or(|next| *next == previous) {
                recovered.previous = Previous::Absent;
            }
            recovered.folder = Some(next.unwrap_or_else(|| previous.clone()));
        }
        let folder = recovered.folder.as_deref().unwrap_or(&paths.prefix);
        if state_of(folder, &paths.prefix)? == PrefixState::Interrupted {
            recovered.is_present =
                matches!(recovered.previous, Previous::Removable | Previous::Kept(_));
            if recovered.is_present {
                recovered.folder = Some(previous);
                recovered.previous = Previous::Absent;
            }
        }
        Ok(recovered)
    }
}
