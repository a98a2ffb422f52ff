//! One path of a package.

use std::io::{self, Read};
use std::path::PathBuf;

use bytes::Bytes;
use rattler_conda_types::package::FileMode;
use rattler_digest::{HashingReader, Sha256};

/// The prefix that packages are "built" in; an installer writes its own in its place.
///
/// 255 characters, as conda-build pads it: in a binary the installed prefix must fit there.
pub const PLACEHOLDER: &str = match std::str::from_utf8(&PADDED) {
    Ok(text) => text,
    Err(_) => unreachable!(),
};

const PADDED: [u8; 255] = {
    let start = *b"/envlock/depot/prefix";
    let mut padded = [b'_'; 255];
    let mut at = 0;
    while at < start.len() {
        padded[at] = start[at];
        at += 1;
    }
    padded
};

/// The contents of an entry.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// These bytes.
    Bytes(Bytes),
    /// The contents of this file, read when the archive is written, so that large trees need no
    /// memory.
    Disk(PathBuf),
    /// A symbolic link to this target, which has no contents.
    Symlink(String),
}

/// A path of a package.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) content: Content,
    pub(crate) executable: bool,
    /// The mode in which [`PLACEHOLDER`] is replaced in it.
    pub(crate) placeholder: Option<FileMode>,
    /// Writes the path unchanged, even one that leaves the prefix.
    pub(crate) raw_path: bool,
    /// The bytes that `paths.json` describes, if they aren't the content.
    pub(crate) listed: Option<Bytes>,
}

impl Entry {
    pub(crate) fn new(path: impl Into<String>, content: Content) -> Self {
        Self {
            path: path.into(),
            content,
            executable: false,
            placeholder: None,
            raw_path: false,
            listed: None,
        }
    }

    pub(crate) fn bytes(path: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self::new(path, Content::Bytes(bytes.into()))
    }

    /// Opens the contents and returns their size. A symbolic link has no contents.
    pub(crate) fn open(&self) -> io::Result<(Box<dyn Read + '_>, u64)> {
        Ok(match &self.content {
            Content::Bytes(bytes) => (Box::new(&bytes[..]), bytes.len() as u64),
            Content::Disk(path) => {
                let file = fs_err::File::open(path)?;
                let size = file.metadata()?.len();
                (Box::new(file), size)
            }
            Content::Symlink(_) => (Box::new(io::empty()), 0),
        })
    }

    /// Returns the SHA-256 of the contents in hex, and their size.
    pub(crate) fn digest(&self) -> io::Result<(String, u64)> {
        let (reader, _) = self.open()?;
        let mut reader = HashingReader::<_, Sha256>::new(reader);
        let size = io::copy(&mut reader, &mut io::sink())?;
        Ok((hex::encode(reader.finalize().1), size))
    }
}
