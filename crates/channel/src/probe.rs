//! Asks sources whether they have an index, without downloading it.

use std::time::SystemTime;

use envlock_model::channel::Channel;
use rattler_conda_types::Subdir;

use crate::index::{subdir_url, suggested_name};
use crate::source_error::SourceError;
use crate::transport::ServerTimes;
use crate::{Client, Source, address};

/// The answer of one source about one index.
#[derive(Debug)]
pub struct Probe {
    /// The source. Its address may hold a credential; its label never does.
    pub source: Source,
    /// What it has, or why it doesn't deliver it.
    pub result: Result<IndexInfo, SourceError>,
}

/// An index that a source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexInfo {
    /// The first format in which it has it, such as `repodata.json.zst`.
    pub format: &'static str,
    /// How many bytes that has, where it is said.
    pub bytes: Option<u64>,
    /// When it was made, as the source says.
    pub modified: Option<SystemTime>,
    /// What time it is, as the source says.
    pub now: Option<SystemTime>,
}

impl Client {
    /// Asks every source of a channel's index, in their order; empty where none may be asked.
    pub async fn probe(&self, channel: &Channel, subdir: Subdir) -> Vec<Probe> {
        let mut probes = Vec::new();
        for source in self.sources(&subdir_url(&channel.url, subdir)) {
            let result = self.first_format(&source).await;
            probes.push(Probe { source, result });
        }
        probes
    }

    /// The name that was probably meant by a channel that no source has.
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
        Err(answer.unwrap_or_else(|| SourceError::Absent("no format of it".into())))
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
