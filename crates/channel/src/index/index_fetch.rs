//! Fetches one format of one subdir's index from one source into the cache.

use bytes::Bytes;
use envlock_model::channel::Channel;
use envlock_model::channel::without_credentials;
use envlock_model::progress::{Event, Observer, Phase};
use rattler_conda_types::Subdir;
use tempfile::TempPath;
use tokio::sync::mpsc;

use super::base_url::package_base_url;
use super::cache::{CachedIndex, Format, IndexCacheEntry, SubdirInfo};
use super::decode::{DecodeError, Decoded, decode};
use super::listing::Listing;
use super::records::Index;
use super::regression;
use crate::blocking::spawn_blocking;
use crate::body::Body;
use crate::disk::DiskError;
use crate::failover::ScheduledRequest;
use crate::source_error::{Attempt, DownloadError, SourceError};
use crate::{Client, address};

/// The number of chunks that can wait for the decoder.
const MAX_WAITING_CHUNKS: usize = 16;

/// The fetch of one subdir's index, with its cache entry.
pub(crate) struct IndexFetch<'a> {
    pub(crate) client: &'a Client,
    pub(crate) channel: &'a Channel,
    pub(crate) subdir: Subdir,
    pub(crate) entry: IndexCacheEntry,
    pub(crate) info: SubdirInfo,
    /// The JSON that `info` describes, if it is complete.
    pub(crate) cached: Option<String>,
    pub(crate) observer: &'a dyn Observer,
}

impl IndexFetch<'_> {
    /// Fetches one format from one source.
    pub(crate) async fn fetch_format(
        &mut self,
        request: ScheduledRequest<'_>,
        format: Format,
    ) -> Result<Index, DownloadError> {
        let source = request.source;
        let key = without_credentials(&source.url).to_string();
        let url = address::join_file(&source.url, format.file_name());
        // The validators are valid only for the same source and format.
        let is_same = |stored: &&CachedIndex| stored.source == key && stored.format == format;
        let known = self.info.index.as_ref().filter(|_| self.cached.is_some()).filter(is_same);
        let validators = known.map(|stored| stored.validators.clone()).unwrap_or_default();
        let transport = &self.client.transport;
        let Some(body) = transport.get_if_changed(&url, &validators, request.force).await? else {
            let cached = self.cached().await;
            return cached.map_or_else(
                || Err(SourceError::Unreadable("304 without an index".into()).into()),
                |index| index.map_err(|attempt| attempt.error.into()),
            );
        };
        let validators = body.validators.clone();
        let (decoded, fetched) = self.download_and_decode(body, format).await?;
        let stored = CachedIndex {
            source: key.clone(),
            from_origin: source.is_origin,
            format,
            validators,
            size: decoded.size,
            sha256: decoded.sha256,
            base_url: decoded.listing.base_url.clone(),
            records: decoded.summary.records,
            newest: decoded.summary.newest,
        };
        let mut index = self.index(decoded.listing, &stored, fetched)?;
        if let Some(before) = &self.info.index {
            index.warnings.extend(regression::warnings(&self.name(), before, &stored));
        }
        self.info.formats.insert(key, format);
        self.info.index = Some(stored);
        if let Some(file) = decoded.file {
            self.store(Some(file)).await?;
        }
        Ok(index)
    }

    /// Downloads a body and decodes it meanwhile. Also returns the number of bytes received.
    async fn download_and_decode(
        &self,
        mut body: Body,
        format: Format,
    ) -> Result<(Decoded, u64), DownloadError> {
        let phase = Phase::Index;
        self.observer.observe(Event::Item { phase, name: self.name() });
        self.observer.observe(Event::Expect { phase, units: body.length.unwrap_or(0) });
        let file = match self.client.scratch_if_writable().await? {
            Some(scratch) => Some(spawn_blocking(move || scratch.file()).await?),
            None => None,
        };
        let (sender, chunks) = mpsc::channel::<Bytes>(MAX_WAITING_CHUNKS);
        let (subdir, encoding) = (self.subdir, body.encoding);
        let decoding = spawn_blocking(move || decode(chunks, encoding, format, subdir, file));
        let received = self.send_to_decoder(&mut body, sender).await;
        // The progress no longer expects the bytes that were not received.
        let rest = body.length.unwrap_or(body.received).saturating_sub(body.received);
        self.observer.observe(Event::Advance { phase, units: rest });
        let decoded = decoding.await;
        received?;
        match decoded {
            Ok(decoded) => Ok((decoded, body.received)),
            Err(DecodeError::WebPage) => Err(SourceError::WebPage.into()),
            Err(DecodeError::Unreadable(why)) => Err(SourceError::Unreadable(why).into()),
            Err(DecodeError::Disk(error)) => Err(error.into()),
        }
    }

    fn name(&self) -> String {
        format!("{}/{}", self.channel.name, self.subdir)
    }

    /// Sends the chunks to the decoder until the last one, or until the decoder stops with its
    /// own error.
    async fn send_to_decoder(
        &self,
        body: &mut Body,
        decoder: mpsc::Sender<Bytes>,
    ) -> Result<(), SourceError> {
        while let Some(chunk) = body.chunk().await? {
            let units = chunk.len() as u64;
            self.observer.observe(Event::Advance { phase: Phase::Index, units });
            if decoder.send(chunk).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Returns the cached index, or why it can't be used with the current mirrors.
    pub(crate) async fn cached(&mut self) -> Option<Result<Index, Attempt>> {
        let (json, stored) = (self.cached.take()?, self.info.index.as_ref()?);
        let subdir = self.subdir;
        let listing = spawn_blocking(move || Listing::read(json, subdir)).await;
        let index = listing
            .map_err(SourceError::Unreadable)
            .and_then(|listing| self.index(listing, stored, 0));
        Some(index.map_err(|error| Attempt { url: stored.source.clone(), error }))
    }

    /// Records in the cache that no source has the subdir.
    pub(crate) async fn record_absence(mut self) -> Result<(), DiskError> {
        self.info.index = None;
        self.store(None).await
    }

    /// Stores the metadata, and the new index if there is one. A cache that can't be written is
    /// only recorded.
    async fn store(&self, index: Option<TempPath>) -> Result<(), DiskError> {
        let Some(scratch) = self.client.scratch_if_writable().await? else { return Ok(()) };
        let (entry, info) = (self.entry.clone(), self.info.clone());
        let stored = spawn_blocking(move || match index {
            Some(index) => entry.write(info, index, &scratch),
            None => entry.write_info(info, &scratch),
        });
        stored.await.or_else(|error| self.client.note_if_read_only(error))
    }

    /// Creates the index from its listing.
    fn index(
        &self,
        listing: Listing,
        stored: &CachedIndex,
        fetched: u64,
    ) -> Result<Index, SourceError> {
        let packages = package_base_url(
            stored.base_url.as_deref(),
            &self.channel.url,
            self.subdir,
            stored.from_origin,
            &self.client.current_sources(),
        )
        .map_err(SourceError::Unreadable)?;
        let (channel, served_by) = (self.channel.clone(), stored.source.clone());
        Ok(Index::new(channel, self.subdir, packages, served_by, listing, fetched))
    }
}
