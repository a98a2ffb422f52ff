//! Checks what is next to a prefix before it is used: anyone who can write there, and any
//! repository that has a directory `.envlock`, can put files with these names there.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use thiserror::Error;

use crate::error::{InstallError, IoContext};
use crate::prefix_paths::is_not_found;

/// The maximum number of bytes of a lock file or a journal. Real ones have some hundred.
const MAX_BYTES: u64 = 64 * 1024;

/// Why a path next to a prefix isn't used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Distrust {
    /// A symbolic link.
    #[error("it is a symbolic link")]
    Symlink,
    /// Not a regular file.
    #[error("it isn't a regular file")]
    NotAFile,
    /// Not a directory.
    #[error("it isn't a directory")]
    NotADirectory,
    /// It belongs to a user who is neither this one, nor root, nor the owner of the directory
    /// that it is in.
    #[error("it belongs to user {0}")]
    Owner(u32),
    /// The file has another name, too.
    #[error("it is a hard link to another file")]
    HardLink,
    /// Not what envlock writes there.
    #[error("its content isn't what envlock writes")]
    Content,
    /// The mark in the directory isn't that of the journal.
    #[error("no install of this prefix has made it")]
    Mark,
}

/// Creates the error about a path that isn't used.
pub(crate) fn distrusted(path: &Path, why: Distrust) -> InstallError {
    InstallError::Untrusted { path: path.to_owned(), why }
}

/// Opens the regular file at `path` without following a link. Returns `None` if it is absent
/// and `flags` don't create it.
pub(crate) fn open_file(path: &Path, flags: OFlags) -> Result<Option<File>, InstallError> {
    // Without NONBLOCK, opening a named pipe would wait for its other end.
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = match rustix::fs::open(path, flags, Mode::from_raw_mode(0o666)) {
        Ok(file) => file.into(),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => return Err(distrusted(path, Distrust::Symlink)),
        Err(rustix::io::Errno::ISDIR | rustix::io::Errno::NXIO) => {
            return Err(distrusted(path, Distrust::NotAFile));
        }
        Err(error) => {
            let error = io::Error::from(error);
            let text = format!("failed to open `{}`: {error}", path.display());
            return Err(io::Error::new(error.kind(), text)).while_doing("open a file");
        }
    };
    let found = file.metadata().while_doing("open a file")?;
    if !found.is_file() {
        return Err(distrusted(path, Distrust::NotAFile));
    }
    check_owner(path, &found)?;
    if found.nlink() > 1 {
        return Err(distrusted(path, Distrust::HardLink));
    }
    Ok(Some(file))
}

/// Reads what is left of a small file. More bytes than envlock writes are an error.
pub(crate) fn read_small(path: &Path, file: &mut File) -> Result<Vec<u8>, InstallError> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).while_doing("read a file")?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(distrusted(path, Distrust::Content));
    }
    Ok(bytes)
}

/// Checks that `path` is a directory, not a link to one, of a trusted owner.
pub(crate) fn check_directory(path: &Path) -> Result<(), InstallError> {
    let found = fs_err::symlink_metadata(path).while_doing("read a directory")?;
    if found.is_symlink() {
        return Err(distrusted(path, Distrust::Symlink));
    }
    if !found.is_dir() {
        return Err(distrusted(path, Distrust::NotADirectory));
    }
    check_owner(path, &found)
}

/// The owner of the directory that something is in can replace it at any time, so that
/// distrusting it would gain nothing.
fn check_owner(path: &Path, found: &Metadata) -> Result<(), InstallError> {
    let parent = path.parent().and_then(|parent| std::fs::metadata(parent).ok());
    let user = rustix::process::geteuid().as_raw();
    let is_trusted =
        [Some(user), Some(0), parent.map(|parent| parent.uid())].contains(&Some(found.uid()));
    if is_trusted { Ok(()) } else { Err(distrusted(path, Distrust::Owner(found.uid()))) }
}

/// Reads a regular file of at most `limit` bytes; `None` if it is absent. Links are followed,
/// but nothing is read from a device or a named pipe, which may have no end.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let invalid = |what: &str| {
        let text = format!("failed to read `{}`: {what}", path.display());
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file.into(),
        Err(error) => {
            let error = io::Error::from(error);
            if is_not_found(&error) {
                return Ok(None);
            }
            let text = format!("failed to open `{}`: {error}", path.display());
            return Err(io::Error::new(error.kind(), text));
        }
    };
    if !file.metadata()?.is_file() {
        return Err(invalid("it isn't a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(invalid(&format!("it has more than {limit} bytes")));
    }
    Ok(Some(bytes))
}
