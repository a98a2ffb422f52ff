//! Decompresses and checks an index while it arrives, on its own thread. The compressed data is
//! never held in memory as a whole.

use std::io::{self, Read, Write};
use std::path::Path;

use bytes::{Buf, Bytes};
use envlock_report::format_size;
use fs_err as fs;
use rattler_conda_types::Subdir;
use rattler_digest::{HashingWriter, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::mpsc::Receiver;

use super::cache::Format;
use super::listing::Listing;
use super::summary::{self, IndexSummary};
use crate::disk::{DiskError, WithPath};

/// The maximum size of an index in bytes: several times conda-forge's largest. Without a limit a
/// compressed file of zeros could fill the disk.
const MAX_BYTES: u64 = 2 << 30;

/// A complete index.
pub(crate) struct Decoded {
    /// The file with the JSON; `None` if the cache can't be written.
    pub(crate) file: Option<TempPath>,
    pub(crate) listing: Listing,
    pub(crate) sha256: String,
    pub(crate) summary: IndexSummary,
}

/// Why an index can't be decoded.
pub(crate) enum DecodeError {
    /// The data isn't an index.
    Unreadable(String),
    /// The file can't be written.
    Disk(DiskError),
}

/// Decompresses the data into `file`, or into memory without one, and checks it.
pub(crate) fn decode(
    chunks: Receiver<Bytes>,
    format: Format,
    subdir: Subdir,
    file: Option<NamedTempFile>,
) -> Result<Decoded, DecodeError> {
    let chunks = ChunkReader { chunks, current: Bytes::new() };
    let (file, json, sha256) = if let Some(file) = file {
        let (mut file, path) = file.into_parts();
        let sha256 = decompress(chunks, format, &mut file, &path)?;
        let json = fs::read(&path).with_path(&path).map_err(DecodeError::Disk)?;
        (Some(path), json, sha256)
    } else {
        let mut json = Vec::new();
        let sha256 = decompress(chunks, format, &mut json, Path::new("memory"))?;
        (None, json, sha256)
    };
    let json = String::from_utf8(json)
        .map_err(|_| DecodeError::Unreadable("not an index: it isn't UTF-8".into()))?;
    let listing = Listing::read(json, subdir).map_err(DecodeError::Unreadable)?;
    let summary = summary::summarize(&listing);
    Ok(Decoded { file, listing, sha256, summary })
}

/// Decompresses the data, and returns the SHA-256 digest of the result in hex.
fn decompress(
    chunks: ChunkReader,
    format: Format,
    to: &mut impl Write,
    path: &Path,
) -> Result<String, DecodeError> {
    let mut writer = HashingWriter::<_, Sha256>::new(to);
    match format {
        Format::Json => copy(chunks, &mut writer, path, MAX_BYTES),
        Format::Zst => {
            let decoder = zstd::stream::read::Decoder::new(chunks)
                .map_err(|error| DecodeError::Unreadable(error.to_string()))?;
            copy(decoder, &mut writer, path, MAX_BYTES)
        }
    }?;
    let (_, sha256) = writer.finalize();
    Ok(hex::encode(sha256))
}

/// Copies as [`io::copy`], but distinguishes read from write errors, and stops at the first byte if
/// the data isn't a JSON object.
fn copy(
    mut from: impl Read,
    to: &mut impl Write,
    path: &Path,
    max_bytes: u64,
) -> Result<(), DecodeError> {
    let unreadable = |why: String| Err(DecodeError::Unreadable(why));
    let mut buffer = vec![0; 256 * 1024];
    let (mut has_begun, mut left) = (false, max_bytes);
    loop {
        let read = from.read(&mut buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                DecodeError::Unreadable("the compressed data is incomplete".into())
            }
            _ => DecodeError::Unreadable(format!("the compressed data is damaged ({error})")),
        })?;
        if read == 0 {
            return Ok(());
        }
        let chunk = &buffer[..read];
        if !has_begun && let Some(first) = chunk.iter().find(|byte| !byte.is_ascii_whitespace()) {
            if *first != b'{' {
                return unreadable("it isn't a JSON object".into());
            }
            has_begun = true;
        }
        let Some(rest) = left.checked_sub(read as u64) else {
            return unreadable(format!("it is larger than {} unpacked", format_size(max_bytes)));
        };
        left = rest;
        to.write_all(chunk).with_path(path).map_err(DecodeError::Disk)?;
    }
}

/// Reads the chunks as one stream. It ends when the sender is dropped.
struct ChunkReader {
    chunks: Receiver<Bytes>,
    current: Bytes,
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.current = chunk,
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

    /// Copies with a limit of 8 bytes. Returns the error and what was written.
    fn copy_at_most_8_bytes(content: &[u8]) -> (Option<String>, Vec<u8>) {
        let mut written = Vec::new();
        let why = match copy(content, &mut written, Path::new("x"), 8) {
            Ok(()) => None,
            Err(DecodeError::Unreadable(why)) => Some(why),
            Err(DecodeError::Disk(error)) => panic!("{error}"),
        };
        (why, written)
    }

    #[test]
    fn data_that_is_no_json_object_is_refused_at_its_first_byte() {
        for content in [&b"\0\0\0\0"[..], b"<html>", b"\n []"] {
            assert_eq!(
                copy_at_most_8_bytes(content),
                (Some("it isn't a JSON object".into()), Vec::new())
            );
        }
        assert_eq!(copy_at_most_8_bytes(b" \n{}"), (None, b" \n{}".to_vec()));
    }

    #[test]
    fn data_above_the_limit_is_not_written_to_the_end() {
        let (why, written) = copy_at_most_8_bytes(b"{\"a\":  1}");
        assert_eq!(why.as_deref(), Some("it is larger than 8 B unpacked"));
        assert!(written.len() <= 8);
        assert_eq!(copy_at_most_8_bytes(b"{\"a\":1 }").0, None);
    }
}
