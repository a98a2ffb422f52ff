//! Compares every file of a prefix with its record.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use envlock_model::progress::{Event, Observer, Outcome, Phase};
use envlock_report::{AsFindings, Code, Exit, Finding};
use rattler_conda_types::PrefixRecord;
use rattler_conda_types::prefix_record::{PathType, PathsEntry};
use rattler_digest::{Sha256, Sha256Hash};
use thiserror::Error;

use crate::difference::{DifferenceKind, FileDifference};
use crate::error::InstallError;
use crate::meta::{FileList, permissions};
use crate::prefix_lock::ReadLock;
use crate::prefix_paths::is_not_found;
use crate::state::{InstallRecord, state};
use crate::untracked::{find_untracked, records};
use crate::unusable::UnusableEnvironment;

/// The permissions of the group and of others to write.
const OTHERS_WRITE: u32 = 0o022;

/// Why a prefix can't be compared.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// There is no environment that can be compared.
    #[error(transparent)]
    Environment(#[from] UnusableEnvironment),
    /// The path can't be a prefix, or a package's record can't be read.
    #[error(transparent)]
    Prefix(#[from] InstallError),
    /// envlock's list of files can't be read.
    #[error("can't read a file of the environment: {0}")]
    Unreadable(#[source] io::Error),
}

impl AsFindings for VerifyError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Environment(error) => error.findings(),
            Self::Prefix(error) => error.findings(),
            Self::Unreadable(_) => vec![Finding::new(Code::PrefixIoError, self.to_string())],
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Environment(error) => error.exit(),
            Self::Prefix(error) => error.exit(),
            Self::Unreadable(_) => Exit::Undetermined,
        }
    }
}

/// What was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The number of packages with a record.
    pub packages: usize,
    /// The number of paths in the records.
    pub files: usize,
    /// What differs, sorted by path; empty means that nothing does.
    pub differences: Vec<FileDifference>,
}

/// Compares every file of the environment at `prefix` with its record, `jobs` at a time. One
/// that can't be read is a difference too, and the others are still compared.
///
/// Waits while an install is at work in the prefix.
///
/// A `.pyc` file that Python wrote next to a recorded source is no difference. Modes and the
/// targets of links are compared in environments that envlock made; conda records neither.
pub fn verify(
    prefix: &Path,
    jobs: usize,
    observer: &dyn Observer,
) -> Result<Verified, VerifyError> {
    let _lock = ReadLock::acquire_blocking(prefix, observer)?;
    UnusableEnvironment::check(prefix, state(prefix)?)?;
    let records = records(prefix)?;
    let files = FileList::read(prefix).map_err(VerifyError::Unreadable)?;
    let expected = Expected::new(prefix, &files).map_err(VerifyError::Unreadable)?;
    let work: Vec<(&str, &PathsEntry)> = records
        .iter()
        .flat_map(|record| {
            let name = record.name().as_normalized();
            record.paths_data.paths.iter().map(move |entry| (name, entry))
        })
        .collect();
    let units = work.iter().filter_map(|(_, entry)| entry.size_in_bytes).sum();
    observer.observe(Event::Expect { phase: Phase::Verify, units });
    let mut differences = compare_all(&work, &expected, jobs, observer);
    let extra = find_untracked(prefix, &records, &files.made_by_scripts);
    let untracked_path = |path, kind| FileDifference { path, package: None, kind };
    differences.extend(
        extra.files.into_iter().map(|path| untracked_path(path, DifferenceKind::Untracked)),
    );
    differences.extend(
        extra.unreadable.into_iter().map(|(path, error)| untracked_path(path, unreadable(&error))),
    );
    differences.extend(directory_differences(prefix, &records, &files));
    differences.extend(record_differences(prefix).map_err(VerifyError::Unreadable)?);
    differences.sort_by(|a, b| a.path.cmp(&b.path));
    let untracked = differences.iter().filter(|d| d.kind == DifferenceKind::Untracked).count();
    observer.observe(Event::Done(Outcome::PrefixVerified {
        files: work.len(),
        different: differences.len() - untracked,
        untracked,
    }));
    Ok(Verified { packages: records.len(), files: work.len(), differences })
}

/// Returns the directories of packages that others may write to, though the install made them
/// otherwise.
fn directory_differences(
    prefix: &Path,
    records: &[PrefixRecord],
    files: &FileList,
) -> Vec<FileDifference> {
    let Some(expected) = files.directory_mode() else { return Vec::new() };
    let paths = records.iter().flat_map(|record| &record.paths_data.paths);
    let directories: BTreeSet<&Path> =
        paths.flat_map(|entry| entry.relative_path.ancestors().skip(1)).collect();
    let difference = |path: &Path| {
        let found = std::fs::symlink_metadata(prefix.join(path)).ok()?;
        let mode = permissions(&found);
        let is_open = found.is_dir() && mode & !expected & OTHERS_WRITE != 0;
        let kind = DifferenceKind::Mode { expected, found: mode };
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        is_open.then(|| FileDifference { path: path.to_owned(), package: None, kind })
    };
    directories.into_iter().filter_map(difference).collect()
}

