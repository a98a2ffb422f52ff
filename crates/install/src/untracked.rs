//! What the last install didn't create: files that no record has (from `pip install`, notes,
//! data), and packages that another tool has installed since.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use envlock_report::Finding;
use rattler_conda_types::PrefixRecord;

use crate::error::{InstallError, IoContext, count};
use crate::meta::{is_record, record_file_name};
use crate::prefix_paths::is_not_found;
use crate::state::InstallRecord;
use crate::trusted::read_bounded;

/// The maximum number of bytes of a package's record: some 300 for each file.
const MAX_RECORD_BYTES: u64 = 512_000_000;

/// Files and packages in a prefix that the last install didn't create.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Untracked {
    /// Files that no record has, relative to the prefix, sorted.
    pub files: Vec<PathBuf>,
    /// Python distributions among them, as `name version`.
    pub distributions: Vec<String>,
    /// Packages that another tool has installed since, as `name-version-build`.
    pub packages: Vec<String>,
}

impl Untracked {
    /// Combines `files`, which no record has, with the packages of `records` that
    /// `install_record` doesn't list.
    pub(crate) fn new(
        files: Vec<PathBuf>,
        records: &[PrefixRecord],
        install_record: Option<&InstallRecord>,
    ) -> Self {
        let distributions: BTreeSet<String> =
            files.iter().filter_map(|file| distribution(file)).collect();
        let names = records.iter().map(record_file_name);
        let packages = install_record.map_or_else(Vec::new, |install_record| {
            names
                .filter(|name| !install_record.has_record(name))
                .filter_map(|name| Some(name.rsplit_once('.')?.0.to_owned()))
                .collect()
        });
        Self { files, distributions: distributions.into_iter().collect(), packages }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.packages.is_empty()
    }

    /// Returns the numbers in words: `3 files and 1 package`.
    pub fn summary(&self) -> String {
        let parts = [(self.files.len(), "file"), (self.packages.len(), "package")];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, what)| count(number, what))
            .collect();
        parts.join(" and ")
    }

    /// Adds notes with all files, distributions and packages to a finding.
    #[must_use]
    pub fn name_in(&self, mut finding: Finding) -> Finding {
        if !self.files.is_empty() {
            let files = self.files.iter().map(|file| file.display().to_string());
            finding = finding.with_list("of no package:", files);
        }
        if !self.distributions.is_empty() {
            finding.add_note(format!(
                "{} that pip or another tool installed: {}",
                count(self.distributions.len(), "Python package"),
                self.distributions.join(", ")
            ));
        }
        if !self.packages.is_empty() {
            let packages = self.packages.join(", ");
            finding.add_note(format!("installed by another tool since: {packages}"));
        }
        finding
    }
}

/// Returns `numpy 1.24.3` for a file in `numpy-1.24.3.dist-info/`.
fn distribution(file: &Path) -> Option<String> {
    file.components().find_map(|component| {
        let name = component.as_os_str().to_str()?;
        let stem = name.strip_suffix(".dist-info").or_else(|| name.strip_suffix(".egg-info"))?;
        Some(stem.replacen('-', " ", 1))
    })
}

/// Reads the records in `conda-meta`. Returns them sorted by name.
pub(crate) fn records(prefix: &Path) -> Result<Vec<PrefixRecord>, InstallError> {
    let entries = match fs_err::read_dir(prefix.join("conda-meta")) {
        Ok(entries) => entries,
        Err(error) if is_not_found(&error) => return Ok(Vec::new()),
        Err(source) => return Err(InstallError::Io { action: "list conda-meta", source }),
    };
    let mut records: Vec<PrefixRecord> = Vec::new();
    for entry in entries {
        let path = entry.while_doing("list conda-meta")?.path();
        if is_record(&path) {
            let record = read_bounded(&path, MAX_RECORD_BYTES).and_then(|bytes| {
                let bytes = bytes.ok_or(io::ErrorKind::NotFound)?;
                Ok(serde_json::from_slice(&bytes)?)
            });
            records.push(record.map_err(|source| InstallError::UnreadableRecord { path, source })?);
        }
    }
    records.sort_by(|a, b| a.name().as_normalized().cmp(b.name().as_normalized()));
    Ok(records)
}

