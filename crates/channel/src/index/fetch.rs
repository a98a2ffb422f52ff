//! The index of one subdir: sources in their order, forms in the remembered one.

use envlock_model::channel::Channel;
use envlock_model::progress::{Event, Observer};
use rattler_conda_types::Subdir;

use super::base_url::subdir_url;
use super::cache::Slot;
use super::delivery::Delivery;
use super::records::Index;
use crate::answer::{Answer, Attempt, Failure};
use crate::blocking::blocking;
use crate::disk::DiskError;
use crate::{Client, Source, address};

/// An index, or why there is none.
pub(crate) type Outcome = Result<Index, Lacking>;

/// Why there is no index.
#[derive(Debug)]
pub(crate) enum Lacking {
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
        let origin = subdir_url(&channel.url, subdir);
        let slot = Slot::new(self.cache_dir(), &address::bare(&origin));
        let sources = self.sources(&origin);
        if sources.is_empty() && !self.settings.offline {
            return Ok(Err(Lacking::NoSource));
        }
        let read = slot.clone();
        let (info, cached) = blocking(move || read.read()).await;
        let delivery = Delivery { client: self, channel, subdir, slot, info, cached, observer };
        ask(delivery, &sources).await
    }
}

/// Asks one source after the other.
async fn ask(mut delivery: Delivery<'_>, sources: &[Source]) -> Result<Outcome, DiskError> {
    let mut attempts: Vec<Attempt> = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        if let Some(index) = ask_for_forms(&mut delivery, source, &mut attempts).await? {
            return Ok(Ok(index));
        }
        tell(&delivery, source, attempts.last(), sources.get(number + 1));
    }
    if delivery.client.settings.offline {
        return Ok(from_cache(&mut delivery, attempts).await);
    }
    if !attempts.iter().all(|attempt| attempt.answer.is_absent()) {
        return Ok(Err(Lacking::Unavailable(attempts)));
    }
    delivery.forget().await?;
    Ok(Err(Lacking::Absent(attempts)))
}

/// Asks one source for one form after the other, the remembered one first. That it lacks a
/// form is no news where the other one tells more.
async fn ask_for_forms(
    delivery: &mut Delivery<'_>,
    source: &Source,
    attempts: &mut Vec<Attempt>,
) -> Result<Option<Index>, DiskError> {
    let before = attempts.len();
    for format in delivery.info.forms_at(&source.url) {
        let answer = match delivery.fetch(source, format).await {
            Ok(index) => return Ok(Some(index)),
            Err(Failure::Disk(error)) => return Err(error),
            Err(Failure::Source(answer)) => answer,
        };
        if attempts.len() > before && attempts.last().is_some_and(|last| last.answer.is_absent()) {
            attempts.pop();
        }
        let down = answer.puts_aside();
        let url = address::bare(&address::file_in(&source.url, format.file_name()));
        attempts.push(Attempt { url: url.to_string(), answer });
        if down {
            break;
        }
    }
    Ok(None)
}

/// Offline: what is known from an earlier run.
async fn from_cache(delivery: &mut Delivery<'_>, attempts: Vec<Attempt>) -> Outcome {
    match delivery.cached().await {
        Some(Ok(index)) => Ok(index),
        Some(Err(attempt)) => Err(Lacking::Unavailable(vec![attempt])),
        None if !attempts.iter().all(|attempt| attempt.answer.is_absent()) => {
            Err(Lacking::Unavailable(attempts))
        }
        // A channel that is a folder was looked at just now.
        None if delivery.info.is_known_absent() || delivery.channel.url.scheme() == "file" => {
            Err(Lacking::Absent(attempts))
        }
        None => Err(Lacking::NotCached),
    }
}

/// A source that couldn't answer is worth a line; one that lacks the subdir isn't, and one
/// that was put aside was told of before.
fn tell(
    delivery: &Delivery<'_>,
    source: &Source,
    attempt: Option<&Attempt>,
    next: Option<&Source>,
) {
    let (Some(attempt), Some(next)) = (attempt, next) else { return };
    if attempt.answer.is_absent() || matches!(attempt.answer, Answer::PutAside(_)) {
        return;
    }
    delivery.observer.observe(Event::Notice(format!(
        "index of {}/{}: {} answered: {}; asking {}",
        delivery.channel.name, delivery.subdir, source.label, attempt.answer, next.label
    )));
}
