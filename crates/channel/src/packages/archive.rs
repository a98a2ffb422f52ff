//! Downloads one archive from one source and checks it meanwhile; unpacks archives.

use std::path::Path;

use envlock_model::progress::{Event, Observer, Phase};
use rattler_conda_types::RepoDataRecord;
use rattler_conda_types::package::{CondaArchiveType, DistArchiveType};
use rattler_digest::Sha256Hash;
use rattler_package_streaming::{ExtractError, fs as unpack, read};
use tempfile::{NamedTempFile, TempPath};

use super::archive_writer::ArchiveWriter;
use crate::disk::{DiskError, WithPath, is_full};
use crate::failover::ScheduledRequest;
use crate::source_error::{DownloadError, SourceError};
use crate::transport::Transport;

/// The expected digest and size of an archive.
pub(crate) struct ExpectedArchive {
    pub(crate) sha256: Sha256Hash,
    /// The size in bytes, if the record has it.
    pub(crate) size: Option<u64>,
}

/// Downloads an archive and checks it against its record.
pub(crate) async fn download(
    transport: &Transport,
    request: ScheduledRequest<'_>,
    expected: &ExpectedArchive,
    file: NamedTempFile,
    observer: &dyn Observer,
) -> Result<TempPath, DownloadError> {
    let phase = Phase::Download;
    let mut got = 0;
    let result = receive(transport, request, expected, file, &mut |units| {
        got += units;
        observer.observe(Event::Advance { phase, units });
    })
    .await;
    if result.is_err() {
        // These bytes have to be downloaded again.
        observer.observe(Event::Expect { phase, units: got });
    }
    result
}

async fn receive(
    transport: &Transport,
    request: ScheduledRequest<'_>,
    expected: &ExpectedArchive,
    file: NamedTempFile,
    advance: &mut (dyn FnMut(u64) + Send),
) -> Result<TempPath, DownloadError> {
    let mut body = transport.get(&request.source.url, request.force).await?;
    let mut writer = ArchiveWriter::start(file);
    while let Some(chunk) = body.chunk().await? {
        let units = chunk.len() as u64;
        writer.write(chunk).await?;
        advance(units);
        if let Some(size) = expected.size.filter(|size| body.received > *size) {
            return Err(DownloadError::from(SourceError::WrongSize {
                expected: size,
                got: body.length.unwrap_or(body.received),
            }));
        }
    }
    let (path, sha256) = writer.finish().await?;
    if let Some(size) = expected.size.filter(|size| body.received != *size) {
        return Err(DownloadError::from(SourceError::WrongSize {
            expected: size,
            got: body.received,
        }));
    }
    if sha256 != expected.sha256 {
        let (expected, got) = (hex::encode(expected.sha256), hex::encode(sha256));
        return Err(DownloadError::from(SourceError::WrongChecksum { expected, got }));
    }
    Ok(path)
}

/// Why an archive with the right digest can't be unpacked.
#[derive(Debug)]
pub(crate) enum UnpackError {
    /// The archive isn't a package.
    NotAPackage(String),
    /// The disk is full, or permission is denied.
    Disk(DiskError),
}

/// Unpacks `archive` into the empty `folder`. Nothing is written outside of the folder: names
/// with `..` are skipped, absolute names are relative to the folder, and a path through a symlink
/// that leaves the folder is an error.
pub(crate) fn extract(
    archive: &Path,
    record: &RepoDataRecord,
    folder: &Path,
) -> Result<(), UnpackError> {
    let result = match record.identifier.archive_type {
        DistArchiveType::Conda(CondaArchiveType::TarBz2) => {
            unpack::extract_tar_bz2(archive, folder)
        }
        DistArchiveType::Conda(CondaArchiveType::Conda) => {
            match unpack::extract_conda(archive, folder) {
                // A zip with its sizes only at the end can't be read as a stream.
                Err(ExtractError::ZipError(_)) => {
                    let file = std::fs::File::open(archive)
                        .with_path(archive)
                        .map_err(UnpackError::Disk)?;
                    read::extract_conda_via_buffering(file, folder)
                }
                result => result,
            }
        }
        DistArchiveType::Wheel(_) => {
            return Err(UnpackError::NotAPackage("a wheel isn't a conda package".into()));
        }
    };
    match result {
        Ok(_) => super::store::check_unpacked(folder).map_err(UnpackError::NotAPackage),
        Err(ExtractError::IoError(error) | ExtractError::CouldNotCreateDestination(error))
            if is_full(&error) =>
        {
            Err(UnpackError::Disk(DiskError::new(folder, error)))
        }
        Err(error) => Err(UnpackError::NotAPackage(error.to_string())),
    }
}
