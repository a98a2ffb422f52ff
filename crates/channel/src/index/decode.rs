//! From the pieces that arrive to a checked JSON file, on a thread of its own: nothing waits
//! for the last byte, and neither form is ever held in memory as a whole.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use fs_err as fs;
use rattler_conda_types::Subdir;
use rattler_digest::{HashingWriter, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::mpsc::Receiver;

use super::cache::Format;
use super::outline::{self, About};
use crate::disk::{At, DiskError};
use crate::words::hex;

/// An index that is whole.
pub(crate) struct Decoded {
    pub(crate) file: TempPath,
    pub(crate) json: Bytes,
    pub(crate) sha256: String,
    pub(crate) about: About,
}

/// Why there is none.
pub(crate) enum Undecoded {
    /// What came is none, in words.
    Unreadable(String),
    /// It couldn't be written.
    Disk(DiskError),
}

/// Writes what arrives to `file`, decompressed, and checks it.
pub(crate) fn decode(
    pieces: Receiver<Bytes>,
    format: Format,
    subdir: Subdir,
    file: NamedTempFile,
) -> Result<Decoded, Undecoded> {
    let (mut file, path) = file.into_parts();
    let pieces = Pieces { pieces, current: Bytes::new() };
    let mut writer = HashingWriter::<_, Sha256>::new(&mut file);
    match format {
        Format::Json => copy(pieces, &mut writer, &path),
        Format::Zst => {
            let decoder = zstd::stream::read::Decoder::new(pieces)
                .map_err(|error| Undecoded::Unreadable(error.to_string()))?;
            copy(decoder, &mut writer, &path)
        }
    }?;
    let (_, sha256) = writer.finalize();
    let json = Bytes::from(fs::read(&path).at(&path).map_err(Undecoded::Disk)?);
    let about = outline::read(&json, subdir).map_err(Undecoded::Unreadable)?;
    Ok(Decoded { file: path, json, sha256: hex(&sha256), about })
}

/// As [`io::copy`], but it knows which side failed.
fn copy(mut from: impl Read, to: &mut impl Write, path: &std::path::Path) -> Result<(), Undecoded> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = from.read(&mut buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Undecoded::Unreadable("the compressed data ends in the middle".into())
            }
            _ => Undecoded::Unreadable(format!("the compressed data is damaged ({error})")),
        })?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..read]).at(path).map_err(Undecoded::Disk)?;
    }
}

/// The pieces as one stream; it ends where the sender is gone.
struct Pieces {
    pieces: Receiver<Bytes>,
    current: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.current = piece,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}
