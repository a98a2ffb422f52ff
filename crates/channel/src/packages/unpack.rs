//! Unpacks archives: `.tar.bz2`, and `.conda`, which is a zip of `.tar.zst`.
//!
//! Nothing is written outside of the folder. The modes of the archive are masked with the user's
//! umask and lose their setuid, setgid and sticky bits. The size of the result is limited, so that
//! a small archive can't fill the disk.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use envlock_report::format_size;
use envlock_text::limits::{UNPACKED_BYTES, UNPACKED_ENTRIES, UNPACKED_PATH, UNPACKED_RATIO};
use envlock_text::one_line;
use rattler_conda_types::package::CondaArchiveType;
use tar::EntryType;

use crate::disk::{DiskError, WithPath};

/// The earliest modification time, 1980-01-01: some file systems have no earlier one.
const FIRST_MTIME: u64 = 315_532_800;
/// The size of the buffer for the content of a file, in bytes.
const BUFFER: usize = 128 * 1024;

/// Why an archive with the right digest can't be unpacked.
#[derive(Debug)]
pub(crate) enum UnpackError {
    /// The archive isn't a package.
    NotAPackage(String),
    /// The disk is full, or permission is denied.
    Disk(DiskError),
}

impl From<DiskError> for UnpackError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// Unpacks `archive` into the empty `folder`.
pub(crate) fn unpack(
    archive: &Path,
    archive_type: CondaArchiveType,
    folder: &Path,
) -> Result<(), UnpackError> {
    let file = File::open(archive).with_path(archive)?;
    let length = file.metadata().with_path(archive)?.len();
    let root = std::fs::canonicalize(folder).with_path(folder)?;
    let mut unpacker = Unpacker {
        root,
        folders: HashSet::new(),
        remaining: UNPACKED_BYTES.max(length.saturating_mul(UNPACKED_RATIO)),
        entries: 0,
    };
    match archive_type {
        CondaArchiveType::TarBz2 => {
            unpacker.tar(bzip2::read::MultiBzDecoder::new(BufReader::new(file)))
        }
        CondaArchiveType::Conda => unpacker.conda(file),
    }
}

pub(super) fn not_a_package<T>(reason: impl Into<String>) -> Result<T, UnpackError> {
    Err(UnpackError::NotAPackage(reason.into()))
}

/// Creates the error for an archive that can't be read.
pub(super) fn unreadable(error: &io::Error) -> UnpackError {
    UnpackError::NotAPackage(match error.kind() {
        io::ErrorKind::UnexpectedEof => "the archive is incomplete".to_owned(),
        _ => format!("the archive can't be read: {error}"),
    })
}

/// Creates the error for a zip that can't be read.
pub(super) fn bad_zip(error: &zip::result::ZipError) -> UnpackError {
    UnpackError::NotAPackage(format!("the archive can't be read: {error}"))
}

struct Unpacker {
    /// The canonical path of the folder.
    root: PathBuf,
    /// Folders below the root that are known to be folders and no symbolic links.
    folders: HashSet<PathBuf>,
    /// The number of bytes that may still be unpacked.
    remaining: u64,
    /// The number of entries so far.
    entries: usize,
}

impl Unpacker {
    fn conda(&mut self, file: File) -> Result<(), UnpackError> {
        let mut zip =
            zip::ZipArchive::new(BufReader::new(file)).map_err(|error| bad_zip(&error))?;
        for index in 0..zip.len() {
            let entry = zip.by_index(index).map_err(|error| bad_zip(&error))?;
            let is_tar = entry.name().map_err(|error| bad_zip(&error))?.ends_with(".tar.zst");
            if is_tar {
                let decoder = zstd::stream::read::Decoder::new(entry);
                self.tar(decoder.map_err(|error| unreadable(&error))?)?;
            }
        }
        Ok(())
    }

    fn tar(&mut self, decoder: impl Read) -> Result<(), UnpackError> {
        let mut archive = tar::Archive::new(Limited { inner: decoder, left: self.remaining });
        for entry in archive.entries().map_err(|error| unreadable(&error))? {
            let mut entry = entry.map_err(|error| unreadable(&error))?;
            self.entries += 1;
            if self.entries > UNPACKED_ENTRIES {
                return not_a_package(format!("it has more than {UNPACKED_ENTRIES} files"));
            }
            self.entry(&mut entry)?;
        }
        // The rest of the compressed data is read, so that a truncated archive is an error.
        let mut decoder = archive.into_inner();
        io::copy(&mut decoder, &mut io::sink()).map_err(|error| unreadable(&error))?;
        Ok(())
    }

