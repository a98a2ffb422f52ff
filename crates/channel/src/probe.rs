//! Checks whether sources have an index, without downloading it.

use std::time::SystemTime;

use envlock_model::channel::Channel;
use rattler_conda_types::Subdir;

use crate::index::{subdir_url, suggested_name};
use crate::source_error::SourceError;
use crate::transport::ServerTimes;
use crate::{Client, Source, address};

/// The result of probing one source for one index.
#[derive(Debug)]
pub struct Probe {
    /// The source. Its URL may hold a credential; its label never does.
    pub source: Source,
    /// The index of the source, or why it doesn't deliver one.
    pub result: Result<IndexInfo, SourceError>,
}

/// An index that a source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexInfo {
    /// The first file that the source has, such as `repodata.json.zst`.
    pub format: &'static str,
    /// Its size in bytes, if the source reports it.
    pub bytes: Option<u64>,
    /// When it was modified, by the source's clock.
    pub modified: Option<SystemTime>,
    /// The current time, by the source's clock.
    pub now: Option<SystemTime>,
}

impl Client {
    /// Probes every source of a channel's index, in order. Empty if no source may be tried.
    pub async fn probe(&self, channel: &Channel, subdir: Subdir) -> Vec<Probe> {
        let mut probes = Vec::new();
        for source in self.sources(&subdir_url(&channel.url, subdir)) {
            let result = self.first_format(&source).await;
            probes.push(Probe { source, result });
        }
        probes
    }

    /// Suggests the right name for a channel that no source has.
    pub fn suggested_name(channel: &Channel) -> Option<String> {
        suggested_name(channel)
    }

    async fn first_format(&self, source: &Source) -> Result<IndexInfo, SourceError> {
        let mut answer = None;
        for format in ["repodata.json.zst", "repodata.json"] {
            match self.first_bytes(source, format).await {
                Ok((bytes, ServerTimes { modified, now })) => {
                    return Ok(IndexInfo { format, bytes, modified, now });
                }
                Err(absent @ SourceError::Absent(_)) => answer = Some(absent),
                Err(other) => return Err(other),
            }
        }
        Err(answer.unwrap_or_else(|| SourceError::Absent("no index file".into())))
    }

    async fn first_bytes(
        &self,
        source: &Source,
        format: &str,
    ) -> Result<(Option<u64>, ServerTimes), SourceError> {
        let mut body = self.transport.get(&address::join_file(&source.url, format), true).await?;
        body.chunk().await?;
        Ok((body.length, body.server_times))
    }
}