/// The result of [`find_untracked`].
#[derive(Debug, Default)]
pub(crate) struct UntrackedSearch {
    /// The files that no record has, relative to the prefix, sorted.
    pub(crate) files: Vec<PathBuf>,
    /// Directories that can't be read.
    pub(crate) unreadable: Vec<(PathBuf, io::Error)>,
}

impl UntrackedSearch {
    /// Returns the files, or an error if a directory could not be read.
    pub(crate) fn all(self) -> io::Result<Vec<PathBuf>> {
        match self.unreadable.into_iter().next() {
            None => Ok(self.files),
            Some((path, error)) => {
                let text = format!("`{}`: {error}", path.display());
                Err(io::Error::new(error.kind(), text))
            }
        }
    }
}

/// Searches a prefix for files that neither a record nor `made` (the files of post-link scripts)
/// has.
///
/// Not among them: what installers keep in `conda-meta`, and the `.pyc` files that Python
/// writes next to sources that are known.
pub(crate) fn find_untracked(
    prefix: &Path,
    records: &[PrefixRecord],
    made: &[PathBuf],
) -> UntrackedSearch {
    let known: HashSet<&Path> = records
        .iter()
        .flat_map(|record| &record.paths_data.paths)
        .map(|entry| entry.relative_path.as_path())
        .chain(records.iter().flat_map(|record| record.files.iter().map(PathBuf::as_path)))
        .chain(made.iter().map(PathBuf::as_path))
        .collect();
    let is_known = |path: &Path| {
        known.contains(path)
            || source_of(path).is_some_and(|source| known.contains(source.as_path()))
    };
    let mut untracked = UntrackedSearch::default();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        match listed(&prefix.join(&folder)) {
            Ok(entries) => {
                for (name, is_folder) in entries {
                    let path = folder.join(name);
                    match is_folder {
                        _ if is_installers(&path) => {}
                        true => folders.push(path),
                        false if is_known(&path) => {}
                        false => untracked.files.push(path),
                    }
                }
            }
            Err(error) => untracked.unreadable.push((folder, error)),
        }
    }
    untracked.files.sort();
    untracked
}

/// Returns the names in a directory, each with whether it is a directory.
fn listed(folder: &Path) -> io::Result<Vec<(OsString, bool)>> {
    std::fs::read_dir(folder)?
        .map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?.is_dir()))))
        .collect()
}

/// Whether a path is an installer's: `conda-meta`, or the tag that keeps a prefix out of backups,
/// which rattler writes.
fn is_installers(path: &Path) -> bool {
    path == Path::new("conda-meta") || path == Path::new("CACHEDIR.TAG")
}

/// Returns the source of a `.pyc` file: `a/b.py` for `a/__pycache__/b.cpython-310.pyc` and
/// `a/b.pyc`.
fn source_of(path: &Path) -> Option<PathBuf> {
    if path.extension() != Some(OsStr::new("pyc")) {
        return None;
    }
    let folder = path.parent()?;
    let module = path.file_name()?.to_str()?.split('.').next()?;
    let folder = if folder.ends_with("__pycache__") { folder.parent()? } else { folder };
    Some(folder.join(format!("{module}.py")))
}

#[cfg(test)]
mod tests {
    use envlock_report::Code;

    use super::*;

    #[test]
    fn a_pyc_knows_its_source() {
        let of = |path: &str| source_of(Path::new(path)).map(|path| path.display().to_string());
        assert_eq!(of("a/__pycache__/b.cpython-310.opt-1.pyc").as_deref(), Some("a/b.py"));
        assert_eq!(of("a/b.pyc").as_deref(), Some("a/b.py"));
        assert_eq!(of("a/b.py"), None);
    }

    #[test]
    fn all_files_are_named_and_distributions_are_grouped() {
        let site = Path::new("lib/python3.10/site-packages");
        let mut files: Vec<PathBuf> = (0..12).map(|n| site.join(format!("x/{n:02}.py"))).collect();
        files.push(site.join("my_tool-1.0.dist-info/RECORD"));
        files.push(site.join("my_tool-1.0.dist-info/METADATA"));
        let finding = Finding::new(Code::UntrackedFiles, "x");
        let notes = Untracked::new(files, &[], None).name_in(finding).notes;
        assert_eq!(notes[0].lines().count(), 15);
        assert_eq!(notes[1], "1 Python package that pip or another tool installed: my_tool 1.0");
    }
}
