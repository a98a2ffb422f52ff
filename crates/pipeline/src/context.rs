//! The context of a run, which the CLI passes to every use case.

use std::collections::BTreeMap;
use std::sync::Arc;

use envlock_channel::Client;
use envlock_model::{channel::ChannelConfig, progress::Observer};
use envlock_pypi::IndexSources;
use rattler_conda_types::{GenericVirtualPackage, Subdir};

/// The machine and the network, as a use case needs them.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The channel client: mirrors and the cache.
    pub client: &'a Arc<Client>,
    /// The indexes of PyPI that the configuration names.
    pub pypi: &'a IndexSources,
    /// How channel names are resolved to URLs.
    pub channel_config: &'a ChannelConfig,
    /// The variables of the process, for `$VAR` in channels.
    pub variables: &'a BTreeMap<String, String>,
    /// This machine's platform.
    pub host: Subdir,
    /// This machine's virtual packages, `CONDA_OVERRIDE_*` included.
    pub host_packages: &'a [GenericVirtualPackage],
    /// Receives the progress events.
    pub observer: &'a dyn Observer,
}
