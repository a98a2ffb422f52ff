//! The context of a run: read once by the CLI's settings, handed to every use case.

use std::collections::BTreeMap;

use envlock_channel::Client;
use envlock_model::{channel::Rules, progress::Observer};
use rattler_conda_types::{GenericVirtualPackage, Subdir};

/// What a use case needs of the machine and the network.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Channels, mirrors and the cache.
    pub client: &'a Client,
    /// How names of channels become URLs.
    pub rules: &'a Rules,
    /// The variables of the process, for `$VAR` in channels.
    pub variables: &'a BTreeMap<String, String>,
    /// This machine's platform.
    pub host: Subdir,
    /// This machine's virtual packages, `CONDA_OVERRIDE_*` included.
    pub host_packages: &'a [GenericVirtualPackage],
    /// Gets the progress events.
    pub observer: &'a dyn Observer,
}
