//! The environment at `NAME~previous`, and whether an install may remove it.

use std::io;
use std::path::{Path, PathBuf};

use crate::meta::FileList;
use crate::prefix_paths::PrefixPaths;
use crate::state::{InstallRecord, is_environment};
use crate::trusted::check_directory;
use crate::untracked::{find_untracked, records};

/// The contents of `NAME~previous`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Previous {
    Absent,
    /// An unchanged environment of an install of this prefix. It can be installed again from a
    /// lock.
    Removable,
    /// An environment with files or changes of the user, or one that another tool has made. An
    /// install renames it to this path instead of removing it.
    Kept(PathBuf),
    /// Something else: files of the user, or a symbolic link. An install refuses to touch it.
    Other,
}

impl Previous {
    /// Reads what is there.
    pub(crate) fn read(paths: &PrefixPaths) -> Self {
        let path = paths.previous();
        if std::fs::symlink_metadata(&path).is_err() {
            return Self::Absent;
        }
        if check_directory(&path).is_err() || !is_environment(&path) {
            return Self::Other;
        }
        match is_unchanged(&path, &paths.prefix) {
            Ok(true) => Self::Removable,
            Ok(false) | Err(_) => Self::Kept(paths.free_previous()),
        }
    }
}

/// Whether an environment whose install was killed has files that no record has, or can't be read.
/// They are of the user, or of a post-link script that was killed; nothing tells which.
pub(crate) fn has_other_files(folder: &Path) -> bool {
    let Ok(records) = records(folder) else { return true };
    find_untracked(folder, &records, &[]).all().map_or(true, |files| !files.is_empty())
}

/// Whether an environment is as an install of `prefix` made it: no files of others, and no file
/// with another size or a later time than the install has.
fn is_unchanged(folder: &Path, prefix: &Path) -> io::Result<bool> {
    let Some(record) = InstallRecord::read(folder)? else { return Ok(false) };
    if record.prefix != prefix || !record.has_all_records(folder)? {
        return Ok(false);
    }
    let Ok(records) = records(folder) else { return Ok(false) };
    let files = FileList::read(folder)?;
    let made_at = InstallRecord::written_at(folder)?;
    let untracked = find_untracked(folder, &records, &files.made_by_scripts);
    Ok(untracked.all()?.is_empty() && files.is_older_than(folder, made_at))
}
