//! What is put to the solver for one platform.

use std::collections::BTreeSet;

use envlock_model::question::{Asked, AskedChannel, Priority};
use rattler_conda_types::{RepoDataRecord, Subdir};

use crate::pool::name;

/// One platform's question and the records that could answer it.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// The platform.
    pub platform: Subdir,
    /// The channels in order of priority.
    pub channels: &'a [AskedChannel],
    /// What is asked.
    pub asked: &'a Asked,
    /// The records, by channel and subdir, in the channels' order.
    pub records: &'a [Records],
    /// The records of the present lock: they stay where they can.
    pub locked: &'a [RepoDataRecord],
    /// Packages to upgrade to the newest version that fits; the others only as far as they
    /// must.
    pub upgraded: &'a BTreeSet<String>,
    /// What the order of the channels decides.
    pub priority: Priority,
    /// Records newer than this, or of unknown age, are no candidates.
    pub exclude_newer: Option<jiff::Timestamp>,
}

/// The records of one subdir of one channel.
#[derive(Debug, Clone)]
pub struct Records {
    /// The channel's place in [`Problem::channels`].
    pub(crate) channel: usize,
    /// Candidates: each with a sha256.
    pub(crate) with_sha256: Vec<RepoDataRecord>,
    /// Records without a sha256. None of them is a candidate: nothing could be verified.
    pub(crate) without_sha256: Vec<RepoDataRecord>,
}

impl Records {
    /// The records of a subdir of the channel at that place, sorted: the order in which an
    /// index was read decides nothing.
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
