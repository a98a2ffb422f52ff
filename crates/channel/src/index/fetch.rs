//! The index of one subdir: sources in their order, forms in the remembered one.

use envlock_model::channel::Channel;
use envlock_model::channel::without_credentials;
use envlock_model::progress::{Event, Notice, Observer, RequestedFile};
use rattler_conda_types::Subdir;

use super::base_url::subdir_url;
use super::cache::Slot;
use super::delivery::Delivery;
use super::records::Index;
use crate::blocking::blocking;
use crate::disk::DiskError;
use crate::failover::Turn;
use crate::source_error::{Attempt, DownloadError, SourceError};
use crate::{Client, Source, address};

/// An index, or why there is none.
pub(crate) type Outcome = Result<Index, NoIndex>;

/// Why there is no index.
#[derive(Debug)]
pub(crate) enum NoIndex {
    /// Every source said that it doesn't have it.
    Absent(Vec<Attempt>),
    /// None delivered it, and at least one couldn't say whether it has it.
    Unavailable(Vec<Attempt>),
    /// Offline, and not in the cache.
    NotCached,
    /// No source may be asked.
    NoSource,
}

impl Client {
    /// The index of one subdir of one channel.
    pub(crate) async fn index(
        &self,
        channel: &Channel,
        subdir: Subdir,
        observer: &dyn Observer,
    ) -> Result<Outcome, DiskError> {
        let sources = self.sources(&subdir_url(&channel.url, subdir));
        if sources.is_empty() && !self.settings.offline {
            return Ok(Err(NoIndex::NoSource));
        }
        ask(self.delivery(channel, subdir, observer).await, &sources).await
    }

    /// The index of one subdir as it can be had: from a source, else from the cache.
    pub(crate) async fn known_index(
        &self,
        channel: &Channel,
        subdir: Subdir,
        observer: &dyn Observer,
    ) -> Option<Index> {
        if let Ok(Ok(index)) = self.index(channel, subdir, observer).await {
            return Some(index);
        }
        let mut delivery = self.delivery(channel, subdir, observer).await;
        delivery.cached().await?.ok()
    }

    async fn delivery<'a>(
        &'a self,
        channel: &'a Channel,
        subdir: Subdir,
        observer: &'a dyn Observer,
    ) -> Delivery<'a> {
        let origin = subdir_url(&channel.url, subdir);
        let slot = Slot::new(self.cache_dir(), &without_credentials(&origin));
        let read = slot.clone();
        let (info, cached) = blocking(move || read.read()).await;
        Delivery { client: self, channel, subdir, slot, info, cached, observer }
    }
}

/// Asks one source after the other.
async fn ask(mut delivery: Delivery<'_>, sources: &[Source]) -> Result<Outcome, DiskError> {
    let client = delivery.client;
    let mut search = client.search(sources);
    while let Some(turn) = search.next().await {
        let attempt = match ask_for_forms(&mut delivery, turn).await? {
            Ok(index) => {
                search.delivered(turn);
                return Ok(Ok(index));
            }
            Err(attempt) => attempt,
        };
        let answer = attempt.error.clone();
        if let Some(next) = search.failed(turn, attempt) {
            tell(&delivery, turn.source, &answer, next);
        }
    }
    let attempts = search.attempts();
    if client.settings.offline {
        return Ok(from_cache(&mut delivery, attempts).await);
    }
    if !attempts.iter().all(|attempt| attempt.error.is_absent()) {
        return Ok(Err(NoIndex::Unavailable(attempts)));
    }
    delivery.forget().await?;
    Ok(Err(NoIndex::Absent(attempts)))
}

/// Asks one source for one form after the other, the remembered one first; the last answer
/// that is worth knowing where it has none. A form whose trouble may pass is asked for again
/// before the other one is.
async fn ask_for_forms(
    delivery: &mut Delivery<'_>,
    turn: Turn<'_>,
) -> Result<Result<Index, Attempt>, DiskError> {
    let mut attempts = Vec::new();
    for format in delivery.info.forms_at(&turn.source.url) {
        let answer = match delivery.fetch(turn, format).await {
            Ok(index) => return Ok(Ok(index)),
            Err(DownloadError::Disk(error)) => return Err(error),
            Err(DownloadError::Source(answer)) => answer,
        };
        let is_over = answer.is_about_the_host() || (answer.is_transient() && !turn.force);
        let url = without_credentials(&address::file_in(&turn.source.url, format.file_name()));
        attempts.push(Attempt { url: url.to_string(), error: answer });
        if is_over {
            break;
        }
    }
    // That a source lacks a form is no news where the other one tells more.
    let last = attempts.pop().expect("there are two forms");
    Ok(Err(match attempts.pop() {
        Some(first) if last.error.is_absent() && !first.error.is_absent() => first,
        _ => last,
    }))
}

/// Offline: what is known from an earlier run.
async fn from_cache(delivery: &mut Delivery<'_>, attempts: Vec<Attempt>) -> Outcome {
    match delivery.cached().await {
        Some(Ok(index)) => Ok(index),
        Some(Err(attempt)) => Err(NoIndex::Unavailable(vec![attempt])),
        None if !attempts.iter().all(|attempt| attempt.error.is_absent()) => {
            Err(NoIndex::Unavailable(attempts))
        }
        // A channel that is a folder was looked at just now.
        None if delivery.info.is_known_absent() || delivery.channel.url.scheme() == "file" => {
            Err(NoIndex::Absent(attempts))
        }
        None => Err(NoIndex::NotCached),
    }
}

/// A source that couldn't answer is worth a line; one that lacks the subdir isn't.
fn tell(delivery: &Delivery<'_>, source: &Source, answer: &SourceError, next: &Source) {
    if !answer.is_absent() {
        delivery.observer.observe(Event::Notice(Notice::SourceFailed {
            file: RequestedFile::Index {
                channel: delivery.channel.name.clone(),
                subdir: delivery.subdir,
            },
            source: source.label.to_string(),
            reason: answer.to_string(),
            next: next.label.to_string(),
        }));
    }
}
