//! A loopback mirror with test channels and faults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use envlock_depot::{Fault, Hangs, IndexFormats, LoggedRequest, Mirror, Server};
use tempfile::TempDir;

use crate::faults::{Faults, matches};
use crate::{TestChannel, shared};

/// A loopback mirror with test channels and faults: one server over one directory in the Tsinghua
/// mirror's layout.
#[derive(Debug)]
pub struct TestMirror {
    // Dropped before the directory that it serves.
    server: Server,
    faults: Arc<Mutex<Faults>>,
    channels: BTreeMap<String, TestChannel>,
    mirror: Mirror,
    _directory: TempDir,
}

impl Default for TestMirror {
    fn default() -> Self {
        Self::new()
    }
}

impl TestMirror {
    /// Creates a mirror without channels.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let faults = Arc::<Mutex<Faults>>::default();
        let rules = Arc::clone(&faults);
        let hook = move |request: &envlock_depot::Request| lock(&rules).next(&request.path);
        let server = Server::start_with(directory.path(), hook).expect("loopback has a free port");
        let mirror = Mirror::new(directory.path());
        Self { server, faults, channels: BTreeMap::new(), mirror, _directory: directory }
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
        lock(&self.faults).add(pattern, Some(times), fault);
        self
    }

    /// Adds a fault.
    pub fn add_fault(&self, pattern: &str, fault: Fault) {
        lock(&self.faults).add(pattern, None, fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    /// Returns the responses that hang.
    pub fn hangs(&self) -> Hangs {
        self.server.hangs()
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Returns the URL of a channel, without a final slash.
    pub fn channel_url(&self, name: &str) -> String {
        let directory = self.channel_dir(name);
        let below = directory.strip_prefix(self.root()).expect("channels are below the root");
        format!("{}/{}", self.url(), below.display())
    }

    /// The directory that is served.
    pub fn root(&self) -> &Path {
        self.mirror.root()
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

    /// Returns the requests whose paths match the pattern, in the order of the answers.
    pub fn requests(&self, pattern: &str) -> Vec<LoggedRequest> {
        let log = self.server.log();
        log.into_iter().filter(|logged| matches(pattern, &logged.request.path)).collect()
    }

    /// Clears the log of requests.
    pub fn clear_requests(&self) {
        self.server.clear_log();
    }
}

fn lock(faults: &Mutex<Faults>) -> MutexGuard<'_, Faults> {
    faults.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
