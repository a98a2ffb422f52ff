//! Whether sources answer, and what they have, without taking it.

use std::time::SystemTime;

use envlock_model::channel::Channel;
use rattler_conda_types::Subdir;

use crate::answer::Answer;
use crate::index::{right_name, subdir_url};
use crate::transport::Served;
use crate::{Client, Source, address};

/// What one source says of one index.
#[derive(Debug)]
pub struct Probe {
    /// Who was asked. Its address may hold a credential; its label never does.
    pub source: Source,
    /// What it has, or what it answered instead.
    pub answer: Result<Alive, Answer>,
}

/// An index that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alive {
    /// The first form in which it has it, such as `repodata.json.zst`.
    pub form: &'static str,
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
            let answer = self.alive(&source).await;
            probes.push(Probe { source, answer });
        }
        probes
    }

    /// What was probably meant by a channel that nobody has.
    pub fn right_name(channel: &Channel) -> Option<String> {
        right_name(channel)
    }

    async fn alive(&self, source: &Source) -> Result<Alive, Answer> {
        let mut answer = None;
        for form in ["repodata.json.zst", "repodata.json"] {
            match self.first_bytes(source, form).await {
                Ok((bytes, Served { modified, now })) => {
                    return Ok(Alive { form, bytes, modified, now });
                }
                Err(absent @ Answer::Absent(_)) => answer = Some(absent),
                Err(other) => return Err(other),
            }
        }
        Err(answer.unwrap_or_else(|| Answer::Absent("no form of it".into())))
    }

    async fn first_bytes(
        &self,
        source: &Source,
        form: &str,
    ) -> Result<(Option<u64>, Served), Answer> {
        let mut body = self.transport.get(&address::file_in(&source.url, form), true).await?;
        body.chunk().await?;
        Ok((body.length, body.served))
    }
}
