//! The input of the solver for one platform.

use std::collections::BTreeSet;

use envlock_model::lock_inputs::{PlatformInputs, Priority, RequestedChannel};
use rattler_conda_types::{RepoDataRecord, Subdir};

use crate::pool::name;

/// The requests and the records of one platform.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// The platform.
    pub platform: Subdir,
    /// The channels in order of priority.
    pub channels: &'a [RequestedChannel],
    /// The requests, and the virtual packages that are assumed.
    pub inputs: &'a PlatformInputs,
    /// The records, by channel and subdir, in the channels' order.
    pub records: &'a [Records],
    /// The records of the existing lock. They are kept where possible.
    pub locked: &'a [RepoDataRecord],
    /// Packages to upgrade to the newest version that fits. Other packages change only if
    /// necessary.
    pub upgraded: &'a BTreeSet<String>,
    /// The channel priority.
    pub priority: Priority,
    /// Records newer than this time, or without a timestamp, are not candidates.
    pub exclude_newer: Option<jiff::Timestamp>,
}

/// The records of one subdir of one channel.
#[derive(Debug, Clone)]
pub struct Records {
    /// The index of the channel in [`Problem::channels`].
    pub(crate) channel: usize,
    /// Candidates. Each has a sha256.
    pub(crate) with_sha256: Vec<RepoDataRecord>,
    /// Records without a sha256. They are not candidates, because their archives can't be
    /// verified.
    pub(crate) without_sha256: Vec<RepoDataRecord>,
}

impl Records {
    /// Creates the records of a subdir of the channel with this index. They are sorted, so that
    /// the order of the index doesn't matter.
    pub fn new(
        channel: usize,
        mut with_sha256: Vec<RepoDataRecord>,
        mut without_sha256: Vec<RepoDataRecord>,
    ) -> Self {
        for list in [&mut with_sha256, &mut without_sha256] {
            list.sort_by(|a, b| name(a).cmp(name(b)).then_with(|| a.url.cmp(&b.url)));
        }
        Self { channel, with_sha256, without_sha256 }
    }
}
