//! Fetches the indexes of all subdirs of all channels.

use std::collections::BTreeSet;

use envlock_model::progress::{self, Event, Observer};
use envlock_report::{Code, Finding};
use futures::future::join_all;
use rattler_conda_types::Subdir;

use super::error::{ChannelFailure, ChannelFailureKind, IndexError};
use super::fetch::{IndexResult, NoIndex};
use super::hints;
use super::records::{Index, Indexes};
use crate::Client;
use crate::disk::DiskError;
use crate::source_error::Attempt;
use envlock_model::channel::Channel;

/// A channel and the requested platforms. `noarch` is always requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRequest {
    /// The channel.
    pub channel: Channel,
    /// The platforms, in the order in which their records are returned.
    pub subdirs: Vec<Subdir>,
}

impl ChannelRequest {
    /// Returns the platforms, then `noarch`.
    fn all(&self) -> impl Iterator<Item = Subdir> {
        let platforms = self.subdirs.iter().copied().filter(|subdir| *subdir != Subdir::NoArch);
        platforms.chain([Subdir::NoArch])
    }
}

impl Client {
    /// Fetches the indexes of all subdirs concurrently. The result has the order of the channels.
    ///
    /// A platform that no source has is empty, with a warning, if the channel has noarch. All
    /// failures are one error.
    pub async fn indexes(
        &self,
        requests: &[ChannelRequest],
        observer: &dyn Observer,
    ) -> Result<Indexes, IndexError> {
        self.clear_abandoned().await;
        let outcomes = join_all(requests.iter().map(|request| {
            join_all(request.all().map(|subdir| self.index(&request.channel, subdir, observer)))
        }))
        .await;
        let mut found =
            Found { warnings: self.read_only_note().into_iter().collect(), ..Found::default() };
        for (request, outcomes) in requests.iter().zip(outcomes) {
            let outcomes = outcomes.into_iter().collect::<Result<Vec<_>, DiskError>>()?;
            found.channel(request, outcomes, requests);
        }
        found.accept_absent_members();
        if !found.failures.is_empty() {
            let Found { failures, warnings, .. } = found;
            return Err(IndexError::Channels { failures, warnings });
        }
        let bytes = found.indexes.iter().map(|index| index.fetched).sum();
        let outcome = progress::Outcome::Indexes { indexes: found.indexes.len(), bytes };
        observer.observe(Event::Done(outcome));
        Ok(Indexes::new(found.indexes, found.warnings, found.absent_members))
    }
}

/// The results of the channels so far.
#[derive(Default)]
struct Found {
    indexes: Vec<Index>,
    warnings: Vec<Finding>,
    failures: Vec<ChannelFailure>,
    absent_members: Vec<ChannelFailure>,
}

impl Found {
    /// Accepts that a source lacks members of a multichannel, if another member was found.
    fn accept_absent_members(&mut self) {
        let found: BTreeSet<&str> =
            self.indexes.iter().filter_map(|index| index.channel.multichannel.as_deref()).collect();
        let is_accepted = |failure: &ChannelFailure| {
            failure.absent_member_of().is_some_and(|multichannel| found.contains(multichannel))
        };
        let failures = std::mem::take(&mut self.failures).into_iter();
        (self.absent_members, self.failures) = failures.partition(is_accepted);
    }

    /// Adds the results of one channel, one for each of [`ChannelRequest::all`]. `asked` are all
    /// channels.
    fn channel(
        &mut self,
        request: &ChannelRequest,
        outcomes: Vec<IndexResult>,
        asked: &[ChannelRequest],
    ) {
        let channel = &request.channel;
        let failure = |kind| ChannelFailure::new(channel.clone(), kind);
        let mut absent: Vec<(Subdir, Vec<Attempt>)> = Vec::new();
        for (subdir, outcome) in request.all().zip(outcomes) {
            match outcome {
                Ok(mut index) => {
                    self.warnings.append(&mut index.warnings);
                    if index.is_empty() && subdir != Subdir::NoArch {
                        self.warnings.push(lists_nothing(channel, &index));
                    }
                    self.indexes.push(index);
                }
                Err(NoIndex::Absent(attempts)) => absent.push((subdir, attempts)),
                Err(NoIndex::Unavailable(attempts)) => {
                    self.failures
                        .push(failure(ChannelFailureKind::Unavailable { subdir, attempts }));
                }
                Err(NoIndex::NotCached) => {
                    self.failures.push(failure(ChannelFailureKind::NotCached { subdir }));
                }
                Err(NoIndex::NoSource) => {
                    return self.failures.push(failure(ChannelFailureKind::NoSource));
                }
            }
        }
        let has_noarch = absent.iter().all(|(subdir, _)| *subdir != Subdir::NoArch);
        let platforms =
            || absent.iter().map(|(subdir, _)| *subdir).filter(|subdir| *subdir != Subdir::NoArch);
        if has_noarch {
            self.warnings.extend(platforms().map(|subdir| empty(channel, subdir)));
        } else if platforms().next().is_some() {
            self.failures.push(failure(ChannelFailureKind::NotFound {
                subdirs: absent.iter().map(|(subdir, _)| *subdir).collect(),
                hint: hints::suggested_name_except(channel, asked),
                attempts: absent.into_iter().flat_map(|(_, attempts)| attempts).collect(),
            }));
        }
    }
}

fn empty(channel: &Channel, subdir: Subdir) -> Finding {
    Finding::new(
        Code::SubdirEmpty,
        format!("the channel {} has nothing for {subdir}", channel.name),
    )
    .with_note("no source has that index; the channel's noarch packages are used")
}

fn lists_nothing(channel: &Channel, index: &Index) -> Finding {
    Finding::new(
        Code::SubdirEmpty,
        format!("the channel {} has nothing for {}", channel.name, index.subdir),
    )
    .with_note(format!("its index is there and lists no package: {}", index.served_by))
}
