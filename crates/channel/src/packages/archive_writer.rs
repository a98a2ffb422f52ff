//! Writes an archive while it is received, on a thread for blocking work: a slow disk must not block
//! the task that also handles Ctrl-C.

use std::io::{Read as _, Write as _};

use bytes::Bytes;
use futures::future::BoxFuture;
use rattler_digest::{HashingWriter, Sha256, Sha256Hash};
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::mpsc;

use crate::blocking::spawn_blocking;
use crate::body_reader::{ContentEncoding, describe_decompress_error};
use crate::disk::WithPath;
use crate::source_error::{DownloadError, SourceError};

/// The number of chunks that can wait for the disk.
const MAX_WAITING_CHUNKS: usize = 16;
/// The size of the buffer for the content, in bytes.
const BUFFER: usize = 128 * 1024;

/// Writes chunks to a file. If it is dropped, the file is removed.
pub(super) struct ArchiveWriter {
    chunks: mpsc::Sender<Bytes>,
    writing: BoxFuture<'static, Result<WrittenArchive, DownloadError>>,
}

/// The limit on the size of an archive.
#[derive(Clone, Copy)]
pub(super) enum SizeLimit {
    /// The size that its record has, in bytes, and the size that the source announced.
    Recorded { expected: u64, announced: Option<u64> },
    /// This number of bytes, because its record has no size.
    AnyArchive(u64),
}

impl SizeLimit {
    fn bytes(self) -> u64 {
        match self {
            Self::Recorded { expected: bytes, .. } | Self::AnyArchive(bytes) => bytes,
        }
    }

    fn error(self, size: u64) -> SourceError {
        match self {
            Self::Recorded { expected, announced } => {
                SourceError::WrongSize { expected, got: announced.unwrap_or(size) }
            }
            Self::AnyArchive(limit) => SourceError::TooLarge(limit),
        }
    }
}

/// An archive that was received to its end.
pub(super) struct WrittenArchive {
    pub(super) path: TempPath,
    pub(super) sha256: Sha256Hash,
    /// The size in bytes.
    pub(super) size: u64,
}

impl ArchiveWriter {
    /// Starts to write into an empty file. An archive that is larger than `limit` is an error.
    pub(super) fn start(file: NamedTempFile, encoding: ContentEncoding, limit: SizeLimit) -> Self {
        let (chunks, receiver) = mpsc::channel(MAX_WAITING_CHUNKS);
        let writing = spawn_blocking(move || write(file, encoding, limit, receiver));
        Self { chunks, writing: Box::pin(writing) }
    }

    /// Writes a chunk. Waits if the disk is slower than the source. Returns `false` if no more
    /// chunks are needed: [`ArchiveWriter::finish`] has the error.
    pub(super) async fn write(&mut self, chunk: Bytes) -> bool {
        self.chunks.send(chunk).await.is_ok()
    }

    /// Waits until everything is written, and the thread no longer uses the file.
    pub(super) async fn finish(self) -> Result<WrittenArchive, DownloadError> {
        let Self { chunks, writing } = self;
        drop(chunks);
        writing.await
    }
}

fn write(
    file: NamedTempFile,
    encoding: ContentEncoding,
    limit: SizeLimit,
    chunks: mpsc::Receiver<Bytes>,
) -> Result<WrittenArchive, DownloadError> {
    let (file, path) = file.into_parts();
    let mut writer = HashingWriter::<_, Sha256>::new(file);
    let mut body = encoding.reader(chunks).file;
    let (mut buffer, mut size) = (vec![0; BUFFER], 0);
    loop {
        let read = body
            .read(&mut buffer)
            .map_err(|error| SourceError::Unreadable(describe_decompress_error(&error)))?;
        if read == 0 {
            let (_, sha256) = writer.finalize();
            return Ok(WrittenArchive { path, sha256, size });
        }
        size += read as u64;
        if size > limit.bytes() {
            return Err(limit.error(size).into());
        }
        writer.write_all(&buffer[..read]).with_path(&path)?;
    }
}

#[cfg(test)]
mod tests {
    use rattler_digest::compute_bytes_digest;

    use super::*;

    #[tokio::test]
    async fn all_chunks_are_written_in_order_and_hashed() {
        let mut writer = ArchiveWriter::start(
            NamedTempFile::new().expect("a file"),
            ContentEncoding::None,
            SizeLimit::AnyArchive(10_000),
        );
        let mut all = Vec::new();
        for number in 0..100_u8 {
            all.extend([number; 100]);
            assert!(writer.write(Bytes::from(vec![number; 100])).await);
        }
        let Ok(WrittenArchive { path, sha256, size }) = writer.finish().await else {
            panic!("the archive is complete");
        };
        assert_eq!(size, 10_000);
        assert_eq!(fs_err::read(&path).expect("the file"), all);
        assert_eq!(sha256, compute_bytes_digest::<Sha256>(&all));
    }

    /// Writes `received` with this limit. Returns the error, or the size.
    async fn write_limited(
        received: &[u8],
        encoding: ContentEncoding,
        limit: SizeLimit,
    ) -> Result<u64, SourceError> {
        let mut writer =
            ArchiveWriter::start(NamedTempFile::new().expect("a file"), encoding, limit);
        for chunk in received.chunks(100) {
            if !writer.write(Bytes::copy_from_slice(chunk)).await {
                break;
            }
        }
        let written = writer.finish().await.map(|archive| archive.size);
        written.map_err(|error| match error {
            DownloadError::Source(error) => error,
            DownloadError::Disk(error) => panic!("{error}"),
        })
    }

    #[tokio::test]
    async fn an_archive_is_not_written_above_its_limit_whatever_it_is_compressed_to() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&b"x".repeat(1_000_000)).expect("memory");
        let gzip = encoder.finish().expect("memory");
        let plain = vec![b'x'; 1_000_000];
        for (received, encoding) in
            [(&plain, ContentEncoding::None), (&gzip, ContentEncoding::Gzip)]
        {
            let any = SizeLimit::AnyArchive(5_000);
            let result = write_limited(received, encoding, any).await;
            assert_eq!(result, Err(SourceError::TooLarge(5_000)));
            let recorded = SizeLimit::Recorded { expected: 999, announced: Some(1_000_000) };
            let result = write_limited(received, encoding, recorded).await;
            assert_eq!(result, Err(SourceError::WrongSize { expected: 999, got: 1_000_000 }));
            let exact = SizeLimit::Recorded { expected: 1_000_000, announced: None };
            assert_eq!(write_limited(received, encoding, exact).await, Ok(1_000_000));
        }
        let result =
            write_limited(&gzip[..500], ContentEncoding::Gzip, SizeLimit::AnyArchive(u64::MAX));
        let incomplete = SourceError::Unreadable("the compressed data is incomplete".into());
        assert_eq!(result.await, Err(incomplete));
    }

    #[tokio::test]
    async fn an_error_of_the_disk_is_returned() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs_err::write(&path, "").expect("a file");
        // Writes to a file that is open for reading fail.
        let file = std::fs::File::open(&path).expect("the file");
        let path = TempPath::try_from_path(&path).expect("a path");
        let mut writer = ArchiveWriter::start(
            NamedTempFile::from_parts(file, path),
            ContentEncoding::None,
            SizeLimit::AnyArchive(u64::MAX),
        );
        while writer.write(Bytes::from_static(b"x")).await {}
        assert!(matches!(writer.finish().await, Err(DownloadError::Disk(_))));
    }
}
