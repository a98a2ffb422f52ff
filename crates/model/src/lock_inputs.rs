//! The inputs of a lock: environment.yml, the flags and the configuration, resolved to one
//! value.
//!
//! The inputs are given to the solver, written into the lock, and later compared with the lock
//! to see whether it is up to date.

use std::collections::BTreeMap;

use envlock_report::Place;
use rattler_conda_types::{GenericVirtualPackage, MatchSpec, Matches, RepoDataRecord, Subdir};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{pip::PipInputs, spec::Conditions, virtual_packages};

/// Everything that determines the contents of a lock file.
#[derive(Debug, Clone, PartialEq)]
pub struct LockInputs {
    /// The environment's name.
    pub name: String,
    /// The channels in order of priority. Channels that only a spec names come last.
    pub channels: Vec<RequestedChannel>,
    /// The inputs of each platform.
    pub platforms: BTreeMap<Subdir, PlatformInputs>,
    /// Environment variables that are set when the environment is activated.
    pub variables: BTreeMap<String, String>,
    /// The channel priority.
    pub priority: Priority,
    /// The time limit: records that are newer, or of unknown age, are excluded.
    pub exclude_newer: Option<jiff::Timestamp>,
}

/// The channel priority: how the order of the channels restricts the candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// Records of a package come only from the first channel that has it.
    #[default]
    Strict,
    /// A later channel is used if no earlier one has a record that fits.
    Flexible,
    /// The order has no effect: the newest record of all channels is preferred.
    Disabled,
}

impl Priority {
    /// Returns the name, as on the command line and in the lock.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Flexible => "flexible",
            Self::Disabled => "disabled",
        }
    }
}

/// A requested channel: one URL, or a multichannel of several URLs, such as `defaults`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedChannel {
    /// The name to show, without credentials.
    pub name: String,
    /// The origin's URLs, each ending in a slash.
    pub urls: Vec<Url>,
    /// Whether it is a multichannel. Its URLs have the same priority.
    pub multi: bool,
    /// Whether only specs `channel::package` name it. Then only these packages are searched
    /// in it.
    pub only_for_specs: bool,
}

/// What is requested for one platform.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlatformInputs {
    /// The place in the file. `None` if the platform isn't from there.
    pub place: Option<Place>,
    /// The match specs in the order of the file.
    pub requests: Vec<RequestedSpec>,
    /// What pip is asked for.
    pub pip: PipInputs,
    /// The virtual packages that the target machine is assumed to have.
    pub virtual_packages: Vec<GenericVirtualPackage>,
}

/// A requested match spec.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestedSpec {
    /// The text as written, with the name to show in place of the channel.
    pub text: String,
    /// The place in the file.
    pub place: Place,
    /// The match spec without its channel.
    pub spec: MatchSpec,
    /// The conditions in addition to `spec`.
    pub conditions: Conditions,
    /// The channel that the package must come from, by [`RequestedChannel::name`].
    pub channel: Option<String>,
    /// The subdir that the package must come from.
    pub subdir: Option<Subdir>,
}

impl RequestedChannel {
    /// Whether `record` comes from this channel.
    pub fn contains(&self, record: &RepoDataRecord) -> bool {
        record.channel.as_deref().is_some_and(|channel| {
            let channel = channel.trim_end_matches('/');
            self.urls.iter().any(|url| url.as_str().trim_end_matches('/') == channel)
        })
    }
}

impl RequestedSpec {
    /// Returns the normalised name of the package.
    pub fn package(&self) -> &str {
        self.spec.name.as_exact().map_or("", |name| name.as_normalized())
    }

    /// Whether `record` matches the spec, in any channel and subdir.
    pub fn matches_in_any_channel(&self, record: &RepoDataRecord) -> bool {
        self.spec.matches(record) && self.conditions.match_record(&record.package_record)
    }

    /// Whether a machine with this virtual package matches the spec.
    pub fn matches_virtual(&self, package: &GenericVirtualPackage) -> bool {
        virtual_packages::meets(package, &self.spec, &self.conditions)
    }

    /// Whether `record` matches the spec, its channel and its subdir.
    pub fn matches(&self, record: &RepoDataRecord, channels: &[RequestedChannel]) -> bool {
        let from_channel = self.channel.as_deref().is_none_or(|name| {
            channels.iter().any(|channel| channel.name == name && channel.contains(record))
        });
        let from_subdir =
            self.subdir.is_none_or(|subdir| record.package_record.subdir == subdir.as_str());
        from_channel && from_subdir && self.matches_in_any_channel(record)
    }
}
