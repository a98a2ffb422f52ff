//! One form of one subdir's index from one source, into the cache.

use bytes::Bytes;
use envlock_model::channel::Channel;
use envlock_model::channel::without_credentials;
use envlock_model::progress::{Event, Observer, Phase};
use rattler_conda_types::Subdir;
use tokio::sync::mpsc;

use super::age;
use super::base_url::packages_at;
use super::cache::{Format, Info, Slot, Stored};
use super::decode::{Decoded, Undecoded, decode};
use super::records::Index;
use crate::blocking::blocking;
use crate::disk::DiskError;
use crate::failover::Turn;
use crate::source_error::{Attempt, DownloadError, SourceError};
use crate::transport::Body;
use crate::{Client, address};

/// How many pieces may wait for the decoder.
const PIECES: usize = 16;

/// One subdir that is being fetched, and what was known of it before.
pub(crate) struct Delivery<'a> {
    pub(crate) client: &'a Client,
    pub(crate) channel: &'a Channel,
    pub(crate) subdir: Subdir,
    pub(crate) slot: Slot,
    pub(crate) info: Info,
    /// The JSON that `info` describes, where it is whole.
    pub(crate) cached: Option<Bytes>,
    pub(crate) observer: &'a dyn Observer,
}

impl Delivery<'_> {
    /// One form at one source.
    pub(crate) async fn fetch(
        &mut self,
        turn: Turn<'_>,
        format: Format,
    ) -> Result<Index, DownloadError> {
        let source = turn.source;
        let key = without_credentials(&source.url).to_string();
        let url = address::file_in(&source.url, format.file_name());
        // Only what this very source delivered in this form can be unchanged there.
        let is_same = |stored: &&Stored| stored.source == key && stored.format == format;
        let known = self.info.index.as_ref().filter(|_| self.cached.is_some()).filter(is_same);
        let validators = known.map(|stored| stored.validators.clone()).unwrap_or_default();
        let transport = &self.client.transport;
        let Some(body) = transport.get_if_changed(&url, &validators, turn.force).await? else {
            let cached = self.cached().await;
            return cached.map_or_else(
                || Err(SourceError::Unreadable("304 without an index".into()).into()),
                |index| index.map_err(|attempt| attempt.error.into()),
            );
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
            records: decoded.about.records,
            newest: decoded.about.newest,
        };
        let mut index = self.index(decoded.json, &stored, fetched).await?;
        if let Some(before) = &self.info.index {
            index.warnings = age::warnings(&self.name(), before, &stored);
        }
        self.info.formats.insert(key, format);
        self.info.index = Some(stored);
        let (slot, scratch, info) = (self.slot.clone(), self.client.scratch()?, self.info.clone());
        blocking(move || slot.write(info, decoded.file, &scratch)).await?;
        Ok(index)
    }

    /// Takes in a body and decodes it meanwhile; also says how many bytes came.
    async fn receive(
        &self,
        mut body: Body,
        format: Format,
    ) -> Result<(Decoded, u64), DownloadError> {
        let phase = Phase::Index;
        self.observer.observe(Event::Item { phase, name: self.name() });
        self.observer.observe(Event::Expect { phase, units: body.length.unwrap_or(0) });
        let file = self.client.scratch()?.file()?;
        let (sender, pieces) = mpsc::channel::<Bytes>(PIECES);
        let subdir = self.subdir;
        let decoding = blocking(move || decode(pieces, format, subdir, file));
        let received = self.pour(&mut body, sender).await;
        // What doesn't come any more isn't waited for either.
        let rest = body.length.unwrap_or(body.got).saturating_sub(body.got);
        self.observer.observe(Event::Advance { phase, units: rest });
        let decoded = decoding.await;
        received?;
        match decoded {
            Ok(decoded) => Ok((decoded, body.got)),
            Err(Undecoded::Unreadable(why)) => Err(SourceError::Unreadable(why).into()),
            Err(Undecoded::Disk(error)) => Err(error.into()),
        }
    }

    fn name(&self) -> String {
        format!("{}/{}", self.channel.name, self.subdir)
    }

    /// Passes the pieces on until the last one, or until the decoder gave up: it says why
    /// itself.
    async fn pour(&self, body: &mut Body, decoder: mpsc::Sender<Bytes>) -> Result<(), SourceError> {
        while let Some(chunk) = body.chunk().await? {
            let units = chunk.len() as u64;
            self.observer.observe(Event::Advance { phase: Phase::Index, units });
            if decoder.send(chunk).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// The cached index, or why it can't be used with today's mirrors.
    pub(crate) async fn cached(&mut self) -> Option<Result<Index, Attempt>> {
        let (json, stored) = (self.cached.take()?, self.info.index.as_ref()?);
        let index = self.index(json, stored, 0).await;
        Some(index.map_err(|answer| Attempt { url: stored.source.clone(), error: answer }))
    }

    /// Remembers that no source has the subdir.
    pub(crate) async fn forget(mut self) -> Result<(), DiskError> {
        self.info.index = None;
        let scratch = self.client.scratch()?;
        let (slot, info) = (self.slot, self.info);
        blocking(move || slot.write_info(info, &scratch)).await
    }

    /// The records of a JSON that was checked.
    async fn index(
        &self,
        json: Bytes,
        stored: &Stored,
        fetched: u64,
    ) -> Result<Index, SourceError> {
        let packages = packages_at(
            stored.base_url.as_deref(),
            &self.channel.url,
            self.subdir,
            stored.from_origin,
            &self.client.asked(),
        )
        .map_err(SourceError::Unreadable)?;
        let (channel, subdir) = (self.channel.clone(), self.subdir);
        let served_by = stored.source.clone();
        blocking(move || Index::read(channel, subdir, packages, served_by, json, fetched))
            .await
            .map_err(SourceError::Unreadable)
    }
}
