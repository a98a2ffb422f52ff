//! Compares every file of a prefix with its record.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use envlock_model::progress::{Event, Observer, Outcome, Phase};
use envlock_report::{AsFindings, Code, Exit, Finding};
use rattler_conda_types::prefix_record::{PathType, PathsEntry};
use rattler_digest::{Sha256, Sha256Hash};
use thiserror::Error;

use crate::difference::{Difference, DifferenceKind};
use crate::error::InstallError;
use crate::meta::{Files, is_executable};
use crate::prefix_paths::is_absent;
use crate::state::{PrefixState, Stamp, state};
use crate::untracked::{records, untracked_files};

/// Why a prefix can't be compared.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// There is no environment.
    #[error("there is no environment at `{}`", .0.display())]
    NoEnvironment(PathBuf),
    /// An install was killed while it put the prefix in place.
    #[error("an install into `{}` was killed before it ended", .0.display())]
    Interrupted(PathBuf),
    /// What is recorded can't be read.
    #[error(transparent)]
    Prefix(#[from] InstallError),
    /// What envlock itself noted can't be read.
    #[error("can't read a file of the environment: {0}")]
    Unreadable(#[source] io::Error),
}

impl AsFindings for VerifyError {
    fn findings(&self) -> Vec<Finding> {
        let (code, help) = match self {
            Self::Prefix(error) => return error.findings(),
            Self::NoEnvironment(_) => (Code::NoEnvironment, Some("make it with `envlock install`")),
            Self::Interrupted(_) => (Code::Interrupted, Some("run `envlock install` again")),
            Self::Unreadable(_) => (Code::DiskError, None),
        };
        let diagnostic = Finding::new(code, self.to_string());
        vec![match help {
            Some(help) => diagnostic.with_help(help),
            None => diagnostic,
        }]
    }

    fn exit(&self) -> Exit {
        match self {
            Self::NoEnvironment(_) => Exit::Usage,
            Self::Interrupted(_) => Exit::Findings,
            Self::Prefix(error) => error.exit(),
            Self::Unreadable(_) => Exit::Undetermined,
        }
    }
}

/// What was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many packages have a record.
    pub packages: usize,
    /// How many paths the records name.
    pub files: usize,
    /// What differs, sorted by path; empty means that nothing does.
    pub differences: Vec<Difference>,
}

/// Compares every file of the environment at `prefix` with its record, `jobs` at a time. One
/// that can't be read is a difference too, and the others are still compared.
///
/// A `.pyc` file that Python wrote next to a recorded source is no difference. Modes and the
/// targets of links are compared in environments that envlock made; conda records neither.
pub fn verify(
    prefix: &Path,
    jobs: usize,
    observer: &dyn Observer,
) -> Result<Verified, VerifyError> {
    match state(prefix)? {
        PrefixState::Absent | PrefixState::NotAnEnvironment => {
            return Err(VerifyError::NoEnvironment(prefix.to_owned()));
        }
        PrefixState::Interrupted => return Err(VerifyError::Interrupted(prefix.to_owned())),
        PrefixState::Ready { .. } | PrefixState::Altered { .. } | PrefixState::NotOurs => {}
    }
    let records = records(prefix)?;
    let files = Files::read(prefix).map_err(VerifyError::Unreadable)?;
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
    let extra = untracked_files(prefix, &records, &files.made);
    let untracked_path = |path, kind| Difference { path, package: None, kind };
    differences
        .extend(extra.files.into_iter().map(|path| untracked_path(path, DifferenceKind::Extra)));
    differences.extend(
        extra.unreadable.into_iter().map(|(path, error)| untracked_path(path, unreadable(&error))),
    );
    differences.sort_by(|a, b| a.path.cmp(&b.path));
    let untracked = differences.iter().filter(|d| d.kind == DifferenceKind::Extra).count();
    observer.observe(Event::Done(Outcome::PrefixVerified {
        files: work.len(),
        different: differences.len() - untracked,
        untracked,
    }));
    Ok(Verified { packages: records.len(), files: work.len(), differences })
}

fn unreadable(error: &io::Error) -> DifferenceKind {
    DifferenceKind::Unreadable { reason: error.to_string() }
}

fn compare_all(
    work: &[(&str, &PathsEntry)],
    expected: &Expected<'_>,
    jobs: usize,
    observer: &dyn Observer,
) -> Vec<Difference> {
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
                    found.push(Difference {
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

/// What a prefix should have besides its records.
struct Expected<'a> {
    prefix: &'a Path,
    /// Whether envlock made it: then modes and targets are known.
    ours: bool,
    executable: HashSet<&'a Path>,
    symlinks: &'a BTreeMap<PathBuf, PathBuf>,
}

impl<'a> Expected<'a> {
    fn new(prefix: &'a Path, files: &'a Files) -> io::Result<Self> {
        Ok(Self {
            prefix,
            ours: Stamp::read(prefix)?.is_some(),
            executable: files.executable.iter().map(PathBuf::as_path).collect(),
            symlinks: &files.symlinks,
        })
    }

    // `std::fs`, not `fs_err`: its errors don't repeat the path, which is shown next to them.
    fn compare(&self, entry: &PathsEntry) -> io::Result<Option<DifferenceKind>> {
        let path = self.prefix.join(&entry.relative_path);
        let found = match std::fs::symlink_metadata(&path) {
            Ok(found) => found,
            Err(error) if is_absent(&error) => return Ok(Some(DifferenceKind::Missing)),
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
        let executable = is_executable(found);
        let expected = self.executable.contains(entry.relative_path.as_path());
        Ok((self.ours && executable != expected).then_some(DifferenceKind::Mode { executable }))
    }
}

/// The digest of the installed file. That of the archive's file is no answer where the
/// prefix was replaced in it.
fn digest(entry: &PathsEntry) -> Option<Sha256Hash> {
    entry.sha256_in_prefix.or_else(|| entry.sha256.filter(|_| entry.prefix_placeholder.is_none()))
}
