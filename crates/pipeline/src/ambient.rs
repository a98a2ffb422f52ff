//! What the surroundings say: read once by the CLI's settings, handed to every use case.

use std::collections::BTreeMap;

use envlock_channel::Client;
use envlock_config::Configuration;
use envlock_model::{channel::Rules, progress::Observer};
use rattler_conda_types::{GenericVirtualPackage, Subdir};

/// The surroundings of one run.
pub struct Ambient<'a> {
    /// Channels, mirrors and the cache.
    pub client: &'a Client,
    /// What is configured: the channels of an environment that lists none, and those that
    /// may not be used.
    pub configuration: &'a Configuration,
    /// How names of channels become URLs.
    pub rules: &'a Rules,
    /// The variables of the process, for `$VAR` in channels.
    pub variables: &'a BTreeMap<String, String>,
    /// This machine's platform.
    pub host: Subdir,
    /// What this machine has, `CONDA_OVERRIDE_*` included.
    pub host_packages: &'a [GenericVirtualPackage],
    /// Who is told what goes on.
    pub observer: &'a dyn Observer,
}
