//! Writes an archive while it arrives, on a thread for blocking work: a slow disk must not block
//! the task that also handles Ctrl-C.

use std::io::Write;

use bytes::Bytes;
use futures::future::BoxFuture;
use rattler_digest::{HashingWriter, Sha256, Sha256Hash};
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::mpsc;

use crate::blocking::spawn_blocking;
use crate::disk::{DiskError, WithPath};

/// The number of chunks that can wait for the disk.
const MAX_WAITING_CHUNKS: usize = 16;

/// Writes chunks to a file. If it is dropped, the file is removed.
pub(super) struct ArchiveWriter {
    chunks: mpsc::Sender<Bytes>,
    writing: BoxFuture<'static, Result<(TempPath, Sha256Hash), DiskError>>,
}

impl ArchiveWriter {
    /// Starts to write into an empty file.
    pub(super) fn start(file: NamedTempFile) -> Self {
        let (chunks, receiver) = mpsc::channel(MAX_WAITING_CHUNKS);
        let writing = spawn_blocking(move || write(file, receiver));
        Self { chunks, writing: Box::pin(writing) }
    }

    /// Writes a chunk. Waits if the disk is slower than the source.
    pub(super) async fn write(&mut self, chunk: Bytes) -> Result<(), DiskError> {
        if self.chunks.send(chunk).await.is_ok() {
            return Ok(());
        }
        // The thread ends before the last chunk only with an error.
        (&mut self.writing).await.map(drop)
    }

    /// Waits until everything is written. Returns the file and its digest.
    pub(super) async fn finish(self) -> Result<(TempPath, Sha256Hash), DiskError> {
        let Self { chunks, writing } = self;
        drop(chunks);
        writing.await
    }
}

fn write(
    file: NamedTempFile,
    mut chunks: mpsc::Receiver<Bytes>,
) -> Result<(TempPath, Sha256Hash), DiskError> {
    let (file, path) = file.into_parts();
    let mut writer = HashingWriter::<_, Sha256>::new(file);
    while let Some(chunk) = chunks.blocking_recv() {
        writer.write_all(&chunk).with_path(&path)?;
    }
    let (_, sha256) = writer.finalize();
    Ok((path, sha256))
}

#[cfg(test)]
mod tests {
    use rattler_digest::compute_bytes_digest;

    use super::*;

    #[tokio::test]
    async fn all_chunks_are_written_in_order_and_hashed() {
        let mut writer = ArchiveWriter::start(NamedTempFile::new().expect("a file"));
        let mut all = Vec::new();
        for number in 0..100_u8 {
            all.extend([number; 100]);
            writer.write(Bytes::from(vec![number; 100])).await.expect("room");
        }
        let (path, sha256) = writer.finish().await.expect("room");
        assert_eq!(fs_err::read(&path).expect("the file"), all);
        assert_eq!(sha256, compute_bytes_digest::<Sha256>(&all));
    }

    #[tokio::test]
    async fn an_error_of_the_disk_is_returned() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        fs_err::write(&path, "").expect("a file");
        // Writes to a file that is open for reading fail.
        let file = std::fs::File::open(&path).expect("the file");
        let path = TempPath::try_from_path(&path).expect("a path");
        let mut writer = ArchiveWriter::start(NamedTempFile::from_parts(file, path));
        let mut result = Ok(());
        while result.is_ok() {
            result = writer.write(Bytes::from_static(b"x")).await;
        }
        assert!(result.is_err());
    }
}
