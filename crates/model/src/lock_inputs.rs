//! What is asked: environment.yml, the flags and the configuration, settled into one value.
//!
//! A lock is the answer to a inputs. The same inputs is put to the solver, written into
//! the lock, and compared with a lock to tell whether it is still an answer.

use std::collections::BTreeMap;

use envlock_report::Place;
use rattler_conda_types::{GenericVirtualPackage, MatchSpec, RepoDataRecord, Subdir};
use serde::{Deserialize, Serialize};
use url::Url;

/// Everything that decides what a lock holds.
#[derive(Debug, Clone, PartialEq)]
pub struct LockInputs {
    /// The environment's name.
    pub name: String,
    /// The channels in their order of priority; those named only in a spec come last.
    pub channels: Vec<RequestedChannel>,
    /// What is asked for each platform.
    pub platforms: BTreeMap<Subdir, PlatformInputs>,
    /// Environment variables that the environment sets when it is activated.
    pub variables: BTreeMap<String, String>,
    /// What the order of the channels decides.
    pub priority: Priority,
    /// Only records that are known to be no newer are candidates.
    pub exclude_newer: Option<jiff::Timestamp>,
}

/// What the order of the channels decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// The first channel that has a package is the only one that it comes from.
    #[default]
    Strict,
    /// A later channel is used where no earlier one has a record that fits.
    Flexible,
    /// The newest record wins, whichever channel has it.
    Disabled,
}

impl Priority {
    /// As it is typed and written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Flexible => "flexible",
            Self::Disabled => "disabled",
        }
    }
}

/// A channel as it was asked for: one URL, or several that act as one (`defaults`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedChannel {
    /// Its name to people, never with a credential.
    pub name: String,
    /// The origin's URLs, each ending in a slash.
    pub urls: Vec<Url>,
    /// Whether it is one channel out of several URLs: they share one priority.
    pub multi: bool,
    /// Named only in `channel::package`: searched for these packages alone.
    pub only_for_specs: bool,
}

/// What is asked for one platform.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlatformInputs {
    /// The requests, in the order of the file.
    pub requests: Vec<RequestedSpec>,
    /// The lines of the pip section.
    pub pip: Vec<RequestedPipLine>,
    /// What the machine that will run it is assumed to have.
    pub virtual_packages: Vec<GenericVirtualPackage>,
}

/// One conda requirement.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestedSpec {
    /// As written, but for the channel, which is its name to people.
    pub text: String,
    /// Where it is written.
    pub place: Place,
    /// The requirement without its channel.
    pub spec: MatchSpec,
    /// The channel that the package must come from, by [`RequestedChannel::name`].
    pub channel: Option<String>,
    /// The subdir that the package must come from.
    pub subdir: Option<Subdir>,
}

/// One line of the pip section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedPipLine {
    /// As written.
    pub text: String,
    /// Where it is written.
    pub place: Place,
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
    /// The normalised name of the package that it asks for.
    pub fn package(&self) -> &str {
        self.spec.name.as_exact().map_or("", |name| name.as_normalized())
    }

    /// Whether `record` is what is asked for, its channel and subdir included.
    pub fn accepts(&self, record: &RepoDataRecord, channels: &[RequestedChannel]) -> bool {
        use rattler_conda_types::Matches;
        let from_channel = self.channel.as_deref().is_none_or(|name| {
            channels.iter().any(|channel| channel.name == name && channel.contains(record))
        });
        let from_subdir =
            self.subdir.is_none_or(|subdir| record.package_record.subdir == subdir.as_str());
        from_channel && from_subdir && self.spec.matches(record)
    }
}
