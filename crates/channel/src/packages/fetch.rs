//! Makes all packages of an environment available in the cache: verifies the cached packages and
//! fetches the missing ones.

use std::collections::BTreeMap;
use std::path::PathBuf;

use envlock_model::channel::without_credentials;
use envlock_model::lock::OtherArchives;
use envlock_model::progress::{Event, Notice, Observer, Outcome, Phase, RequestedFile};
use envlock_model::wheel::is_wheel;
use envlock_report::{Code, Finding, count};
use futures::{Stream, StreamExt, stream};
use rattler_conda_types::RepoDataRecord;
use tempfile::{NamedTempFile, TempPath};

use super::Substitution;
use super::archive::{self, ExpectedArchive};
use super::bundle::WHEELS_FOLDER;
use super::error::{FailedPackage, FetchError, MissingPackage};
use super::store::{CachedPackage, PackageDir, checked_sha256};
use super::unpack::UnpackError;
use super::unpacked_files::UnpackedFiles;
use crate::address::source_label;
use crate::blocking::spawn_blocking;
use crate::disk::DiskError;
use crate::source_error::{Attempt, DownloadError};
use crate::{Client, Source};

/// The state of one package in the cache.
enum CacheState {
    Present(CachedPackage),
    Damaged(String),
    Missing,
}

/// An unpacked package in the cache.
#[derive(Debug, Clone, PartialEq)]
pub struct UnpackedPackage {
    /// The record of the archive that was unpacked: the locked one or its other archive.
    pub record: RepoDataRecord,
    /// The folder.
    pub dir: PathBuf,
    /// The substitution, if it isn't the locked archive.
    pub substitution: Option<Substitution>,
    /// The paths for which the package's `paths.json` had a wrong digest or size, which were
    /// corrected in the cache.
    pub corrected: Vec<String>,
}

/// A package that no source delivered.
pub(super) struct UnavailablePackage<'a> {
    pub(super) dir: PackageDir,
    pub(super) record: &'a RepoDataRecord,
    /// The requests and their errors; `None` if no source may be tried, offline.
    attempts: Option<Vec<Attempt>>,
}

impl Client {
    /// Returns the unpacked packages, in the order of the records.
    ///
    /// Every file of a package that is in the cache is compared with its digest; a damaged
    /// package is fetched again. Archives are checked against the record before they are
    /// unpacked. If no source has an archive, its other archive is used, provided that
    /// `archives`, which come from the lock, have its sha256. An error names every unavailable
    /// package; the fetched packages stay in the cache.
    pub async fn packages(
        &self,
        records: &[RepoDataRecord],
        archives: &OtherArchives,
        observer: &dyn Observer,
    ) -> Result<Vec<UnpackedPackage>, FetchError> {
        let mut dirs = Vec::with_capacity(records.len());
        let mut wanted: BTreeMap<PackageDir, &RepoDataRecord> = BTreeMap::new();
        for record in records {
            let dir = PackageDir::for_record(self.cache_dir(), record)?;
            dirs.push(dir.clone());
            wanted.insert(dir, record);
        }
        self.clear_abandoned().await;
        let missing = self.missing_packages(wanted.into_iter().collect(), observer).await;
        let unavailable = self.fetch_all(missing, observer).await?;
        let (used, unavailable) =
            self.fetch_other_archives(unavailable, archives, observer).await?;
        error_for(&unavailable)?;
        let mut packages = Vec::with_capacity(records.len());
        for (locked, dir) in records.iter().zip(dirs) {
            let (record, dir, substitution) = match used.get(&dir) {
                None => (locked, dir, None),
                Some(other) => {
                    let dir = PackageDir::for_record(self.cache_dir(), other)?;
                    (other, dir, Some(Substitution::new(locked, other)))
                }
            };
            let (record, dir) = (record.clone(), dir.path().to_owned());
            packages.push(UnpackedPackage { record, dir, substitution, corrected: Vec::new() });
        }
        Ok(spawn_blocking(move || with_corrections(packages)).await)
    }

    /// Returns the packages that are missing or damaged in the cache.
    pub(super) async fn missing_packages<'a>(
        &self,
        wanted: Vec<(PackageDir, &'a RepoDataRecord)>,
        observer: &dyn Observer,
    ) -> Vec<(PackageDir, &'a RepoDataRecord)> {
        let phase = Phase::Verify;
        let listed = self.run_concurrently(wanted.into_iter().map(|(dir, record)| async move {
            let checked = dir.clone();
            (dir, record, spawn_blocking(move || cache_state(checked)).await)
        }));
        let listed: Vec<_> = listed.collect().await;
        let present =
            listed.iter().filter(|(.., cached)| matches!(cached, CacheState::Present(_))).count();
        let units = listed.iter().map(|(.., cached)| cached.bytes()).sum();
        observer.observe(Event::Expect { phase, units });
        let verified =
            self.run_concurrently(listed.into_iter().map(|(dir, record, cached)| async move {
                let units = cached.bytes();
                let cached = spawn_blocking(move || cached.verified()).await;
                observer.observe(Event::Advance { phase, units });
                (dir, record, cached)
            }));
        let verified: Vec<_> = verified.collect().await;
        if present > 0 {
            observer
                .observe(Event::Done(Outcome::CacheVerified { packages: present, bytes: units }));
        }
        let mut missing = Vec::new();
        for (dir, record, cached) in verified {
            match cached {
                CacheState::Present(_) => continue,
                CacheState::Damaged(reason) => {
                    let file = record.identifier.to_string();
                    observer.observe(Event::Notice(Notice::DamagedPackage { file, reason }));
                }
                CacheState::Missing => {}
            }
            missing.push((dir, record));
        }
        missing
    }

