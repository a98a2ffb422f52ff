//! The channel client: sources, cache and transport.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use envlock_model::channel::ChannelCredentials;
use envlock_report::{AsFindings, Code, Exit, Finding};
use tokio::sync::OnceCell;
use url::Url;

use crate::blocking::spawn_blocking;
use crate::disk::DiskError;
use crate::failover::Failover;
use crate::scratch::{Scratch, remove_abandoned};
use crate::transport::Transport;
use crate::{Settings, Source, Sources};

/// Fetches indexes and packages of channels into a cache.
///
/// Use [`Client::indexes`] and [`Client::packages`]. A client remembers for its lifetime which
/// hosts were down, so a run should have one client.
#[derive(Debug)]
pub struct Client {
    pub(crate) settings: Settings,
    pub(crate) transport: Transport,
    sources: Mutex<Sources>,
    scratch: OnceCell<Arc<Scratch>>,
    /// Set when the files of ended runs were removed.
    cleared: OnceCell<()>,
    /// Set when the cache can't be written, with the reason.
    read_only: OnceLock<String>,
}

impl Client {
    /// Creates a client. Uses neither the network nor the disk.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        let transport = Transport::new(&settings)?;
        let sources = Mutex::new(settings.sources.clone());
        Ok(Self {
            settings,
            transport,
            sources,
            scratch: OnceCell::new(),
            cleared: OnceCell::new(),
            read_only: OnceLock::new(),
        })
    }

    /// Returns the folder of the cache.
    pub fn cache_folder(&self) -> &Path {
        &self.settings.cache_dir
    }

    pub(crate) fn cache_dir(&self) -> &Path {
        &self.settings.cache_dir
    }

    /// Whether no request is sent.
    pub fn is_offline(&self) -> bool {
        self.settings.offline
    }

    /// Returns the sources that may be asked for `origin`: offline only local folders.
    pub(crate) fn sources(&self, origin: &Url) -> Vec<Source> {
        let mut sources = self.current_sources().sources_for(origin);
        sources.retain(|source| !self.settings.offline || source.url.scheme() == "file");
        sources
    }

    /// Starts a failover over these sources for one file.
    pub(crate) fn failover<'a>(&'a self, sources: &'a [Source]) -> Failover<'a> {
        Failover::new(
            &self.transport,
            sources,
            self.settings.max_total_pause,
            self.settings.backoff,
        )
    }

    /// Returns the sources of the settings, without those registered since. They map a URL to its
    /// origin: [`Sources::origin_of`].
    pub fn configured_sources(&self) -> &Sources {
        &self.settings.sources
    }

    /// Registers the known mirror that `url` is below, if there is one, as a source.
    pub fn register_mirror_url(&self, url: &Url) {
        self.current_sources().register_mirror_url(url);
    }

    /// Uses the credential from a channel's URL for requests to that channel only; `channel` is
    /// the URL without it.
    pub fn register_credential(&self, channel: &Url, access: ChannelCredentials) {
        self.transport.credentials().register(channel, access);
    }

    /// Returns the sources, with those registered so far.
    pub(crate) fn current_sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the temporary folder of this run. It is created at its first use.
    pub(crate) async fn scratch(&self) -> Result<Arc<Scratch>, DiskError> {
        let open = || async {
            let cache_dir = self.cache_dir().to_owned();
            spawn_blocking(move || Scratch::open(&cache_dir)).await.map(Arc::new)
        };
        self.scratch.get_or_try_init(open).await.cloned()
    }

    /// Returns the temporary folder of this run, or `None` if the cache can't be written.
    pub(crate) async fn scratch_if_writable(&self) -> Result<Option<Arc<Scratch>>, DiskError> {
        match self.scratch().await {
            Ok(scratch) => Ok(Some(scratch)),
            Err(error) => self.note_if_read_only(error).map(|()| None),
        }
    }

    /// Records that the cache can't be written. Returns any other error.
    pub(crate) fn note_if_read_only(&self, error: DiskError) -> Result<(), DiskError> {
        if !error.is_read_only() {
            return Err(error);
        }
        self.read_only.get_or_init(|| error.to_string());
        Ok(())
    }

    /// Returns a note if the cache couldn't be written.
    pub(crate) fn read_only_note(&self) -> Option<Finding> {
        let reason = self.read_only.get()?;
        Some(
            Finding::new(Code::CacheReadOnly, format!("the cache is read-only: {reason}"))
                .with_note("the indexes are used, and aren't stored for the next run"),
        )
    }

    /// Removes what ended runs left in the cache, once.
    pub(crate) async fn clear_abandoned(&self) {
        let clear = || async {
            let cache_dir = self.cache_dir().to_owned();
            spawn_blocking(move || remove_abandoned(&cache_dir)).await;
        };
        self.cleared.get_or_init(clear).await;
    }

    /// Waits for the threads that unpack packages, so that their files can be removed.
    pub(crate) async fn wait_for_threads(&self) {
        if let Some(scratch) = self.scratch.get() {
            scratch.wait_until_unused().await;
        }
    }
}

/// Why no client can be created.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The user agent isn't a valid header value.
    #[error("`{0}` can't be sent as a User-Agent")]
    UserAgent(String),
    /// The configured certificates can't be used.
    #[error("the certificates of `ssl_verify` or `client_ssl_cert` can't be used: {0}")]
    Certificates(String),
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

impl AsFindings for ClientError {
    fn findings(&self) -> Vec<Finding> {
        vec![Finding::new(Code::NetworkUnusable, self.to_string()).with_help(match self {
            Self::Certificates(_) => {
                "name a file in PEM format; `envlock config` shows where it is set"
            }
            _ => "check SSL_CERT_FILE and the proxy variables",
        })]
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Certificates(_) => Exit::Usage,
            Self::UserAgent(_) | Self::Tls(_) => Exit::Undetermined,
        }
    }
}
