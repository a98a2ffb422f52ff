//! envlock.lock: a valid rattler lock (version 7) with two root blocks of our own.
//!
//! The body (`version, platforms, environments, packages`) is what every tool on
//! `rattler_lock` reads. `envlock:` says which inputs it answers, `secrets:` which
//! credentials the environment needs. One file, sorted, the same bytes for the same inputs
//! and the same indexes on every machine.

mod blocks;
mod body;
mod consistency;
mod error;
mod freshness;
mod read;
mod requested;
#[cfg(test)]
mod tests;
mod write;

use std::{collections::BTreeMap, fmt::Write as _};

use rattler_conda_types::{GenericVirtualPackage, RepoDataRecord, Subdir};
use url::Url;

use crate::{
    lock_inputs::{LockInputs, Priority, RequestedChannel},
    needs::LockedNeeds,
};

pub use consistency::Inconsistency;
pub use error::LockError;
pub use freshness::{Change, ChangeKind, changes};
pub use read::read;
pub use write::{LockWriteError, write};

/// The file's name.
pub const FILE_NAME: &str = "envlock.lock";

/// The `envlock.version` that this program writes and reads.
pub const VERSION: u64 = 1;

/// The root's `version`, that of the body, which this program writes and reads.
const BODY_VERSION: u64 = 7;

/// The answer to a [`LockInputs`]: for each platform a set of packages.
#[derive(Debug, Clone, PartialEq)]
pub struct Lock {
    /// The environment's name.
    pub name: String,
    /// The channels that were platform_inputs, in order.
    pub channels: Vec<RequestedChannel>,
    /// The answer by platform.
    pub platforms: BTreeMap<Subdir, LockedPlatform>,
    /// Environment variables that the environment sets when it is activated.
    pub variables: BTreeMap<String, String>,
    /// What the order of the channels decided.
    pub priority: Priority,
    /// Records newer than this, or of unknown age, were no candidates.
    pub exclude_newer: Option<jiff::Timestamp>,
    /// The credentials that the environment needs; none where the project has no manifest.
    pub needs: Option<LockedNeeds>,
}

/// What was platform_inputs and found for one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct LockedPlatform {
    /// The specs that were platform_inputs for, sorted.
    pub specs: Vec<String>,
    /// The lines of the pip section, in order. They are recorded, not resolved.
    pub pip: Vec<String>,
    /// What the machine is assumed to have, sorted.
    pub virtual_packages: Vec<GenericVirtualPackage>,
    /// The packages, sorted by name.
    pub records: Vec<RepoDataRecord>,
}

impl Lock {
    /// The lock that answers `inputs` with these packages by platform.
    pub fn new(
        inputs: &LockInputs,
        mut records: BTreeMap<Subdir, Vec<RepoDataRecord>>,
        needs: Option<LockedNeeds>,
    ) -> Self {
        let platforms = inputs
            .platforms
            .iter()
            .map(|(platform, platform_inputs)| {
                let mut specs: Vec<_> =
                    platform_inputs.requests.iter().map(|r| r.text.clone()).collect();
                specs.sort();
                specs.dedup();
                let mut virtual_packages = platform_inputs.virtual_packages.clone();
                virtual_packages.sort();
                let mut records = records.remove(platform).unwrap_or_default();
                records.sort_by(|a, b| a.package_record.name.cmp(&b.package_record.name));
                let pip = platform_inputs.pip.iter().map(|line| line.text.clone()).collect();
                (*platform, LockedPlatform { specs, pip, virtual_packages, records })
            })
            .collect();
        Self {
            name: inputs.name.clone(),
            channels: inputs.channels.clone(),
            platforms,
            variables: inputs.variables.clone(),
            priority: inputs.priority,
            exclude_newer: inputs.exclude_newer,
            needs,
        }
    }

    /// A digest of everything that decides what a prefix of this platform holds. The same
    /// environment_digest means the same prefix.
    pub fn environment_digest(&self, platform: Subdir, link_scripts: bool) -> String {
        let mut text = format!("{platform}\n{link_scripts}\n");
        for (name, value) in &self.variables {
            let _ = writeln!(text, "{name}={value:?}");
        }
        if let Some(locked) = self.platforms.get(&platform) {
            for spec in &locked.specs {
                let _ = writeln!(text, "{spec}");
            }
            for record in &locked.records {
                let sha256 = record.package_record.sha256.unwrap_or_default();
                let _ = writeln!(text, "{} {}", record.url, hex::encode(sha256));
            }
        }
        hex::encode(rattler_digest::compute_bytes_digest::<rattler_digest::Sha256>(text))
    }

    /// The URLs of all channels, in order.
    pub fn channel_urls(&self) -> impl Iterator<Item = &Url> {
        self.channels.iter().flat_map(|channel| &channel.urls)
    }
}
