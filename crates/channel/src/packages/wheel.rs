//! Unpacks a wheel into the layout of an unpacked conda package, so that it is linked, compiled,
//! recorded and verified as one.
//!
//! rattler makes the layout. It has no limit on what a wheel unpacks to and doesn't read the
//! metadata, so that both are checked before.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::str::FromStr as _;

use envlock_model::wheel::normalized;
use envlock_report::format_size;
use envlock_text::limits::{
    PYPI_PAGE_BYTES, UNPACKED_BYTES, UNPACKED_ENTRIES, UNPACKED_PATH, UNPACKED_RATIO,
};
use envlock_text::one_line;
use pep440_rs::Version;
use rattler_conda_types::RepoDataRecord;
use rattler_package_streaming::{ExtractError, fs::extract_wheel};
use zip::ZipArchive;

use super::unpack::{UnpackError, bad_zip, not_a_package, unreadable};
use crate::disk::WithPath as _;

/// Unpacks a wheel into the empty `folder`.
pub(super) fn unpack(
    archive: &Path,
    record: &RepoDataRecord,
    folder: &Path,
) -> Result<(), UnpackError> {
    let file = File::open(archive).with_path(archive)?;
    let length = file.metadata().with_path(archive)?.len();
    let limit = UNPACKED_BYTES.max(length.saturating_mul(UNPACKED_RATIO));
    let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| bad_zip(&error))?;
    check_size(&mut zip, limit)?;
    check_metadata(&mut zip, record)?;
    match extract_wheel(archive, folder, &record.package_record) {
        Ok(_) => Ok(()),
        Err(ExtractError::IoError(error)) => Err(super::unpack::fault(folder, error)),
        Err(error) => not_a_package(one_line(&error.to_string()).into_owned()),
    }
}

/// Reads every file of the wheel once, and stops at the limit: what the directory of a zip says
/// about sizes needn't be true.
fn check_size(zip: &mut ZipArchive<BufReader<File>>, limit: u64) -> Result<(), UnpackError> {
    if zip.len() > UNPACKED_ENTRIES {
        return not_a_package(format!("it has more than {UNPACKED_ENTRIES} files"));
    }
    let mut left = limit;
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(|error| bad_zip(&error))?;
        let name = entry.name().map_err(|error| bad_zip(&error))?;
        if name.len() > UNPACKED_PATH {
            return not_a_package(format!("a path has more than {UNPACKED_PATH} bytes"));
        }
        if entry.is_symlink() {
            return not_a_package(format!("`{}` is a symbolic link", one_line(&name)));
        }
        let read = io::copy(&mut entry.take(left + 1), &mut io::sink());
        let read = read.map_err(|error| unreadable(&error))?;
        left = match left.checked_sub(read) {
            Some(left) => left,
            None => {
                return not_a_package(format!("it unpacks to more than {}", format_size(limit)));
            }
        };
    }
    Ok(())
}

/// Checks that the metadata has the name and the version of the record.
fn check_metadata(
    zip: &mut ZipArchive<BufReader<File>>,
    record: &RepoDataRecord,
) -> Result<(), UnpackError> {
    let text = read_metadata(zip)?;
    let field = |name: &str| {
        let mut headers = text.lines().take_while(|line| !line.is_empty());
        let value = headers.find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        });
        value.unwrap_or_default().to_owned()
    };
    let (name, version) = (field("Name"), field("Version"));
    let package = &record.package_record;
    let expected = package.version.to_string();
    let is_version = match (Version::from_str(&version), Version::from_str(&expected)) {
        (Ok(found), Ok(expected)) => found == expected,
        _ => version == expected,
    };
    if normalized(&name) == normalized(package.name.as_source()) && is_version {
        return Ok(());
    }
    not_a_package(format!("its METADATA is that of {}", one_line(&format!("{name} {version}"))))
}

/// Returns the text of `….dist-info/METADATA`.
fn read_metadata(zip: &mut ZipArchive<BufReader<File>>) -> Result<String, UnpackError> {
    let mut found = None;
    for index in 0..zip.len() {
        let entry = zip.by_index(index).map_err(|error| bad_zip(&error))?;
        let name = entry.name().map_err(|error| bad_zip(&error))?;
        let mut parts = name.split('/');
        let is_metadata = parts.next().is_some_and(|folder| folder.ends_with(".dist-info"))
            && parts.next() == Some("METADATA")
            && parts.next().is_none();
        if is_metadata {
            found = Some(index);
        }
    }
    let Some(index) = found else { return not_a_package("it has no METADATA") };
    let entry = zip.by_index(index).map_err(|error| bad_zip(&error))?;
    let mut bytes = Vec::new();
    entry.take(PYPI_PAGE_BYTES).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
