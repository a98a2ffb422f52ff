//! Why packages are unavailable.

use envlock_report::{AsFindings, Code, Exit, Finding, count, format_size};
use rattler_conda_types::RepoDataRecord;

use envlock_model::record::MalformedRecord;

use crate::disk::DiskError;
use crate::source_error::{Attempt, SourceError, help_for, list_attempts, setting_errors};

/// Why packages are unavailable. Nothing outside of the cache was changed.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No source delivered these packages. All of them are named.
    #[error("no source delivers {}", count(.0.len(), "package"))]
    Failed(Vec<FailedPackage>),
    /// Offline, and these packages aren't in the cache.
    #[error("{} not in the cache, and this is offline", match .0.len() { 1 => "1 package is".to_owned(), n => format!("{n} packages are") })]
    NotCached(Vec<MissingPackage>),
    /// Offline, and the archives of these packages are needed, which the cache doesn't keep.
    #[error("the {} of {} can't be downloaded offline", match .0.len() { 1 => "archive", _ => "archives" }, count(.0.len(), "package"))]
    NoArchive(Vec<MissingPackage>),
    /// An archive with the right digest can't be unpacked.
    #[error("{file} can't be unpacked: {reason}")]
    Unpack {
        /// The archive's name.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two archives of one name can't be in one channel.
    #[error("two packages have the file name {file}, and a folder can have only one")]
    DuplicateFileName {
        /// The archives' name.
        file: String,
        /// Their URLs.
        urls: [String; 2],
    },
    /// A record is malformed.
    #[error("the record of {file} is malformed: {fault}")]
    MalformedRecord {
        /// The archive's name.
        file: String,
        /// What is wrong with it.
        fault: MalformedRecord,
    },
    /// A record has no sha256, so its archive can't be checked.
    #[error("{file} has no sha256, so it can't be checked")]
    NoSha256 {
        /// The archive's name.
        file: String,
    },
    /// The cache can't be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// A package that no source delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedPackage {
    /// The archive's name.
    pub file: String,
    /// The requests and their errors; empty if no source may be tried.
    pub attempts: Vec<Attempt>,
}

/// A package that isn't in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPackage {
    /// The archive's name.
    pub file: String,
    /// The size in bytes, if the record has it.
    pub size: Option<u64>,
}

impl MissingPackage {
    pub(crate) fn from_record(record: &RepoDataRecord) -> Self {
        Self { file: record.identifier.to_string(), size: record.package_record.size }
    }

    fn line(&self) -> String {
        match self.size {
            Some(bytes) => format!("{} ({})", self.file, format_size(bytes)),
            None => self.file.clone(),
        }
    }
}

impl FailedPackage {
    fn was_never_requested(&self) -> bool {
        !self.attempts.is_empty()
            && self
                .attempts
                .iter()
                .all(|attempt| matches!(attempt.error, SourceError::Suspended(_)))
    }

    /// What packages that fail in the same way have in common: the sources and the kinds of their
    /// errors.
    fn failure(&self) -> Vec<(String, String)> {
        let attempts = self.attempts.iter();
        attempts
            .map(|attempt| {
                let error = match &attempt.error {
                    // These have sizes and digests that differ between packages.
                    SourceError::WrongSize { .. } => "size".to_owned(),
                    SourceError::WrongChecksum { .. } => "sha256".to_owned(),
                    SourceError::Truncated { .. } => "truncated".to_owned(),
                    other => other.to_string().replace(&self.file, ""),
                };
                (attempt.url.replace(&self.file, ""), error)
            })
            .collect()
    }

    fn note(&self) -> String {
        if self.attempts.is_empty() {
            return format!(
                "{}: no mirror has its channel, and requests to the origin are disabled",
                self.file
            );
        }
        format!("{}:\n{}", self.file, list_attempts(&self.attempts))
    }
}

