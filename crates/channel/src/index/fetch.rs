//! Fetches the index of one subdir: tries the sources in order, and the cached format first.

use envlock_model::channel::Channel;
use envlock_model::channel::without_credentials;
use envlock_model::progress::{Event, Notice, Observer, RequestedFile};
use rattler_conda_types::Subdir;

use super::base_url::subdir_url;
use super::cache::IndexCacheEntry;
use super::index_fetch::IndexFetch;
use super::records::Index;
use crate::blocking::spawn_blocking;
use crate::disk::DiskError;
use crate::failover::ScheduledRequest;
use crate::source_error::{Attempt, DownloadError, SourceError};
use crate::{Client, Source, address};

/// An index, or why there is none.
pub(crate) type IndexResult = Result<Index, NoIndex>;

/// Why there is no index.
#[derive(Debug)]
pub(crate) enum NoIndex {
    /// No source has the index.
    Absent(Vec<Attempt>),
    /// No source delivered the index, and at least one may have it.
    Unavailable(Vec<Attempt>),
    /// Offline, and the index isn't in the cache.
    NotCached,
    /// No source may be asked.
    NoSource,
}

impl Client {
    /// Fetches the index of one subdir of one channel.
    pub(crate) async fn index(
        &self,
        channel: &Channel,
        subdir: Subdir,
        observer: &dyn Observer,
    ) -> Result<IndexResult, DiskError> {
        let sources = self.sources(&subdir_url(&channel.url, subdir));
        if sources.is_empty() && !self.settings.offline {
            return Ok(Err(NoIndex::NoSource));
        }
        try_sources(self.index_fetch(channel, subdir, observer).await, &sources).await
    }

    async fn index_fetch<'a>(
        &'a self,
        channel: &'a Channel,
        subdir: Subdir,
        observer: &'a dyn Observer,
    ) -> IndexFetch<'a> {
        let origin = subdir_url(&channel.url, subdir);
        let entry = IndexCacheEntry::new(self.cache_dir(), &without_credentials(&origin));
        let read = entry.clone();
        let (info, cached) = spawn_blocking(move || read.read()).await;
        IndexFetch { client: self, channel, subdir, entry, info, cached, observer }
    }
}

/// Tries the sources in order.
async fn try_sources(
    mut fetch: IndexFetch<'_>,
    sources: &[Source],
) -> Result<IndexResult, DiskError> {
    let client = fetch.client;
    let mut failover = client.failover(sources);
    while let Some(request) = failover.next().await {
        let attempt = match try_formats(&mut fetch, request).await? {
            Ok(index) => {
                failover.note_success(request);
                return Ok(Ok(index));
            }
            Err(attempt) => attempt,
        };
        let error = attempt.error.clone();
        if let Some(next) = failover.note_failure(request, attempt) {
            notify_failover(&fetch, request.source, &error, next);
        }
    }
    let attempts = failover.attempts();
    if client.settings.offline {
        return Ok(from_cache(&mut fetch, attempts).await);
    }
    if !attempts.iter().all(|attempt| attempt.error.is_absent()) {
        return Ok(Err(NoIndex::Unavailable(attempts)));
    }
    fetch.record_absence().await?;
    Ok(Err(NoIndex::Absent(attempts)))
}

/// Tries the formats at one source, the cached format first. Returns the most informative error.
/// After a transient error the other format isn't tried, since this one is retried first.
async fn try_formats(
    fetch: &mut IndexFetch<'_>,
    request: ScheduledRequest<'_>,
) -> Result<Result<Index, Attempt>, DiskError> {
    let mut attempts = Vec::new();
    for format in fetch.info.formats_for(&request.source.url) {
        let error = match fetch.fetch_format(request, format).await {
            Ok(index) => return Ok(Ok(index)),
            Err(DownloadError::Disk(error)) => return Err(error),
            Err(DownloadError::Source(error)) => error,
        };
        let is_over = error.is_about_the_host() || (error.is_transient() && !request.force);
        let url = without_credentials(&address::join_file(&request.source.url, format.file_name()));
        attempts.push(Attempt { url: url.to_string(), error });
        if is_over {
            break;
        }
    }
    // An error is more informative than a missing format.
    let last = attempts.pop().expect("there are two formats");
    Ok(Err(match attempts.pop() {
        Some(first) if last.error.is_absent() && !first.error.is_absent() => first,
        _ => last,
    }))
}

/// Returns the index of an earlier run, for `--offline`.
async fn from_cache(fetch: &mut IndexFetch<'_>, attempts: Vec<Attempt>) -> IndexResult {
    match fetch.cached().await {
        Some(Ok(index)) => Ok(index),
        Some(Err(attempt)) => Err(NoIndex::Unavailable(vec![attempt])),
        None if !attempts.iter().all(|attempt| attempt.error.is_absent()) => {
            Err(NoIndex::Unavailable(attempts))
        }
        // A local channel was read just now.
        None if fetch.info.is_known_absent() || fetch.channel.url.scheme() == "file" => {
            Err(NoIndex::Absent(attempts))
        }
        None => Err(NoIndex::NotCached),
    }
}

/// Reports a failover, unless the source only lacks the subdir.
fn notify_failover(fetch: &IndexFetch<'_>, source: &Source, error: &SourceError, next: &Source) {
    if !error.is_absent() {
        fetch.observer.observe(Event::Notice(Notice::SourceFailed {
            file: RequestedFile::Index {
                channel: fetch.channel.name.clone(),
                subdir: fetch.subdir,
            },
            source: source.label.clone(),
            reason: error.to_string(),
            next: next.label.clone(),
        }));
    }
}
