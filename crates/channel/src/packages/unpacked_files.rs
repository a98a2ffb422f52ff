//! The list of the files of an unpacked package, made when it was unpacked.
//!
//! The archive's digest is that of the lock, so what was unpacked from it is the reference, and
//! not the list in the package: a package can be made with a wrong list. The list here has what
//! the list in the package lacks: modes, the targets of links, and the files in `info`.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fs_err as fs;
use rattler_digest::{Sha256, compute_file_digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::disk::{DiskError, WithPath};

/// The name of the list in the folder of a package. It isn't a path of the package.
const FILE: &str = ".envlock-files.json";
/// The list in a package.
const PATHS: &str = "info/paths.json";
/// The version of the format. Other versions aren't read.
const VERSION: u32 = 1;

/// The files of an unpacked package.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UnpackedFiles {
    version: u32,
    /// The paths that `info/paths.json` described wrongly.
    pub(crate) corrected: Vec<String>,
    files: BTreeMap<String, UnpackedFile>,
}

/// What a path of a package is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum UnpackedFile {
    File { sha256: String, size: u64, mode: u32 },
    Link { target: String },
}

impl UnpackedFiles {
    /// Lists the files in `folder`, corrects the list in the package, and writes both lists.
    pub(crate) fn create(folder: &Path) -> Result<Self, DiskError> {
        // A package must not bring a list of its own.
        match fs::remove_file(folder.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DiskError::new(&folder.join(FILE), error));
            }
            _ => {}
        }
        let mut files = BTreeMap::new();
        list(folder, "", &mut files)?;
        let mut this = Self { version: VERSION, corrected: Vec::new(), files };
        this.correct_paths(folder)?;
        let json = serde_json::to_vec(&this).map_err(io::Error::from).with_path(folder)?;
        let path = folder.join(FILE);
        fs::write(&path, json).with_path(&path)?;
        Ok(this)
    }

    /// Reads the list of a package in the cache. The error describes what is wrong with it.
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let text = fs::read(folder.join(FILE)).map_err(|_| "it has no list of files".to_owned())?;
        let list: Self = serde_json::from_slice(&text)
            .map_err(|error| format!("its list of files can't be read: {error}"))?;
        if list.version == VERSION {
            Ok(list)
        } else {
            Err(format!("its list of files has the version {}", list.version))
        }
    }

    /// Returns the sum of the file sizes, in bytes.
    pub(crate) fn bytes(&self) -> u64 {
        let size = |file: &UnpackedFile| match file {
            UnpackedFile::File { size, .. } => *size,
            UnpackedFile::Link { .. } => 0,
        };
        self.files.values().map(size).sum()
    }

    /// Compares every file in `folder` with the list. The error names the first difference.
    pub(crate) fn verify(&self, folder: &Path) -> Result<(), String> {
        for (path, expected) in &self.files {
            let found = describe(&folder.join(path));
            let found = found.map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => format!("{path} is missing"),
                _ => format!("{path} can't be read: {error}"),
            })?;
            if let Some(difference) = difference(expected, found.as_ref()) {
                return Err(format!("{path} {difference}"));
            }
        }
        Ok(())
    }

    /// Writes the digests and sizes of the unpacked files into `info/paths.json`, if it has others.
    fn correct_paths(&mut self, folder: &Path) -> Result<(), DiskError> {
        let path = folder.join(PATHS);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(DiskError::new(&path, error)),
        };
        let Ok(mut json) = serde_json::from_slice::<Value>(&text) else { return Ok(()) };
        let entries = json.get_mut("paths").and_then(Value::as_array_mut);
        for entry in entries.into_iter().flatten() {
            let name = entry.get("_path").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(UnpackedFile::File { sha256, size, .. }) = self.files.get(&name)
                && correct(entry, sha256, *size)
            {
                self.corrected.push(name);
            }
        }
        if !self.corrected.is_empty() {
            let text = serde_json::to_vec(&json).map_err(io::Error::from).with_path(&path)?;
            // A new file: the old one may be a hard link to another file of the package.
            fs::remove_file(&path).with_path(&path)?;
            fs::write(&path, text).with_path(&path)?;
            if let Some(file) = describe(&path).with_path(&path)? {
                self.files.insert(PATHS.to_owned(), file);
            }
        }
        Ok(())
    }
}

/// Corrects the digest and the size of an entry. Returns whether they were wrong.
fn correct(entry: &mut Value, sha256: &str, size: u64) -> bool {
    let Some(fields) = entry.as_object_mut() else { return false };
    let mut is_wrong = false;
    let digest = fields.get("sha256").and_then(Value::as_str);
    if digest.is_some_and(|digest| !digest.eq_ignore_ascii_case(sha256)) {
        fields.insert("sha256".to_owned(), sha256.into());
        is_wrong = true;
    }
    let bytes = fields.get("size_in_bytes").filter(|bytes| !bytes.is_null());
    if bytes.is_some_and(|bytes| bytes.as_u64() != Some(size)) {
        fields.insert("size_in_bytes".to_owned(), size.into());
        is_wrong = true;
    }
    is_wrong
}

/// Adds the files below `folder`, whose path in the package is `prefix`. Names that aren't UTF-8
/// can't be in a list of a package, so they are never linked.
fn list(
    folder: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, UnpackedFile>,
) -> Result<(), DiskError> {
    for entry in fs::read_dir(folder).with_path(folder)? {
        let entry = entry.with_path(folder)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let place = entry.path();
        match describe(&place).with_path(&place)? {
            Some(file) => {
                files.insert(path, file);
            }
            None => list(&place, &path, files)?,
        }
    }
    Ok(())
}

/// Describes a file or a link; `None` for a folder.
fn describe(path: &Path) -> io::Result<Option<UnpackedFile>> {
    let found = std::fs::symlink_metadata(path)?;
    if found.is_symlink() {
        let target = std::fs::read_link(path)?.to_string_lossy().into_owned();
        return Ok(Some(UnpackedFile::Link { target }));
    }
    if found.is_dir() {
        return Ok(None);
    }
    let sha256 = hex::encode(compute_file_digest::<Sha256>(path)?);
    let mode = found.permissions().mode() & 0o7777;
    Ok(Some(UnpackedFile::File { sha256, size: found.len(), mode }))
}

/// Whether a mode differs by more than missing write permissions, which a cache may lose when it is
/// made read-only.
fn is_other_mode(expected: u32, found: u32) -> bool {
    const WRITE: u32 = 0o222;
    expected & !WRITE != found & !WRITE || found & !expected & WRITE != 0
}

/// Describes how a file differs from the list; `None` if it doesn't.
fn difference(expected: &UnpackedFile, found: Option<&UnpackedFile>) -> Option<String> {
    use UnpackedFile::{File, Link};
    match (expected, found) {
        (File { sha256, size, mode }, Some(File { sha256: digest, size: bytes, mode: bits })) => {
            if size != bytes {
                Some(format!("has {bytes} bytes instead of {size}"))
            } else if sha256 != digest {
                Some("has other bytes".to_owned())
            } else if is_other_mode(*mode, *bits) {
                Some(format!("has the mode {bits:o} instead of {mode:o}"))
            } else {
                None
            }
        }
        (Link { target }, Some(Link { target: other })) if target == other => None,
        (Link { target }, Some(Link { target: other })) => {
            Some(format!("points to {other} instead of {target}"))
        }
        _ => Some("is another kind of file".to_owned()),
    }
}

#[cfg(test)]
mod tests;
