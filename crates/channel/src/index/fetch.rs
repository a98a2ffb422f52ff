//! The index of one subdir: sources in their order, forms in the remembered one.

use bytes::Bytes;
use envlock_model::progress::{Event, Observer, Phase};
use rattler_conda_types::Subdir;
use tokio::sync::mpsc;
use url::Url;

use super::base_url::{packages_at, subdir_url};
use super::cache::{Format, Info, Slot, Stored};
use super::decode::{Undecoded, decode};
use super::records::Index;
use crate::answer::{Answer, Attempt};
use crate::blocking::blocking;
use crate::disk::DiskError;
use crate::transport::{Reply, Validators};
use crate::{Client, Source, address};
use envlock_model::channel::Channel;

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

/// Why one source didn't deliver.
enum Failure {
    Source(Answer),
    Disk(DiskError),
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// One subdir that is being fetched.
struct Subscribed<'a> {
    client: &'a Client,
    channel: &'a Channel,
    subdir: Subdir,
    slot: Slot,
    observer: &'a dyn Observer,
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
        let subscribed = Subscribed { client: self, channel, subdir, slot, observer };
        let mut sources = self.settings.sources.of(&origin);
        if self.settings.offline {
            sources.retain(|source| source.url.scheme() == "file");
        } else if sources.is_empty() {
            return Ok(Err(Lacking::NoSource));
        }
        subscribed.ask(&sources).await
    }
}

