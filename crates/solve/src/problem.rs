//! What is put to the solver for one platform.

use envlock_model::question::{Asked, AskedChannel};
use rattler_conda_types::{RepoDataRecord, Subdir};

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
}

/// The records of one subdir of one channel.
#[derive(Debug, Clone, Default)]
pub struct Records {
    /// The channel's place in [`Problem::channels`].
    pub channel: usize,
    /// Candidates: each with a sha256.
    pub records: Vec<RepoDataRecord>,
    /// Records without a sha256. None of them is a candidate: nothing could be verified.
    pub unhashed: Vec<RepoDataRecord>,
}
