//! The metadata of an installed wheel that depends on the prefix: RECORD, INSTALLER and REQUESTED.
//!
//! pip and `importlib.metadata` read them. RECORD lists every file of the wheel as it is in the
//! prefix, with the scripts and the `.pyc` files that the install made.

use std::io;
use std::path::{Component, Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rattler::install::PythonInfo;
use rattler_conda_types::prefix_record::{PathType, PathsEntry};
use rattler_digest::{Sha256, compute_bytes_digest};

use crate::error::{InstallError, IoContext};
use crate::expected_metadata::ExpectedMetadata;
use crate::install_spec::InstallSpec;
use crate::stage::Linked;

/// The program that installed a wheel, as pip shows it.
const INSTALLER: &str = "envlock\n";

/// Writes the metadata of every wheel in `linked` into `staging`.
pub(crate) fn write(
    linked: &mut [Linked<'_>],
    staging: &Path,
    spec: &InstallSpec,
    python: Option<&PythonInfo>,
    expected: &mut ExpectedMetadata,
) -> Result<(), InstallError> {
    let Some(python) = python else { return Ok(()) };
    for package in linked.iter_mut().filter(|package| package.is_wheel()) {
        write_one(package, staging, spec, &python.site_packages_path, expected)
            .while_doing("write the metadata of a wheel")?;
    }
    Ok(())
}

fn write_one(
    package: &mut Linked<'_>,
    staging: &Path,
    spec: &InstallSpec,
    site_packages: &Path,
    expected: &mut ExpectedMetadata,
) -> io::Result<()> {
    let Some(folder) = dist_info(&package.paths, site_packages) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a wheel without RECORD"));
    };
    let mut files = Writer { staging, paths: &mut package.paths, expected };
    files.put(folder.join("INSTALLER"), INSTALLER.as_bytes())?;
    let name = package.package.record.package_record.name.as_normalized();
    if spec.requested_wheels.contains(name) {
        files.put(folder.join("REQUESTED"), b"")?;
    }
    let record = folder.join("RECORD");
    let text = record_text(files.paths, site_packages, &record)?;
    files.put(record, &text)?;
    package.paths.sort_by(|a, b| a.relative_path.cmp(&b.relative_path));
    Ok(())
}

/// Returns the directory `….dist-info` of a wheel, relative to the prefix.
fn dist_info(paths: &[PathsEntry], site_packages: &Path) -> Option<PathBuf> {
    let is_record = |path: &Path| {
        let folder = path.parent()?;
        let is_dist_info = folder.parent() == Some(site_packages)
            && folder.extension().is_some_and(|extension| extension == "dist-info")
            && path.file_name().is_some_and(|name| name == "RECORD");
        is_dist_info.then(|| folder.to_owned())
    };
    paths.iter().find_map(|entry| is_record(&entry.relative_path))
}

/// Formats RECORD: the path relative to `site_packages`, the digest and the size of each file.
fn record_text(paths: &[PathsEntry], site_packages: &Path, record: &Path) -> io::Result<Vec<u8>> {
    let mut rows: Vec<[String; 3]> = Vec::new();
    for entry in paths.iter().filter(|entry| entry.path_type != PathType::Directory) {
        let path = relative(&entry.relative_path, site_packages);
        let digest = entry.sha256_in_prefix.or(entry.sha256);
        let is_listed = entry.relative_path != record && entry.path_type != PathType::PycFile;
        let digest = digest.filter(|_| is_listed);
        let digest =
            digest.map(|digest| format!("sha256={}", BASE64_URL_SAFE_NO_PAD.encode(digest)));
        let size = entry.size_in_bytes.filter(|_| digest.is_some());
        let size = size.map(|size| size.to_string());
        rows.push([path, digest.unwrap_or_default(), size.unwrap_or_default()]);
    }
    rows.sort();
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

/// Returns a path relative to `site_packages`, with `/`. Both are relative to the prefix.
fn relative(path: &Path, site_packages: &Path) -> String {
    let parts = |path: &Path| -> Vec<String> {
        let names = path.components().filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        });
        names.collect()
    };
    let (path, base) = (parts(path), parts(site_packages));
    let shared = path.iter().zip(&base).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), base.len() - shared);
    up.chain(path[shared..].iter().cloned()).collect::<Vec<_>>().join("/")
}

/// Writes files of a wheel that aren't links to the cache.
struct Writer<'a> {
    staging: &'a Path,
    paths: &'a mut Vec<PathsEntry>,
    expected: &'a mut ExpectedMetadata,
}

impl Writer<'_> {
    /// Replaces a file, or adds it.
    fn put(&mut self, path: PathBuf, bytes: &[u8]) -> io::Result<()> {
        let place = self.staging.join(&path);
        // A new file: the old one is a hard link to the cache.
        match fs_err::remove_file(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs_err::write(&place, bytes)?;
        self.expected.set_mode(self.staging, &path, 0o666)?;
        let digest = compute_bytes_digest::<Sha256>(bytes);
        self.paths.retain(|entry| entry.relative_path != path);
        self.paths.push(PathsEntry {
            relative_path: path,
            original_path: None,
            path_type: PathType::HardLink,
            no_link: false,
            sha256: Some(digest),
            sha256_in_prefix: Some(digest),
            size_in_bytes: Some(bytes.len() as u64),
            file_mode: None,
            prefix_placeholder: None,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_record_start_at_site_packages() {
        let site = Path::new("lib/python3.10/site-packages");
        let of = |path| relative(Path::new(path), site);
        assert_eq!(of("lib/python3.10/site-packages/包/模.py"), "包/模.py");
        assert_eq!(of("bin/hvac"), "../../../bin/hvac");
        assert_eq!(of("lib/python3.10/x"), "../x");
        assert_eq!(of("share/a,b"), "../../../share/a,b");
    }
}