impl Subscribed<'_> {
    async fn ask(&self, sources: &[Source]) -> Result<Outcome, DiskError> {
        let slot = self.slot.clone();
        let (mut info, mut cached) = blocking(move || slot.read()).await;
        let mut attempts: Vec<Attempt> = Vec::new();
        for (place, source) in sources.iter().enumerate() {
            let key = address::bare(&source.url).to_string();
            let remembered = info.formats.get(&key).copied();
            for format in in_order(remembered) {
                match self.fetch(source, format, &mut info, &mut cached).await {
                    Ok(index) => return Ok(Ok(index)),
                    Err(Failure::Disk(error)) => return Err(error),
                    Err(Failure::Source(answer)) => {
                        // The missing form of an index is no news where the other is there or
                        // isn't either.
                        let hopeless = answer.is_about_the_source();
                        let url = address::bare(&address::file_in(&source.url, format.file_name()));
                        attempts.retain(|attempt| {
                            !(attempt.answer.is_absent() && attempt.url.starts_with(&key))
                        });
                        attempts.push(Attempt { url: url.to_string(), answer });
                        if hopeless {
                            break;
                        }
                    }
                }
            }
            self.tell(attempts.last(), source, sources.get(place + 1));
        }
        self.nothing(info, cached, attempts).await
    }

    /// Nobody delivered.
    async fn nothing(
        &self,
        mut info: Info,
        cached: Option<Bytes>,
        attempts: Vec<Attempt>,
    ) -> Result<Outcome, DiskError> {
        if self.client.settings.offline {
            return Ok(match (cached, &info.index) {
                (Some(json), Some(stored)) => {
                    self.indexed(json, stored, 0).await.map_err(|answer| {
                        Lacking::Unavailable(vec![Attempt { url: stored.source.clone(), answer }])
                    })
                }
                _ if info.is_known_absent() => Err(Lacking::Absent(attempts)),
                _ => Err(Lacking::NotCached),
            });
        }
        if !attempts.iter().all(|attempt| attempt.answer.is_absent()) {
            return Ok(Err(Lacking::Unavailable(attempts)));
        }
        let (slot, scratch) = (self.slot.clone(), self.client.scratch()?);
        info.index = None;
        blocking(move || slot.write_info(info, &scratch)).await?;
        Ok(Err(Lacking::Absent(attempts)))
    }

    /// A source that couldn't answer is worth a line; one that lacks the subdir isn't.
    fn tell(&self, attempt: Option<&Attempt>, source: &Source, next: Option<&Source>) {
        let (Some(attempt), Some(next)) = (attempt, next) else { return };
        if attempt.answer.is_absent() || matches!(attempt.answer, Answer::PutAside(_)) {
            return;
        }
        let what = format!("index of {}/{}", self.channel.name, self.subdir);
        self.observer.observe(Event::Notice(format!(
            "{what}: {} answered: {}; asking {}",
            source.label, attempt.answer, next.label
        )));
    }

    /// One form at one source, asked a second time where that may help.
    async fn fetch(
        &self,
        source: &Source,
        format: Format,
        info: &mut Info,
        cached: &mut Option<Bytes>,
    ) -> Result<Index, Failure> {
        let mut tries = 0;
        loop {
            match self.fetch_once(source, format, info, cached).await {
                Err(Failure::Source(answer)) => match self.client.transport.pause(tries, &answer) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(Failure::Source(answer)),
                },
                result => return result,
            }
            tries += 1;
        }
    }

    async fn fetch_once(
        &self,
        source: &Source,
        format: Format,
        info: &mut Info,
        cached: &mut Option<Bytes>,
    ) -> Result<Index, Failure> {
        let key = address::bare(&source.url).to_string();
        let url = address::file_in(&source.url, format.file_name());
        // Only what this very source delivered in this form can be unchanged there.
        let known = info
            .index
            .as_ref()
            .filter(|stored| cached.is_some() && stored.source == key && stored.format == format);
        let validators =
            known.map(|stored| &stored.validators).filter(|known| **known != Validators::default());
        let body =
            match self.client.transport.get(&url, validators).await.map_err(Failure::Source)? {
                Reply::Body(body) => body,
                Reply::NotModified => {
                    let (Some(json), Some(stored)) = (cached.take(), known) else {
                        return Err(Failure::Source(Answer::Unreadable(
                            "304 to a question that wasn't asked".into(),
                        )));
                    };
                    return self.indexed(json, stored, 0).await.map_err(Failure::Source);
                }
            };
        let validators = body.validators.clone();
        let (decoded, fetched) = self.receive(body, format).await?;
        let stored = Stored {
            source: key.clone(),
            from_origin: source.is_origin,
            format,
            validators,
            size: decoded.json.len() as u64,
            sha256: decoded.sha256,
            base_url: decoded.about.base_url,
        };
        let index = self.indexed(decoded.json, &stored, fetched).await.map_err(Failure::Source)?;
        info.formats.insert(key, format);
        info.index = Some(stored);
        let (slot, scratch, info) = (self.slot.clone(), self.client.scratch()?, info.clone());
        blocking(move || slot.write(info, decoded.file, &scratch)).await?;
        Ok(index)
    }

    /// Takes in a body and decodes it meanwhile; also says how many bytes came.
    async fn receive(
        &self,
        mut body: crate::transport::Body,
        format: Format,
    ) -> Result<(super::decode::Decoded, u64), Failure> {
        let phase = Phase::Index;
        let name = format!("{}/{}", self.channel.name, self.subdir);
        self.observer.observe(Event::Item { phase, name });
        self.observer.observe(Event::Expect { phase, units: body.length.unwrap_or(0) });
        let file = self.client.scratch()?.file()?;
        let (sender, pieces) = mpsc::channel::<Bytes>(16);
        let subdir = self.subdir;
        let decoder = blocking(move || decode(pieces, format, subdir, file));
        let broken = loop {
            match body.chunk().await {
                Ok(Some(chunk)) => {
                    self.observer.observe(Event::Advance { phase, units: chunk.len() as u64 });
                    // A decoder that gave up says why when it is joined.
                    if sender.send(chunk).await.is_err() {
                        break None;
                    }
                }
                Ok(None) => break None,
                Err(answer) => break Some(answer),
            }
        };
        drop(sender);
        let rest = body.length.unwrap_or(body.got).saturating_sub(body.got);
        self.observer.observe(Event::Advance { phase, units: rest });
        let decoded = decoder.await;
        if let Some(answer) = broken {
            return Err(Failure::Source(answer));
        }
        match decoded {
            Ok(decoded) => Ok((decoded, body.got)),
            Err(Undecoded::Unreadable(why)) => Err(Failure::Source(Answer::Unreadable(why))),
            Err(Undecoded::Disk(error)) => Err(Failure::Disk(error)),
        }
    }

    /// The records of a JSON that was checked.
    async fn indexed(&self, json: Bytes, stored: &Stored, fetched: u64) -> Result<Index, Answer> {
        let sources = &self.client.settings.sources;
        let packages: Url = packages_at(
            stored.base_url.as_deref(),
            &self.channel.url,
            self.subdir,
            stored.from_origin,
            sources,
        )
        .map_err(Answer::Unreadable)?;
        let (channel, subdir, served_by) =
            (self.channel.clone(), self.subdir, stored.source.clone());
        blocking(move || Index::read(channel, subdir, packages, served_by, json, fetched))
            .await
            .map_err(Answer::Unreadable)
    }
}

/// Both forms, the remembered one first.
fn in_order(remembered: Option<Format>) -> [Format; 2] {
    match remembered {
        Some(Format::Json) => [Format::Json, Format::Zst],
        _ => [Format::Zst, Format::Json],
    }
}