/// Returns the records of packages that the install didn't write, or that were changed or removed
/// since.
fn record_differences(prefix: &Path) -> io::Result<Vec<FileDifference>> {
    let Some(record) = InstallRecord::read(prefix)? else { return Ok(Vec::new()) };
    let differences = record.compare_records(prefix)?.into_iter().map(|(name, kind)| {
        FileDifference { path: Path::new("conda-meta").join(name), package: None, kind }
    });
    Ok(differences.collect())
}

fn unreadable(error: &io::Error) -> DifferenceKind {
    DifferenceKind::Unreadable { reason: error.to_string() }
}

fn compare_all(
    work: &[(&str, &PathsEntry)],
    expected: &Expected<'_>,
    jobs: usize,
    observer: &dyn Observer,
) -> Vec<FileDifference> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some((package, entry)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = expected.compare(entry);
                    let units = entry.size_in_bytes.unwrap_or_default();
                    observer.observe(Event::Advance { phase: Phase::Verify, units });
                    let kind = result.unwrap_or_else(|error| Some(unreadable(&error)));
                    let Some(kind) = kind else { continue };
                    let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    found.push(FileDifference {
                        path: entry.relative_path.clone(),
                        package: Some((*package).to_owned()),
                        kind,
                    });
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What a prefix should have in addition to its records.
struct Expected<'a> {
    prefix: &'a Path,
    /// Whether envlock made it: then modes and targets are known.
    ours: bool,
    modes: HashMap<&'a Path, u32>,
    symlinks: &'a BTreeMap<PathBuf, PathBuf>,
}

impl<'a> Expected<'a> {
    fn new(prefix: &'a Path, files: &'a FileList) -> io::Result<Self> {
        Ok(Self {
            prefix,
            ours: InstallRecord::read(prefix)?.is_some(),
            modes: files.modes(),
            symlinks: &files.symlinks,
        })
    }

    // `std::fs`, not `fs_err`: its errors don't repeat the path, which is shown next to them.
    fn compare(&self, entry: &PathsEntry) -> io::Result<Option<DifferenceKind>> {
        let path = self.prefix.join(&entry.relative_path);
        let found = match std::fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if is_not_found(&error) => return Ok(Some(DifferenceKind::Missing)),
            Err(error) => return Err(error),
        };
        match entry.path_type {
            PathType::SoftLink if found.is_symlink() => self.compare_target(entry, &path),
            PathType::Directory if found.is_dir() => Ok(None),
            PathType::SoftLink | PathType::Directory => Ok(Some(DifferenceKind::Type)),
            _ if !found.is_file() => Ok(Some(DifferenceKind::Type)),
            _ => self.compare_file(entry, &path, &found),
        }
    }

    fn compare_target(
        &self,
        entry: &PathsEntry,
        path: &Path,
    ) -> io::Result<Option<DifferenceKind>> {
        let Some(expected) = self.symlinks.get(&entry.relative_path) else { return Ok(None) };
        let found = std::fs::read_link(path)?;
        Ok((found != *expected)
            .then(|| DifferenceKind::Target { expected: expected.clone(), found }))
    }

    fn compare_file(
        &self,
        entry: &PathsEntry,
        path: &Path,
        found: &std::fs::Metadata,
    ) -> io::Result<Option<DifferenceKind>> {
        // Other tools record the size in the archive, before the prefix was replaced.
        if let Some(expected) = entry.size_in_bytes.filter(|_| self.ours)
            && expected != found.len()
        {
            return Ok(Some(DifferenceKind::Size { expected, found: found.len() }));
        }
        if let Some(expected) = digest(entry)
            && rattler_digest::compute_file_digest::<Sha256>(path)? != expected
        {
            return Ok(Some(DifferenceKind::Changed));
        }
        let found = permissions(found);
        let expected = self.modes.get(entry.relative_path.as_path()).copied();
        let expected = expected.filter(|expected| *expected != found);
        Ok(expected.map(|expected| DifferenceKind::Mode { expected, found }))
    }
}

/// Returns the digest of the installed file. That of the archive's file is no answer where the
/// prefix was replaced in it.
fn digest(entry: &PathsEntry) -> Option<Sha256Hash> {
    entry.sha256_in_prefix.or_else(|| entry.sha256.filter(|_| entry.prefix_placeholder.is_none()))
}
