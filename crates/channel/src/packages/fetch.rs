//! All packages of an environment: what is there is verified, what isn't is fetched.

use std::collections::BTreeMap;
use std::path::PathBuf;

use envlock_model::channel::without_credentials;
use envlock_model::progress::{Event, Notice, Observer, Outcome, Phase, RequestedFile};
use futures::{Stream, StreamExt, stream};
use rattler_conda_types::RepoDataRecord;
use tempfile::{NamedTempFile, TempPath};

use super::archive::{self, Expected, Unpacking};
use super::error::{FailedPackage, FetchError, MissingPackage};
use super::store::{Listed, Place};
use crate::Client;
use crate::blocking::blocking;
use crate::disk::DiskError;
use crate::source_error::{Attempt, DownloadError};

/// What was found out about one package of the cache.
enum Cached {
    There(Listed),
    Damaged(String),
    Missing,
}

/// A package that no source delivered.
pub(super) struct Unavailable<'a> {
    pub(super) place: Place,
    pub(super) record: &'a RepoDataRecord,
    /// The sources that were asked; `None` where none may be asked, offline.
    attempts: Option<Vec<Attempt>>,
}

impl Client {
    /// The folders of the unpacked packages, in the order of the records.
    ///
    /// Every file of a package that is in the cache is compared with its digest; a damaged
    /// package is fetched again. Archives are checked against the record before they are
    /// unpacked. An error names every package that couldn't be had; what was fetched stays in
    /// the cache.
    pub async fn packages(
        &self,
        records: &[RepoDataRecord],
        observer: &dyn Observer,
    ) -> Result<Vec<PathBuf>, FetchError> {
        let mut places = Vec::with_capacity(records.len());
        let mut wanted: BTreeMap<PathBuf, (Place, &RepoDataRecord)> = BTreeMap::new();
        for record in records {
            let place =
                Place::of(self.cache_dir(), record).ok_or_else(|| FetchError::no_digest(record))?;
            places.push(place.path().to_owned());
            wanted.insert(place.path().to_owned(), (place, record));
        }
        let missing = self.missing(wanted.into_values().collect(), observer).await;
        let unavailable = self.fetch_all(missing, observer).await?;
        let (replaced, unavailable) = self.replace(unavailable, observer).await?;
        refuse(&unavailable)?;
        for replaced in replaced {
            for place in places.iter_mut().filter(|place| *place == replaced.wanted.path()) {
                replaced.twin.path().clone_into(place);
            }
        }
        Ok(places)
    }

    /// Those that aren't in the cache as they should be.
    pub(super) async fn missing<'a>(
        &self,
        wanted: Vec<(Place, &'a RepoDataRecord)>,
        observer: &dyn Observer,
    ) -> Vec<(Place, &'a RepoDataRecord)> {
        let phase = Phase::Verify;
        let listed = self.in_turn(wanted.into_iter().map(|(place, record)| async move {
            let looked_at = place.clone();
            (place, record, blocking(move || look(looked_at)).await)
        }));
        let listed: Vec<_> = listed.collect().await;
        let there = listed.iter().filter(|(.., cached)| matches!(cached, Cached::There(_))).count();
        let units = listed.iter().map(|(.., cached)| cached.bytes()).sum();
        observer.observe(Event::Expect { phase, units });
        let verified = self.in_turn(listed.into_iter().map(|(place, record, cached)| async move {
            let units = cached.bytes();
            let cached = blocking(move || cached.verified()).await;
            observer.observe(Event::Advance { phase, units });
            (place, record, cached)
        }));
        let verified: Vec<_> = verified.collect().await;
        if there > 0 {
            observer.observe(Event::Done(Outcome::CacheVerified { packages: there, bytes: units }));
        }
        let mut missing = Vec::new();
        for (place, record, cached) in verified {
            match cached {
                Cached::There(_) => continue,
                Cached::Damaged(reason) => {
                    let file = record.identifier.to_string();
                    observer.observe(Event::Notice(Notice::DamagedPackage { file, reason }));
                }
                Cached::Missing => {}
            }
            missing.push((place, record));
        }
        missing
    }

