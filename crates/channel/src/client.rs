//! The one handle on sources and cache.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use envlock_model::channel::Access;
use envlock_report::{Code, Exit, Explain, Finding};
use url::Url;

use crate::disk::DiskError;
use crate::failover::Failover;
use crate::scratch::Scratch;
use crate::transport::Transport;
use crate::{Settings, Source, Sources};

/// Fetches indexes and packages of channels into a cache.
///
/// The work is in [`Client::indexes`] and [`Client::packages`]. A client remembers for its
/// lifetime which hosts were down, so a run should have one.
#[derive(Debug)]
pub struct Client {
    pub(crate) settings: Settings,
    pub(crate) transport: Transport,
    sources: Mutex<Sources>,
    scratch: Mutex<Option<Arc<Scratch>>>,
}

impl Client {
    /// A client; touches neither the network nor the disk yet.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        let transport = Transport::new(&settings)?;
        let sources = Mutex::new(settings.sources.clone());
        Ok(Self { settings, transport, sources, scratch: Mutex::new(None) })
    }

    pub(crate) fn cache_dir(&self) -> &Path {
        &self.settings.cache_dir
    }

    /// The addresses that may be asked for `origin`: offline only folders of this machine.
    pub(crate) fn sources(&self, origin: &Url) -> Vec<Source> {
        let mut sources = self.current_sources().sources_for(origin);
        sources.retain(|source| !self.settings.offline || source.url.scheme() == "file");
        sources
    }

    /// The search for one file at these sources.
    pub(crate) fn failover<'a>(&'a self, sources: &'a [Source]) -> Failover<'a> {
        Failover::new(
            &self.transport,
            sources,
            self.settings.max_total_pause,
            self.settings.backoff,
        )
    }

    /// The sources of the settings, without what was registered since. They tell the origin
    /// of an address: [`Sources::origin_of`].
    pub fn configured_sources(&self) -> &Sources {
        &self.settings.sources
    }

    /// Asks the known mirror that `url` lies below, if there is one, from now on.
    pub fn register_mirror_url(&self, url: &Url) {
        self.current_sources().register_mirror_url(url);
    }

    /// Uses the credential from a channel's address for requests to the channel, and for
    /// nothing else; `channel` is the address without it.
    pub fn register_credential(&self, channel: &Url, access: Access) {
        self.transport.credentials().register(channel, access);
    }

    /// The sources as they are by now.
    pub(crate) fn current_sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The temporary folder of this run, made at its first use.
    pub(crate) fn scratch(&self) -> Result<Arc<Scratch>, DiskError> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scratch) = &*scratch {
            return Ok(Arc::clone(scratch));
        }
        let made = Arc::new(Scratch::open(self.cache_dir())?);
        *scratch = Some(Arc::clone(&made));
        Ok(made)
    }
}

/// No client can be made on this machine.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The user agent isn't one.
    #[error("`{0}` can't be sent as a User-Agent")]
    UserAgent(String),
    /// The chosen certificates aren't.
    #[error("the certificates of `ssl_verify` or `client_ssl_cert` can't be used: {0}")]
    Certificates(String),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

impl Explain for ClientError {
    fn findings(&self) -> Vec<Finding> {
        vec![Finding::new(Code::NetworkUnusable, self.to_string()).with_help(match self {
            Self::Certificates(_) => {
                "name a file in the PEM form; `envlock config` says who set it"
            }
            _ => "check SSL_CERT_FILE and the proxy variables",
        })]
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Certificates(_) => Exit::Usage,
            Self::UserAgent(_) | Self::Tls(_) => Exit::Unknown,
        }
    }
}
