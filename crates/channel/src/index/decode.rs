//! Decompresses and checks an index while it arrives, on its own thread. The compressed data is
//! never held in memory as a whole.

use std::io::{Read, Write};
use std::path::Path;

use bytes::Bytes;
use envlock_report::format_size;
use envlock_text::limits::{INDEX_BYTES, INDEX_RATIO, INDEX_RATIO_FROM};
use fs_err as fs;
use rattler_conda_types::Subdir;
use rattler_digest::{HashingWriter, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::mpsc::Receiver;

use super::cache::Format;
use super::lenient::{self, BYTE_ORDER_MARK};
use super::listing::Listing;
use super::summary::{self, IndexSummary};
use crate::body_reader::{BodyReader, ContentEncoding, Received, describe_decompress_error};
use crate::disk::{DiskError, WithPath};

/// The limits on an index. Without limits a compressed file of blanks could fill the disk.
const LIMITS: UnpackedLimits =
    UnpackedLimits { bytes: INDEX_BYTES, ratio: INDEX_RATIO, ratio_from: INDEX_RATIO_FROM };

/// The limits on an unpacked file.
#[derive(Clone, Copy)]
struct UnpackedLimits {
    /// The size in bytes.
    bytes: u64,
    /// How many times larger than the received data it may be, above `ratio_from`.
    ratio: u64,
    /// The size in bytes up to which it may have any ratio.
    ratio_from: u64,
}

/// A complete index.
pub(crate) struct Decoded {
    /// The file with the JSON; `None` if the cache can't be written.
    pub(crate) file: Option<TempPath>,
    pub(crate) listing: Listing,
    pub(crate) sha256: String,
    /// The size of the JSON in bytes, as in the file.
    pub(crate) size: u64,
    pub(crate) summary: IndexSummary,
}

impl UnpackedLimits {
    /// Returns the size that the file may have after this number of received bytes.
    fn size_after(self, received: u64) -> u64 {
        self.bytes.min(self.ratio_from.max(received.saturating_mul(self.ratio)))
    }
}

/// Why an index can't be decoded.
pub(crate) enum DecodeError {
    /// A web page that was compressed for the transfer.
    WebPage,
    /// The data isn't an index.
    Unreadable(String),
    /// The file can't be written.
    Disk(DiskError),
}

/// Decompresses the data into `file`, or into memory without one, and checks it.
pub(crate) fn decode(
    chunks: Receiver<Bytes>,
    encoding: ContentEncoding,
    format: Format,
    subdir: Subdir,
    file: Option<NamedTempFile>,
) -> Result<Decoded, DecodeError> {
    let body = encoding.reader(chunks);
    let (file, json, sha256) = if let Some(file) = file {
        let (mut file, path) = file.into_parts();
        let sha256 = decompress(body, format, &mut file, &path)?;
        let json = fs::read(&path).with_path(&path).map_err(DecodeError::Disk)?;
        (Some(path), json, sha256)
    } else {
        let mut json = Vec::new();
        let sha256 = decompress(body, format, &mut json, Path::new("memory"))?;
        (None, json, sha256)
    };
    let size = json.len() as u64;
    let json = lenient::text(json)
        .ok_or_else(|| DecodeError::Unreadable("not an index: it isn't UTF-8".into()))?;
    let listing = Listing::read(json, subdir).map_err(DecodeError::Unreadable)?;
    let summary = summary::summarize(&listing);
    Ok(Decoded { file, listing, sha256, size, summary })
}

/// Decompresses the data, and returns the SHA-256 digest of the result in hex.
fn decompress(
    body: BodyReader,
    format: Format,
    to: &mut impl Write,
    path: &Path,
) -> Result<String, DecodeError> {
    let mut writer = HashingWriter::<_, Sha256>::new(to);
    let BodyReader { file, received } = body;
    match format {
        Format::Json => copy(file, &received, LIMITS, &mut writer, path),
        Format::Zst => {
            let decoder = zstd::stream::read::Decoder::new(file)
                .map_err(|error| DecodeError::Unreadable(error.to_string()))?;
            copy(decoder, &received, LIMITS, &mut writer, path)
        }
    }?;
    let (_, sha256) = writer.finalize();
    Ok(hex::encode(sha256))
}

/// Copies as [`io::copy`], but distinguishes read from write errors, and stops at the first byte if
/// the data isn't a JSON object, and at the limits.
fn copy(
    mut from: impl Read,
    received: &Received,
    limits: UnpackedLimits,
    to: &mut impl Write,
    path: &Path,
) -> Result<(), DecodeError> {
    let unreadable = |why: String| Err(DecodeError::Unreadable(why));
    let mut buffer = vec![0; 256 * 1024];
    let (mut has_begun, mut total) = (false, 0);
    loop {
        let read = from
            .read(&mut buffer)
            .map_err(|error| DecodeError::Unreadable(describe_decompress_error(&error)))?;
        if read == 0 {
            return Ok(());
        }
        let chunk = &buffer[..read];
        let is_before = |byte: &u8| byte.is_ascii_whitespace() || BYTE_ORDER_MARK.contains(byte);
        if !has_begun && let Some(first) = chunk.iter().find(|byte| !is_before(byte)) {
            if *first == b'<' {
                return Err(DecodeError::WebPage);
            }
            if *first != b'{' {
                return unreadable("it isn't a JSON object".into());
            }
            has_begun = true;
        }
        total += read as u64;
        if total > limits.bytes {
            return unreadable(format!("it is larger than {} unpacked", format_size(limits.bytes)));
        }
        if total > limits.size_after(received.get()) {
            let ratio = limits.ratio;
            return unreadable(format!("it unpacks to more than {ratio} times its size"));
        }
        to.write_all(chunk).with_path(path).map_err(DecodeError::Disk)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copies with a limit of 8 bytes. Returns the error and what was written.
    fn copy_at_most_8_bytes(content: &[u8]) -> (Option<String>, Vec<u8>) {
        let limits = UnpackedLimits { bytes: 8, ratio: 1, ratio_from: 8 };
        copy_encoded(content, ContentEncoding::None, limits)
    }

    fn copy_encoded(
        received: &[u8],
        encoding: ContentEncoding,
        limits: UnpackedLimits,
    ) -> (Option<String>, Vec<u8>) {
        let (sender, chunks) = tokio::sync::mpsc::channel(received.len() + 1);
        for byte in received.chunks(100) {
            sender.try_send(Bytes::copy_from_slice(byte)).expect("room");
        }
        drop(sender);
        let BodyReader { file, received } = encoding.reader(chunks);
        let mut written = Vec::new();
        let why = match copy(file, &received, limits, &mut written, Path::new("x")) {
            Ok(()) => None,
            Err(DecodeError::Unreadable(why)) => Some(why),
            Err(DecodeError::WebPage) => Some("a web page".into()),
            Err(DecodeError::Disk(error)) => panic!("{error}"),
        };
        (why, written)
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn data_that_unpacks_to_many_times_its_size_is_not_written_to_the_end() {
        let bomb = gzip(&[&b"{"[..], &b" ".repeat(10_000_000)].concat());
        assert!(bomb.len() < 10_000_000 / 500);
        let limits = UnpackedLimits { bytes: 1 << 30, ratio: 50, ratio_from: 300_000 };
        let (why, written) = copy_encoded(&bomb, ContentEncoding::Gzip, limits);
        assert_eq!(why.as_deref(), Some("it unpacks to more than 50 times its size"));
        assert!(written.len() <= bomb.len() * 50, "{}", written.len());
        // Below the second limit any ratio is accepted.
        let small = [&b"{"[..], &b" ".repeat(290_000), b"}"].concat();
        assert_eq!(copy_encoded(&gzip(&small), ContentEncoding::Gzip, limits), (None, small));
    }

    #[test]
    fn a_body_is_read_without_its_content_encoding() {
        let text = b"{\"packages\":{}}";
        let limits = UnpackedLimits { bytes: 100, ratio: 1, ratio_from: 100 };
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(text).expect("memory");
        let deflated = zlib.finish().expect("memory");
        for (value, body) in [
            ("gzip", gzip(text)),
            (" X-GZIP", gzip(text)),
            ("deflate", deflated),
            ("identity", text.to_vec()),
            ("bzip2", text.to_vec()),
        ] {
            let encoding = ContentEncoding::parse(value.as_bytes());
            assert_eq!(copy_encoded(&body, encoding, limits), (None, text.to_vec()), "{value}");
        }
        let cut = &gzip(text)[..20];
        let (why, _) = copy_encoded(cut, ContentEncoding::Gzip, limits);
        assert_eq!(why.as_deref(), Some("the compressed data is incomplete"));
        let (why, _) = copy_encoded(&gzip(b" <html>"), ContentEncoding::Gzip, limits);
        assert_eq!(why.as_deref(), Some("a web page"));
    }

    #[test]
    fn data_that_is_no_json_object_is_refused_at_its_first_byte() {
        for content in [&b"\0\0\0\0"[..], b"\n []"] {
            assert_eq!(
                copy_at_most_8_bytes(content),
                (Some("it isn't a JSON object".into()), Vec::new())
            );
        }
        assert_eq!(copy_at_most_8_bytes(b" \n{}"), (None, b" \n{}".to_vec()));
        assert_eq!(copy_at_most_8_bytes(b"\xef\xbb\xbf{}").0, None);
    }

    #[test]
    fn data_above_the_limit_is_not_written_to_the_end() {
        let (why, written) = copy_at_most_8_bytes(b"{\"a\":  1}");
        assert_eq!(why.as_deref(), Some("it is larger than 8 B unpacked"));
        assert!(written.len() <= 8);
        assert_eq!(copy_at_most_8_bytes(b"{\"a\":1 }").0, None);
    }
}