    /// Fetches the missing packages. Returns those that no source delivered.
    pub(super) async fn fetch_all<'a>(
        &self,
        missing: Vec<(PackageDir, &'a RepoDataRecord)>,
        observer: &dyn Observer,
    ) -> Result<Vec<UnavailablePackage<'a>>, FetchError> {
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let phase = Phase::Download;
        let units = missing.iter().filter_map(|(_, record)| record.package_record.size).sum();
        let count = missing.len();
        observer.observe(Event::Expect { phase, units });
        observer.observe(Event::ExpectItems { phase, items: count });
        let fetched =
            missing.into_iter().map(|(dir, record)| self.fetch_one(dir, record, observer));
        let mut results = self.run_concurrently(fetched);
        let mut unavailable = Vec::new();
        while let Some(result) = results.next().await {
            match result {
                Ok(result) => unavailable.extend(result),
                Err(error) => {
                    drop(results);
                    self.wait_for_threads().await;
                    return Err(error);
                }
            }
        }
        if unavailable.is_empty() {
            let outcome = Outcome::Downloaded { packages: count, bytes: units };
            observer.observe(Event::Done(outcome));
        }
        Ok(unavailable)
    }

    /// Runs up to `jobs` futures at a time. The results are in the order of completion.
    pub(super) fn run_concurrently<F: Future>(
        &self,
        all: impl Iterator<Item = F>,
    ) -> impl Stream<Item = F::Output> {
        // Collected, because a stream that holds the closure isn't `Send` for every lifetime.
        stream::iter(all.collect::<Vec<_>>()).buffer_unordered(self.settings.jobs.max(1))
    }

    /// Fetches one package into the cache. Returns it if no source delivers it.
    async fn fetch_one<'a>(
        &self,
        dir: PackageDir,
        record: &'a RepoDataRecord,
        observer: &dyn Observer,
    ) -> Result<Option<UnavailablePackage<'a>>, FetchError> {
        let scratch = self.scratch().await?;
        let fetched = match self.download_archive(dir, record, &|| scratch.file(), observer).await?
        {
            Ok((dir, archive)) => self.unpack(dir, record, archive).await.map(|()| None),
            Err(unavailable) => Ok(Some(unavailable)),
        };
        observer.observe(Event::ItemDone { phase: Phase::Download, name: item_name(record) });
        fetched
    }

    /// Downloads one archive into a new file, trying its sources in order.
    pub(super) async fn download_archive<'a>(
        &self,
        dir: PackageDir,
        record: &'a RepoDataRecord,
        file: &(dyn Fn() -> Result<NamedTempFile, DiskError> + Sync),
        observer: &dyn Observer,
    ) -> Result<Result<(PackageDir, TempPath), UnavailablePackage<'a>>, FetchError> {
        let sha256 = checked_sha256(record)?;
        let expected = ExpectedArchive { sha256, size: record.package_record.size };
        observer.observe(Event::Item { phase: Phase::Download, name: item_name(record) });
        let sources = self.archive_sources(record);
        if sources.is_empty() && self.settings.offline {
            return Ok(Err(UnavailablePackage { dir, record, attempts: None }));
        }
        let mut failover = self.failover(&sources);
        while let Some(request) = failover.next().await {
            match archive::download(&self.transport, request, &expected, file()?, observer).await {
                Ok(archive) => {
                    failover.note_success(request);
                    return Ok(Ok((dir, archive)));
                }
                Err(DownloadError::Disk(error)) => return Err(error.into()),
                Err(DownloadError::Source(error)) => {
                    let reason = error.to_string();
                    let url = without_credentials(&request.source.url).to_string();
                    if let Some(next) = failover.note_failure(request, Attempt { url, error }) {
                        observer.observe(Event::Notice(Notice::SourceFailed {
                            file: RequestedFile::Archive(record.identifier.to_string()),
                            source: request.source.label.clone(),
                            reason,
                            next: next.label.clone(),
                        }));
                    }
                }
            }
        }
        Ok(Err(UnavailablePackage { dir, record, attempts: Some(failover.attempts()) }))
    }

    /// Returns the sources of an archive. A local folder that is a mirror can have wheels in a folder
    /// of their own, as a bundle has.
    fn archive_sources(&self, record: &RepoDataRecord) -> Vec<Source> {
        let mut sources = self.sources(&record.url);
        if is_wheel(record) {
            let folders = self.current_sources().local_folders();
            let file = record.identifier.to_string();
            let bundled = folders.into_iter().filter_map(|folder| {
                let url = folder.join(&format!("{WHEELS_FOLDER}/{file}")).ok()?;
                Some(Source { label: source_label(&url), url, is_origin: false })
            });
            sources.splice(0..0, bundled.collect::<Vec<_>>());
        }
        sources
    }

    async fn unpack(
        &self,
        dir: PackageDir,
        record: &RepoDataRecord,
        archive: TempPath,
    ) -> Result<(), FetchError> {
        let scratch = self.scratch().await?;
        let (file, record) = (record.identifier.to_string(), record.clone());
        // Registered before the thread starts, and released after it dropped everything else.
        let user = scratch.register_user();
        let unpacked = spawn_blocking(move || {
            let _user = user;
            let (scratch, archive) = (scratch, archive);
            let folder = scratch.folder().map_err(UnpackError::Disk)?;
            archive::extract(&archive, &record, folder.path())?;
            // The package in the cache is damaged, or missing.
            if dir.exists() && cache_state(dir.clone()).verified().is_damaged() {
                dir.move_out(&scratch).map_err(UnpackError::Disk)?;
            }
            dir.move_in(folder).map_err(UnpackError::Disk)
        });
        unpacked.await.map_err(|error| match error {
            UnpackError::Disk(error) => error.into(),
            UnpackError::NotAPackage(why) => FetchError::Unpack { file, reason: why },
        })
    }
}