    /// Fetches what is missing; returns the packages that no source delivered.
    pub(super) async fn fetch_all<'a>(
        &self,
        missing: Vec<(Place, &'a RepoDataRecord)>,
        observer: &dyn Observer,
    ) -> Result<Vec<Unavailable<'a>>, FetchError> {
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let phase = Phase::Download;
        let units = missing.iter().filter_map(|(_, record)| record.package_record.size).sum();
        let count = missing.len();
        observer.observe(Event::Expect { phase, units });
        let fetched =
            missing.into_iter().map(|(place, record)| self.fetch_one(place, record, observer));
        let mut results = self.in_turn(fetched);
        let mut unavailable = Vec::new();
        while let Some(result) = results.next().await {
            unavailable.extend(result?);
        }
        if unavailable.is_empty() {
            let outcome = Outcome::Downloaded { packages: count, bytes: units };
            observer.observe(Event::Done(outcome));
        }
        Ok(unavailable)
    }

    /// So many of them at a time, in whatever order they get done.
    pub(super) fn in_turn<F: Future>(
        &self,
        all: impl Iterator<Item = F>,
    ) -> impl Stream<Item = F::Output> {
        // Collected, because a stream that holds the closure isn't `Send` for every lifetime.
        stream::iter(all.collect::<Vec<_>>()).buffer_unordered(self.settings.jobs.max(1))
    }

    /// One package, into the cache. Returns it where no source delivers it.
    async fn fetch_one<'a>(
        &self,
        place: Place,
        record: &'a RepoDataRecord,
        observer: &dyn Observer,
    ) -> Result<Option<Unavailable<'a>>, FetchError> {
        let scratch = self.scratch()?;
        match self.archive(place, record, &|| scratch.file(), observer).await? {
            Ok((place, archive)) => self.unpack(place, record, archive).await.map(|()| None),
            Err(unavailable) => Ok(Some(unavailable)),
        }
    }

    /// One archive: its sources in their order, into a new file.
    pub(super) async fn archive<'a>(
        &self,
        place: Place,
        record: &'a RepoDataRecord,
        file: &(dyn Fn() -> Result<NamedTempFile, DiskError> + Sync),
        observer: &dyn Observer,
    ) -> Result<Result<(Place, TempPath), Unavailable<'a>>, FetchError> {
        let sha256 = record.package_record.sha256.ok_or_else(|| FetchError::no_digest(record))?;
        let expected = Expected { sha256, size: record.package_record.size };
        observer
            .observe(Event::Item { phase: Phase::Download, name: record.identifier.to_string() });
        let sources = self.sources(&record.url);
        if sources.is_empty() && self.settings.offline {
            return Ok(Err(Unavailable { place, record, attempts: None }));
        }
        let mut search = self.search(&sources);
        while let Some(turn) = search.next().await {
            match archive::download(&self.transport, turn, &expected, file()?, observer).await {
                Ok(archive) => {
                    search.delivered(turn);
                    return Ok(Ok((place, archive)));
                }
                Err(DownloadError::Disk(error)) => return Err(error.into()),
                Err(DownloadError::Source(answer)) => {
                    let reason = answer.to_string();
                    let url = without_credentials(&turn.source.url).to_string();
                    if let Some(next) = search.failed(turn, Attempt { url, error: answer }) {
                        observer.observe(Event::Notice(Notice::SourceFailed {
                            file: RequestedFile::Archive(record.identifier.to_string()),
                            source: turn.source.label.to_string(),
                            reason,
                            next: next.label.to_string(),
                        }));
                    }
                }
            }
        }
        Ok(Err(Unavailable { place, record, attempts: Some(search.attempts()) }))
    }

    async fn unpack(
        &self,
        place: Place,
        record: &RepoDataRecord,
        archive: TempPath,
    ) -> Result<(), FetchError> {
        let scratch = self.scratch()?;
        let (file, record) = (record.identifier.to_string(), record.clone());
        let unpacked = blocking(move || {
            let folder = scratch.folder().map_err(Unpacking::Disk)?;
            archive::extract(&archive, &record, folder.path())?;
            // What is there was found damaged, or there is nothing.
            if place.exists() && look(place.clone()).verified().is_damaged() {
                place.clear(&scratch).map_err(Unpacking::Disk)?;
            }
            place.fill(folder).map_err(Unpacking::Disk)
        });
        unpacked.await.map_err(|error| match error {
            Unpacking::Disk(error) => error.into(),
            Unpacking::NoPackage(why) => FetchError::Unpack { file, reason: why },
        })
    }
}

impl Unavailable<'_> {
    /// Whether a source said that it doesn't have the archive, or none may be asked.
    pub(super) fn may_have_a_twin(&self) -> bool {
        let absent = |attempt: &Attempt| attempt.error.is_absent();
        self.attempts.as_ref().is_none_or(|attempts| attempts.iter().any(absent))
    }
}

/// One error that names all unavailable packages.
pub(super) fn refuse(unavailable: &[Unavailable<'_>]) -> Result<(), FetchError> {
    let unasked = unavailable.iter().filter(|package| package.attempts.is_none());
    let mut unasked: Vec<_> = unasked.map(|package| MissingPackage::of(package.record)).collect();
    unasked.sort_by(|a, b| a.file.cmp(&b.file));
    if !unasked.is_empty() {
        return Err(FetchError::NotCached(unasked));
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

fn look(place: Place) -> Cached {
    if !place.exists() {
        return Cached::Missing;
    }
    place.list().map_or_else(Cached::Damaged, Cached::There)
}

impl Cached {
    fn bytes(&self) -> u64 {
        if let Self::There(listed) = self { listed.bytes } else { 0 }
    }

    fn verified(self) -> Self {
        match self {
            Self::There(listed) => match listed.verify() {
                Ok(()) => Self::There(listed),
                Err(why) => Self::Damaged(why),
            },
            other => other,
        }
    }

    fn is_damaged(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }
}