/// Adds a note for every kind of failure, with the first package that failed so, a note with the
/// other packages of that kind, and one for all packages that weren't requested because every
/// source was suspended.
fn unavailable_finding(finding: Finding, packages: &[FailedPackage]) -> Finding {
    let (mut unrequested, mut requested): (Vec<_>, Vec<_>) =
        packages.iter().partition(|package| package.was_never_requested());
    if requested.is_empty() {
        // The note of one package has the reasons for all.
        requested.extend(unrequested.pop());
    }
    let mut kinds: Vec<(_, Vec<&FailedPackage>)> = Vec::new();
    for package in requested {
        let failure = package.failure();
        match kinds.iter_mut().find(|(known, _)| *known == failure) {
            Some((_, packages)) => packages.push(package),
            None => kinds.push((failure, vec![package])),
        }
    }
    let mut finding = finding;
    for (_, packages) in kinds {
        let [first, others @ ..] = packages.as_slice() else { continue };
        finding = finding.with_note(first.note());
        if !others.is_empty() {
            finding = finding.with_list(
                format!("the same for {}:", count(others.len(), "more package")),
                others.iter().map(|package| &package.file),
            );
        }
    }
    if unrequested.is_empty() {
        return finding;
    }
    finding.with_list(
        format!("no source is left for {}:", count(unrequested.len(), "more package")),
        unrequested.iter().map(|package| &package.file),
    )
}

impl FetchError {
    /// Returns the errors of configured proxies that the sources need.
    fn setting_errors(&self) -> Vec<Finding> {
        match self {
            Self::Failed(packages) => {
                setting_errors(packages.iter().flat_map(|package| &package.attempts))
            }
            _ => Vec::new(),
        }
    }
}

impl AsFindings for FetchError {
    fn findings(&self) -> Vec<Finding> {
        let mut findings = self.setting_errors();
        findings.push(match self {
            Self::Failed(packages) => unavailable_finding(Finding::new(Code::PackagesUnavailable, self.to_string()), packages)
                .with_note("nothing was changed; what was fetched is kept in the cache")
                .with_help(help_for(packages.iter().flat_map(|package| &package.attempts))),
            Self::NotCached(packages) => {
                let total = format_size(packages.iter().filter_map(|package| package.size).sum());
                Finding::new(Code::NotCached, self.to_string())
                    .with_list(format!("missing, {total} in all:"), packages.iter().map(MissingPackage::line))
                    .with_help("run the same command once without `--offline`")
            }
            Self::NoArchive(packages) => {
                let total = format_size(packages.iter().filter_map(|package| package.size).sum());
                Finding::new(Code::NotCached, self.to_string())
                    .with_note("the cache keeps unpacked packages only, and no archives")
                    .with_list(format!("missing, {total} in all:"), packages.iter().map(MissingPackage::line))
                    .with_help(
                        "bundle without `--offline`; or name a folder that has the archives with \
                         `--mirror PREFIX=file:///FOLDER/`",
                    )
            }
            Self::Unpack { .. } => Finding::new(Code::PackageMalformed, self.to_string())
                .with_note("its sha256 is that of its record, so its channel has it like this; nothing was changed")
                .with_help("request another build of it, and report it to the maintainers of the channel"),
            Self::DuplicateFileName { urls, .. } => Finding::new(Code::BundleConflict, self.to_string())
                .with_note(urls.join("\n"))
                .with_help("bundle the platforms one by one with `--platform`"),
            Self::MalformedRecord { .. } => Finding::new(Code::IndexRecordMalformed, self.to_string())
                .with_note("nothing was changed")
                .with_help("solve again: a lock written by envlock has only valid records"),
            Self::NoSha256 { .. } => Finding::new(Code::PackageUnchecked, self.to_string())
                .with_help("solve again: a lock written by envlock has a sha256 for every package"),
            Self::Disk(error) => return error.findings(),
        });
        findings
    }

    fn exit(&self) -> Exit {
        match self {
            Self::DuplicateFileName { .. } => Exit::Usage,
            Self::Failed(_) if !self.setting_errors().is_empty() => Exit::Usage,
            _ => Exit::Undetermined,
        }
    }
}
