//! The one handle on sources and cache.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use envlock_report::{Diagnostic, Exit, Explain};
use url::Url;

use crate::disk::DiskError;
use crate::scratch::Scratch;
use crate::transport::Transport;
use crate::{Settings, Source};

/// Fetches indexes and packages of channels into a cache.
///
/// The work is in [`Client::indexes`] and [`Client::packages`]. A client remembers for its
/// lifetime which hosts were down, so a run should have one.
#[derive(Debug)]
pub struct Client {
    pub(crate) settings: Settings,
    pub(crate) transport: Transport,
    scratch: Mutex<Option<Arc<Scratch>>>,
}

impl Client {
    /// A client; touches neither the network nor the disk yet.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        let transport = Transport::new(&settings)?;
        Ok(Self { settings, transport, scratch: Mutex::new(None) })
    }

    pub(crate) fn cache_dir(&self) -> &Path {
        &self.settings.cache_dir
    }

    /// The addresses that may be asked for `origin`: offline only folders of this machine.
    pub(crate) fn sources(&self, origin: &Url) -> Vec<Source> {
        let mut sources = self.settings.sources.of(origin);
        sources.retain(|source| !self.settings.offline || source.url.scheme() == "file");
        sources
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
    /// TLS can't be set up.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

impl Explain for ClientError {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        vec![
            Diagnostic::error("network-unusable", self.to_string())
                .with_help("check SSL_CERT_FILE and the proxy variables"),
        ]
    }

    fn exit(&self) -> Exit {
        Exit::Unknown
    }
}
