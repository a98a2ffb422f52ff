//! A loopback mirror with test channels and faults.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;

use envlock_depot::{Fault, IndexFormats, Mirror};

use crate::{FaultyServer, TestChannel, shared};

/// A loopback mirror with test channels and faults: one server over one directory in the Tsinghua
/// mirror's layout.
#[derive(Debug)]
pub struct TestMirror {
    server: FaultyServer,
    channels: BTreeMap<String, TestChannel>,
    mirror: Mirror,
}

impl Default for TestMirror {
    fn default() -> Self {
        Self::new()
    }
}

impl TestMirror {
    /// Creates a mirror without channels.
    pub fn new() -> Self {
        let server = FaultyServer::new();
        let mirror = Mirror::new(server.root());
        Self { server, channels: BTreeMap::new(), mirror }
    }

    /// Creates a mirror with the real records of the shared channels, without archives; `None` if
    /// the repository has no `../shared`. The data is in `.zst`; JSON is unpacked.
    pub fn shared_channels(formats: IndexFormats) -> Option<Self> {
        let world = Self::new();
        shared::copy_channels(&shared::shared_data("channels")?, &world.mirror, formats)
            .expect("the shared channels can be copied");
        Some(world)
    }

    /// Adds a channel: `conda-forge`, or `pkgs/main` for those of repo.anaconda.com.
    #[must_use]
    pub fn channel(mut self, name: &str, edit: impl FnOnce(&mut TestChannel)) -> Self {
        self.update_channel(name, edit);
        self
    }

    /// Changes or adds a channel, and writes its index.
    pub fn update_channel(&mut self, name: &str, edit: impl FnOnce(&mut TestChannel)) {
        let mirror = &self.mirror;
        let new = || TestChannel::new(mirror.channel(name));
        let channel = self.channels.entry(name.to_owned()).or_insert_with(new);
        edit(channel);
        channel.channel.write_index(channel.index).expect("the index can be written");
    }

    /// Adds a fault for every path that matches the pattern; `*` matches any text. The latest
    /// fault has priority.
    #[must_use]
    pub fn with_fault(self, pattern: &str, fault: Fault) -> Self {
        self.add_fault(pattern, fault);
        self
    }

    /// Adds a fault for the first `times` requests. Later requests get the right answer.
    #[must_use]
    pub fn with_fault_times(self, times: usize, pattern: &str, fault: Fault) -> Self {
        self.add_fault_times(times, pattern, fault);
        self
    }

    /// Returns the URL of a channel, without a final slash.
    pub fn channel_url(&self, name: &str) -> String {
        let directory = self.channel_dir(name);
        let below = directory.strip_prefix(self.root()).expect("channels are below the root");
        format!("{}/{}", self.url(), below.display())
    }

    /// The directory of a channel.
    pub fn channel_dir(&self, name: &str) -> PathBuf {
        self.mirror.channel_dir(name)
    }

    /// Returns the arguments that make this mirror the only source of both origins.
    pub fn mirror_args(&self) -> Vec<String> {
        let mirrors = Mirror::mirror_pairs(&self.url());
        let pairs = mirrors.iter().map(|(origin, mirror)| format!("{origin}={mirror}"));
        let mirrors = pairs.flat_map(|pair| ["--mirror".to_owned(), pair]);
        mirrors.chain(["--no-origin".to_owned()]).collect()
    }
}

impl Deref for TestMirror {
    type Target = FaultyServer;

    fn deref(&self) -> &FaultyServer {
        &self.server
    }
}

#[cfg(test)]
mod tests;
