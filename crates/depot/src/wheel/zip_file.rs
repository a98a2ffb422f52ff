//! Zip archives with any names, also the same name twice.

use std::collections::HashSet;
use std::io::{self, Cursor, Write as _};

use bytes::Bytes;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// An entry of a zip archive.
#[derive(Debug, Clone)]
pub(super) struct ZipEntry {
    /// Written unchanged.
    pub(super) path: String,
    pub(super) content: ZipContent,
    pub(super) executable: bool,
}

#[derive(Debug, Clone)]
pub(super) enum ZipContent {
    Bytes(Bytes),
    Symlink(String),
}

impl ZipEntry {
    pub(super) fn file(path: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        let content = ZipContent::Bytes(bytes.into());
        Self { path: path.into(), content, executable: false }
    }

    /// Returns the bytes of the entry; those of a link are its target.
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.content {
            ZipContent::Bytes(bytes) => bytes,
            ZipContent::Symlink(target) => target.as_bytes(),
        }
    }
}

/// Returns an archive with these entries in this order.
pub(super) fn write(entries: Vec<ZipEntry>) -> io::Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut written = HashSet::new();
    let mut paths = Vec::new();
    for ZipEntry { path, content, executable } in entries {
        let mode = if executable { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            // The zip crate's default is the current time.
            .last_modified_time(zip::DateTime::DEFAULT)
            .unix_permissions(mode);
        let name = unused_name(&path, &written)?;
        match content {
            ZipContent::Bytes(bytes) => {
                zip.start_file(&name, options)?;
                zip.write_all(&bytes)?;
            }
            ZipContent::Symlink(target) => {
                zip.add_symlink(&name, target, options.unix_permissions(0o777))?;
            }
        }
        written.insert(name);
        paths.push(path);
    }
    let mut archive = zip.finish()?.into_inner();
    write_names(&mut archive, &paths)?;
    Ok(archive)
}

/// Returns the path, or another name of the same length if the zip crate would refuse a second
/// entry of this name.
fn unused_name(path: &str, written: &HashSet<String>) -> io::Result<String> {
    let other = ('\u{1}'..='\u{1f}').filter_map(|character| {
        let at = path.find(|character: char| character.is_ascii())?;
        Some([&path[..at], &path[at + 1..]].join(character.encode_utf8(&mut [0])))
    });
    let unused = [path.to_owned()].into_iter().chain(other).find(|name| !written.contains(name));
    unused.ok_or_else(|| {
        let message = format!("{path} can't be in an archive this often");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
}

/// Gives the entries these names, each as long as the one it replaces. A name is in the central
/// directory and before the entry's data (APPNOTE.TXT, 4.3.7 and 4.3.12).
fn write_names(archive: &mut [u8], paths: &[String]) -> io::Result<()> {
    let truncated = || io::Error::from(io::ErrorKind::UnexpectedEof);
    // There is no comment, so the end record is the last 22 bytes.
    let end = archive.len().checked_sub(22).ok_or_else(truncated)?;
    let mut at = number(archive, end + 16, 4).ok_or_else(truncated)?;
    for path in paths {
        let local = number(archive, at + 42, 4).ok_or_else(truncated)?;
        for start in [at + 46, local + 30] {
            let name = archive.get_mut(start..start + path.len()).ok_or_else(truncated)?;
            name.copy_from_slice(path.as_bytes());
        }
        let lengths = [28, 30, 32].map(|field| number(archive, at + field, 2));
        at += 46 + lengths.into_iter().flatten().sum::<usize>();
    }
    Ok(())
}

/// Reads a little-endian number.
fn number(archive: &[u8], at: usize, length: usize) -> Option<usize> {
    let bytes = archive.get(at..at + length)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}
