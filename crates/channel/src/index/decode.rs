//! From the pieces that arrive to a checked JSON file, on a thread of its own: nothing waits
//! for the last byte, and neither form is ever held in memory as a whole.

use std::io::{self, Read, Write};
use std::path::Path;

use bytes::{Buf, Bytes};
use envlock_report::size;
use fs_err as fs;
use rattler_conda_types::Subdir;
use rattler_digest::{HashingWriter, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::mpsc::Receiver;

use super::cache::Format;
use super::outline::{self, About};
use crate::disk::{At, DiskError};

/// The most bytes that an index may have unpacked: several times conda-forge's largest. A
/// compressed one of nothing but zeros would else fill the disk.
const MOST_BYTES: u64 = 2 << 30;

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
        Format::Json => copy(pieces, &mut writer, &path, MOST_BYTES),
        Format::Zst => {
            let decoder = zstd::stream::read::Decoder::new(pieces)
                .map_err(|error| Undecoded::Unreadable(error.to_string()))?;
            copy(decoder, &mut writer, &path, MOST_BYTES)
        }
    }?;
    let (_, sha256) = writer.finalize();
    let json = Bytes::from(fs::read(&path).at(&path).map_err(Undecoded::Disk)?);
    let about = outline::read(&json, subdir).map_err(Undecoded::Unreadable)?;
    Ok(Decoded { file: path, json, sha256: hex::encode(sha256), about })
}

/// As [`io::copy`], but it knows which side failed, and stops where it can be told that this
/// is no index.
fn copy(
    mut from: impl Read,
    to: &mut impl Write,
    path: &Path,
    most_bytes: u64,
) -> Result<(), Undecoded> {
    let unreadable = |why: String| Err(Undecoded::Unreadable(why));
    let mut buffer = vec![0; 256 * 1024];
    let (mut is_begun, mut left) = (false, most_bytes);
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
        let piece = &buffer[..read];
        if !is_begun && let Some(first) = piece.iter().find(|byte| !byte.is_ascii_whitespace()) {
            if *first != b'{' {
                return unreadable("it isn't a JSON object".into());
            }
            is_begun = true;
        }
        let Some(rest) = left.checked_sub(read as u64) else {
            return unreadable(format!("it is larger than {} unpacked", size(most_bytes)));
        };
        left = rest;
        to.write_all(piece).at(path).map_err(Undecoded::Disk)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of an index with this content, when 8 bytes are allowed; and what was
    /// written of it.
    fn said(content: &[u8]) -> (Option<String>, Vec<u8>) {
        let mut written = Vec::new();
        let why = match copy(content, &mut written, Path::new("x"), 8) {
            Ok(()) => None,
            Err(Undecoded::Unreadable(why)) => Some(why),
            Err(Undecoded::Disk(error)) => panic!("{error}"),
        };
        (why, written)
    }

    #[test]
    fn what_is_no_json_object_is_refused_at_its_first_byte() {
        for content in [&b"\0\0\0\0"[..], b"<html>", b"\n []"] {
            assert_eq!(said(content), (Some("it isn't a JSON object".into()), Vec::new()));
        }
        assert_eq!(said(b" \n{}"), (None, b" \n{}".to_vec()));
    }

    #[test]
    fn what_is_larger_than_any_index_is_not_written_to_the_end() {
        let (why, written) = said(b"{\"a\":  1}");
        assert_eq!(why.as_deref(), Some("it is larger than 8 B unpacked"));
        assert!(written.len() <= 8);
        assert_eq!(said(b"{\"a\":1 }").0, None);
    }
}