    fn entry(&mut self, entry: &mut tar::Entry<'_, impl Read>) -> Result<(), UnpackError> {
        let name = entry.path().map_err(|error| unreadable(&error))?.into_owned();
        let Some(path) = inside(&name)? else { return Ok(()) };
        let kind = entry.header().entry_type();
        let is_folder = kind.is_dir()
            || (kind.is_file()
                && entry.header().as_ustar().is_none()
                && entry.path_bytes().ends_with(b"/"));
        if is_folder {
            return self.folder(&path);
        }
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                self.file(entry, &path)
            }
            EntryType::Symlink => {
                let target = link_target(entry, &path)?;
                let place = self.replace(&path)?;
                std::os::unix::fs::symlink(target, &place).map_err(|error| fault(&place, error))
            }
            EntryType::Link => self.hard_link(entry, &path),
            EntryType::XGlobalHeader => Ok(()),
            _ => not_a_package(format!("`{}` is no file, folder or link", shown(&path))),
        }
    }

    /// Creates a folder and the folders above it. A symbolic link is followed if it leads to a
    /// folder of the package.
    fn folder(&mut self, path: &Path) -> Result<(), UnpackError> {
        if path.as_os_str().is_empty() || self.folders.contains(path) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        let place = self.root.join(path);
        match std::fs::symlink_metadata(&place) {
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_symlink() => {
                let target = std::fs::canonicalize(&place);
                // It isn't remembered: the link can be replaced by a later entry.
                return match target {
                    Ok(target) if target.starts_with(&self.root) && target.is_dir() => Ok(()),
                    _ => not_a_package(format!(
                        "`{}` is a symbolic link that leads out of its folder",
                        shown(path)
                    )),
                };
            }
            Ok(_) => return not_a_package(format!("`{}` is a file and a folder", shown(path))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let created = std::fs::DirBuilder::new().mode(0o777).create(&place);
                created.map_err(|error| fault(&place, error))?;
            }
            Err(error) => return Err(fault(&place, error)),
        }
        // Below a symbolic link nothing is remembered.
        let parent = path.parent().unwrap_or(Path::new(""));
        if parent.as_os_str().is_empty() || self.folders.contains(parent) {
            self.folders.insert(path.to_owned());
        }
        Ok(())
    }

    /// Removes the file or link that an earlier entry put at a path. Returns the path.
    fn replace(&mut self, path: &Path) -> Result<PathBuf, UnpackError> {
        let place = self.root.join(path);
        match std::fs::symlink_metadata(&place) {
            Ok(found) if found.is_dir() => {
                not_a_package(format!("`{}` is a file and a folder", shown(path)))
            }
            Ok(_) => {
                std::fs::remove_file(&place).map_err(|error| fault(&place, error))?;
                Ok(place)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(place),
            Err(error) => Err(fault(&place, error)),
        }
    }

    fn file(
        &mut self,
        entry: &mut tar::Entry<'_, impl Read>,
        path: &Path,
    ) -> Result<(), UnpackError> {
        let mode = entry.header().mode().unwrap_or(0o644);
        let mtime = entry.header().mtime().unwrap_or_default().max(FIRST_MTIME);
        let place = self.replace(path)?;
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            // The owner must be able to read it; the umask masks the rest.
            .mode((mode & 0o777) | 0o400)
            .open(&place)
            .map_err(|error| fault(&place, error))?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let read = entry.read(&mut buffer).map_err(|error| unreadable(&error))?;
            if read == 0 {
                break;
            }
            // A sparse file is longer than what was read for it.
            let Some(remaining) = self.remaining.checked_sub(read as u64) else {
                return Err(unreadable(&too_large()));
            };
            self.remaining = remaining;
            file.write_all(&buffer[..read]).map_err(|error| fault(&place, error))?;
        }
        // Python compares the time of a source with that in its `.pyc`. A file system that can't
        // store it doesn't matter otherwise.
        if let Some(time) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(mtime)) {
            let _ = file.set_modified(time);
        }
        Ok(())
    }

    fn hard_link(
        &mut self,
        entry: &mut tar::Entry<'_, impl Read>,
        path: &Path,
    ) -> Result<(), UnpackError> {
        let target = inside(&link_target(entry, path)?)?.unwrap_or_default();
        let source = self.root.join(&target);
        let parent = source.parent().map(std::fs::canonicalize);
        let is_inside = parent.is_some_and(|it| it.is_ok_and(|it| it.starts_with(&self.root)));
        let is_file = std::fs::symlink_metadata(&source)
            .is_ok_and(|found| found.is_file() || found.is_symlink());
        if !is_inside || !is_file {
            return not_a_package(format!(
                "`{}` is a hard link to `{}`, which isn't a file of the package",
                shown(path),
                shown(&target)
            ));
        }
        let place = self.replace(path)?;
        std::fs::hard_link(&source, &place).map_err(|error| fault(&place, error))
    }
}

/// Returns the target of a link.
fn link_target(entry: &tar::Entry<'_, impl Read>, path: &Path) -> Result<PathBuf, UnpackError> {
    match entry.link_name().map_err(|error| unreadable(&error))? {
        Some(target) if !target.as_os_str().is_empty() => Ok(target.into_owned()),
        _ => not_a_package(format!("`{}` is a link without a target", shown(path))),
    }
}

/// Returns a path of the archive relative to the folder; `None` for the folder itself. A root is
/// removed, and `..` is an error.
fn inside(path: &Path) -> Result<Option<PathBuf>, UnpackError> {
    if path.as_os_str().len() > UNPACKED_PATH {
        return not_a_package(format!("it has a path of more than {UNPACKED_PATH} bytes"));
    }
    let mut relative = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => relative.push(part),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            Component::ParentDir => {
                return not_a_package(format!("`{}` leads out of its folder", shown(path)));
            }
        }
    }
    Ok(Some(relative).filter(|path| !path.as_os_str().is_empty()))
}

/// Returns an error of the file system as one of the disk, or of the names in the archive.
pub(super) fn fault(place: &Path, error: io::Error) -> UnpackError {
    use io::ErrorKind::{
        AlreadyExists, InvalidFilename, InvalidInput, IsADirectory, NotADirectory,
    };
    match error.kind() {
        AlreadyExists | InvalidFilename | InvalidInput | IsADirectory | NotADirectory => {
            let name = place.file_name().unwrap_or_default();
            UnpackError::NotAPackage(format!("`{}` can't be a file: {error}", shown(name.as_ref())))
        }
        _ => UnpackError::Disk(DiskError::new(place, error)),
    }
}

/// Returns a path for a message.
fn shown(path: &Path) -> String {
    one_line(&path.to_string_lossy()).into_owned()
}

fn too_large() -> io::Error {
    io::Error::other(format!(
        "it is larger than {} and than {UNPACKED_RATIO} times its archive",
        format_size(UNPACKED_BYTES)
    ))
}

/// A reader that fails after a number of bytes.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(too_large)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
