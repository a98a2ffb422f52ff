//! Reads the chunks of a body as one stream, without its `Content-Encoding`. The HTTP library
//! would decode it without a limit on the result.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use bytes::{Buf, Bytes};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use tokio::sync::mpsc::Receiver;

/// The `Content-Encoding` of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentEncoding {
    /// The body is the file. Some servers name the compression that is part of the file itself,
    /// such as `zstd` or `bzip2`.
    None,
    /// The file in gzip.
    Gzip,
    /// The file in zlib.
    Deflate,
}

impl ContentEncoding {
    /// Parses the value of the header.
    pub(crate) fn parse(value: &[u8]) -> Self {
        match value.trim_ascii().to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Self::Gzip,
            b"deflate" => Self::Deflate,
            _ => Self::None,
        }
    }

    /// Returns a reader of the file in these chunks. The stream ends when the sender is dropped.
    pub(crate) fn reader(self, chunks: Receiver<Bytes>) -> BodyReader {
        let received = Rc::new(Cell::new(0));
        let chunks = ChunkReader { chunks, current: Bytes::new(), received: Rc::clone(&received) };
        let file: Box<dyn Read> = match self {
            Self::None => Box::new(chunks),
            Self::Gzip => Box::new(MultiGzDecoder::new(chunks)),
            Self::Deflate => Box::new(ZlibDecoder::new(chunks)),
        };
        BodyReader { file, received: Received(received) }
    }
}

/// A file while it is received.
pub(crate) struct BodyReader {
    /// The content.
    pub(crate) file: Box<dyn Read>,
    /// The number of bytes received for it so far.
    pub(crate) received: Received,
}

/// The number of bytes received so far, before they were decoded.
pub(crate) struct Received(Rc<Cell<u64>>);

impl Received {
    pub(crate) fn get(&self) -> u64 {
        self.0.get()
    }
}

/// Reads the chunks as one stream.
struct ChunkReader {
    chunks: Receiver<Bytes>,
    current: Bytes,
    received: Rc<Cell<u64>>,
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
        self.received.set(self.received.get() + length as u64);
        Ok(length)
    }
}

/// The text for data that can't be decompressed.
pub(crate) fn describe_decompress_error(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the compressed data is incomplete".into(),
        _ => format!("the compressed data is damaged ({error})"),
    }
}
