//! envlock.lock: a valid rattler lock (version 7) with two additional top-level blocks.
//!
//! Every tool that uses `rattler_lock` reads the body: `version`, `platforms`, `environments`
//! and `packages`. The block `envlock:` has the inputs of the lock, and `secrets:` the
//! credentials that the environment needs. The file is sorted: the same inputs and indexes give
//! the same bytes on every machine.

mod blocks;
mod body;
mod consistency;
mod error;
mod freshness;
mod line_separators;
mod other_archive;
mod pip_line;
mod read;
mod requested;
#[cfg(test)]
mod tests;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use rattler_conda_types::{GenericVirtualPackage, RepoDataRecord, Subdir};
use url::Url;

use crate::{
    lock_inputs::{LockInputs, Priority, RequestedChannel},
    needs::LockedNeeds,
    wheel::{LockedWheel, normalized},
};

pub use consistency::Inconsistency;
pub use error::LockError;
pub use freshness::{Change, ChangeKind, changes};
pub use other_archive::{OtherArchive, OtherArchives};
pub use pip_line::LockedPipLine;
pub use read::read;
pub use write::{LockWriteError, write};

/// The name of the lock file.
pub const FILE_NAME: &str = "envlock.lock";

/// The value of `envlock.version` that is written and read.
pub const VERSION: u64 = 1;

/// The value of the top-level `version`, the version of the body, that is written and read.
const BODY_VERSION: u64 = 7;

/// A lock: for each platform the packages that satisfy the [`LockInputs`].
#[derive(Debug, Clone, PartialEq)]
pub struct Lock {
    /// The environment's name.
    pub name: String,
    /// The requested channels, in order.
    pub channels: Vec<RequestedChannel>,
    /// The requests and packages of each platform.
    pub platforms: BTreeMap<Subdir, LockedPlatform>,
    /// Environment variables that are set when the environment is activated.
    pub variables: BTreeMap<String, String>,
    /// The channel priority.
    pub priority: Priority,
    /// The time limit: records that are newer, or of unknown age, were excluded.
    pub exclude_newer: Option<jiff::Timestamp>,
    /// The credentials that the environment needs. `None` if the project has no manifest.
    pub needs: Option<LockedNeeds>,
    /// The other archives of the locked builds, as far as the indexes had them.
    pub other_archives: OtherArchives,
}

/// The requests and packages of one platform.
#[derive(Debug, Clone, PartialEq)]
pub struct LockedPlatform {
    /// The requested specs, sorted.
    pub specs: Vec<String>,
    /// The lines of the pip section, in order.
    pub pip: Vec<LockedPipLine>,
    /// The virtual packages that the target machine is assumed to have, sorted.
    pub virtual_packages: Vec<GenericVirtualPackage>,
    /// The conda packages, sorted by name.
    pub records: Vec<RepoDataRecord>,
    /// The wheels that satisfy the pip section, sorted by name. `None` if the lock was made
    /// without them.
    pub wheels: Option<Vec<LockedWheel>>,
}

impl LockedPlatform {
    /// Returns the records of the conda packages, then those of the wheels.
    pub fn all_records(&self) -> impl Iterator<Item = &RepoDataRecord> {
        self.records.iter().chain(self.wheels.iter().flatten().map(LockedWheel::record))
    }

    /// Whether the lock has no packages for the lines of the pip section.
    pub fn lacks_wheels(&self) -> bool {
        !self.pip.is_empty() && self.wheels.is_none()
    }

    /// Returns the names of the wheels that a line of the pip section names.
    pub fn requested_wheels(&self) -> BTreeSet<String> {
        let names: BTreeSet<String> = self.pip.iter().map(|line| first_name(&line.text)).collect();
        let wheels = self.wheels.iter().flatten().map(LockedWheel::name);
        wheels.filter(|name| names.contains(*name)).map(str::to_owned).collect()
    }
}

/// Returns the normalised name at the start of a line.
fn first_name(line: &str) -> String {
    let is_other = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    normalized(line.split(is_other).next().unwrap_or_default())
}

impl Lock {
    /// Creates the lock of `inputs` from the solved records and wheels of each platform.
    pub fn new(
        inputs: &LockInputs,
        mut records: BTreeMap<Subdir, Vec<RepoDataRecord>>,
        mut wheels: BTreeMap<Subdir, Vec<LockedWheel>>,
        needs: Option<LockedNeeds>,
    ) -> Self {
        let platforms = inputs
            .platforms
            .iter()
            .map(|(platform, requested)| {
                let mut specs: Vec<_> = requested.requests.iter().map(|r| r.text.clone()).collect();
                specs.sort();
                specs.dedup();
                let mut virtual_packages = requested.virtual_packages.clone();
                virtual_packages.sort();
                let mut records = records.remove(platform).unwrap_or_default();
                records.sort_by(|a, b| a.package_record.name.cmp(&b.package_record.name));
                let pip = requested.pip.lines.iter().map(LockedPipLine::from).collect();
                let mut wheels = wheels.remove(platform).unwrap_or_default();
                wheels.sort_by(|a, b| a.name().cmp(b.name()));
                let wheels = Some(wheels);
                (*platform, LockedPlatform { specs, pip, virtual_packages, records, wheels })
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
            other_archives: OtherArchives::new(),
        }
    }

    /// Digests everything that determines the contents of a prefix of this platform. The same
    /// digest means the same prefix.
    pub fn environment_digest(
        &self,
        platform: Subdir,
        run_post_link_scripts: bool,
        with_wheels: bool,
    ) -> String {
        let mut text = format!("{platform}\n{run_post_link_scripts}\n");
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
            for wheel in locked.wheels.iter().flatten().filter(|_| with_wheels) {
                let _ = writeln!(text, "{} {}", wheel.url(), hex::encode(wheel.sha256()));
            }
        }
        hex::encode(rattler_digest::compute_bytes_digest::<rattler_digest::Sha256>(text))
    }

    /// Returns the URLs of all channels, in order.
    pub fn channel_urls(&self) -> impl Iterator<Item = &Url> {
        self.channels.iter().flat_map(|channel| &channel.urls)
    }
}
