//! Downloads one archive from one source and checks it meanwhile; checks what was unpacked.

use std::io;
use std::path::{Component, Path};

use envlock_model::progress::{Event, Observer, Phase};
use envlock_text::limits::ARCHIVE_BYTES;
use envlock_text::one_line;
use rattler_conda_types::RepoDataRecord;
use rattler_conda_types::package::{
    DistArchiveType, IndexJson, PackageFile as _, PathType, PathsJson,
};
use rattler_digest::Sha256Hash;
use tempfile::{NamedTempFile, TempPath};

use super::archive_writer::{ArchiveWriter, SizeLimit, WrittenArchive};
use super::unpack::{UnpackError, unpack};
use super::unpacked_files::UnpackedFiles;
use super::wheel;
use crate::body::Body;
use crate::body_reader::ContentEncoding;
use crate::disk::DiskError;
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
    let limit = match expected.size {
        Some(expected) => {
            let announced = body.length.filter(|_| body.encoding == ContentEncoding::None);
            SizeLimit::Recorded { expected, announced }
        }
        None if body.length.is_some_and(|length| length > ARCHIVE_BYTES) => {
            return Err(DownloadError::from(SourceError::TooLarge(ARCHIVE_BYTES)));
        }
        None => SizeLimit::AnyArchive(ARCHIVE_BYTES),
    };
    let mut writer = ArchiveWriter::start(file, body.encoding, limit);
    let received = send_to_writer(&mut body, &mut writer, advance).await;
    let written = writer.finish().await;
    received?;
    let WrittenArchive { path, sha256, size } = written?;
    // Compressed data is shorter than what the progress expects.
    advance(size.saturating_sub(body.received));
    if let Some(expected) = expected.size.filter(|expected| size != *expected) {
        return Err(DownloadError::from(SourceError::WrongSize { expected, got: size }));
    }
    if sha256 != expected.sha256 {
        let (expected, got) = (hex::encode(expected.sha256), hex::encode(sha256));
        return Err(DownloadError::from(SourceError::WrongChecksum { expected, got }));
    }
    Ok(path)
}

/// Sends the chunks to the writer until the last one, or until the writer stops with its own error.
async fn send_to_writer(
    body: &mut Body,
    writer: &mut ArchiveWriter,
    advance: &mut (dyn FnMut(u64) + Send),
) -> Result<(), SourceError> {
    while let Some(chunk) = body.chunk().await? {
        let units = chunk.len() as u64;
        if !writer.write(chunk).await {
            break;
        }
        advance(units);
    }
    Ok(())
}

/// Unpacks `archive` into the empty `folder`, and checks that it is the package of `record`.
pub(crate) fn extract(
    archive: &Path,
    record: &RepoDataRecord,
    folder: &Path,
) -> Result<UnpackedFiles, UnpackError> {
    match record.identifier.archive_type {
        DistArchiveType::Conda(conda) => unpack(archive, conda, folder)?,
        DistArchiveType::Wheel(_) => wheel::unpack(archive, record, folder)?,
    }
    check_identity(record, folder)?;
    check_paths(folder)?;
    Ok(UnpackedFiles::create(folder)?)
}

/// Checks that a package has the name, the version and the build of its record: a record is what
/// the solver and the lock know of a package.
fn check_identity(record: &RepoDataRecord, folder: &Path) -> Result<(), UnpackError> {
    let index = IndexJson::from_package_directory(folder)
        .map_err(|error| UnpackError::NotAPackage(format!("info/index.json: {error}")))?;
    let package = &record.package_record;
    if index.name == package.name
        && index.version == package.version
        && index.build == package.build
    {
        return Ok(());
    }
    let found = format!("{}-{}-{}", index.name.as_source(), index.version, index.build);
    Err(UnpackError::NotAPackage(format!("it has the package {}", one_line(&found))))
}

/// Checks that a package has every file that it lists, and that each is in its folder.
fn check_paths(folder: &Path) -> Result<(), UnpackError> {
    let malformed = |why: String| Err(UnpackError::NotAPackage(why));
    let paths = PathsJson::from_package_directory_with_deprecated_fallback(folder)
        .map_err(|error| UnpackError::NotAPackage(format!("its list of files: {error}")))?;
    for entry in paths.paths {
        let path = &entry.relative_path;
        let shown = || one_line(&path.to_string_lossy()).into_owned();
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return malformed(format!("`{}` leads out of its folder", shown()));
        }
        match std::fs::symlink_metadata(folder.join(path)) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(DiskError::new(&folder.join(path), error).into());
            }
            // Archives need no entry for an empty folder.
            Err(_) if entry.path_type != PathType::Directory => {
                return malformed(format!("`{}` is missing", shown()));
            }
            _ => {}
        }
    }
    Ok(())
}