impl UnavailablePackage<'_> {
    /// Adds the requests for the other archive of this package.
    pub(super) fn add_attempts(&mut self, other: &UnavailablePackage<'_>) {
        if let (Some(attempts), Some(more)) = (&mut self.attempts, &other.attempts) {
            attempts.extend(more.iter().cloned());
        }
    }

    /// Whether a source doesn't have the archive, or no source may be tried.
    pub(super) fn may_have_other_archive(&self) -> bool {
        let absent = |attempt: &Attempt| attempt.error.is_absent();
        self.attempts.as_ref().is_none_or(|attempts| attempts.iter().any(absent))
    }
}

impl UnpackedPackage {
    /// Returns the warnings about this package.
    pub fn findings(&self) -> Vec<Finding> {
        let substitution = self.substitution.as_ref().map(Substitution::finding);
        let corrected = (!self.corrected.is_empty()).then(|| {
            let message = format!(
                "{} describes {} wrongly in its info/paths.json",
                self.record.identifier,
                count(self.corrected.len(), "file")
            );
            Finding::new(Code::FileListWrong, message)
                .with_list("described wrongly:", &self.corrected)
                .with_note("the archive has the sha256 of the lock; its files are the reference")
                .with_help("report it to the maintainers of the package")
        });
        substitution.into_iter().chain(corrected).collect()
    }
}

/// Adds the corrections of the packages in the cache. A list that can't be read has none.
fn with_corrections(mut packages: Vec<UnpackedPackage>) -> Vec<UnpackedPackage> {
    for package in &mut packages {
        if let Ok(files) = UnpackedFiles::read(&package.dir) {
            package.corrected = files.corrected;
        }
    }
    packages
}

/// Returns the name of a package in progress events.
pub(super) fn item_name(record: &RepoDataRecord) -> String {
    let package = &record.package_record;
    format!("{} {}", package.name.as_normalized(), package.version)
}

/// Returns one error that names all unavailable packages.
pub(super) fn error_for(unavailable: &[UnavailablePackage<'_>]) -> Result<(), FetchError> {
    let unrequested = unavailable.iter().filter(|package| package.attempts.is_none());
    let mut unrequested: Vec<_> =
        unrequested.map(|package| MissingPackage::from_record(package.record)).collect();
    unrequested.sort_by(|a, b| a.file.cmp(&b.file));
    if !unrequested.is_empty() {
        return Err(FetchError::NotCached(unrequested));
    }
    let mut failed: Vec<_> = unavailable
        .iter()
        .map(|package| FailedPackage {
            file: package.record.identifier.to_string(),
            attempts: package.attempts.clone().unwrap_or_default(),
        })
        .collect();
    failed.sort_by(|a, b| a.file.cmp(&b.file));
    if failed.is_empty() { Ok(()) } else { Err(FetchError::Failed(failed)) }
}

fn cache_state(dir: PackageDir) -> CacheState {
    if !dir.exists() {
        return CacheState::Missing;
    }
    dir.read().map_or_else(CacheState::Damaged, CacheState::Present)
}

impl CacheState {
    fn bytes(&self) -> u64 {
        if let Self::Present(listed) = self { listed.bytes } else { 0 }
    }

    fn verified(self) -> Self {
        match self {
            Self::Present(listed) => match listed.verify() {
                Ok(()) => Self::Present(listed),
                Err(why) => Self::Damaged(why),
            },
            other => other,
        }
    }

    fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}
