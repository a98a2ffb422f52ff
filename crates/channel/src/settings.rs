//! What the caller decides.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Credentials, ProxyServers, Sources, TlsTrust};

/// How indexes and archives are fetched. Nothing here is read from the environment but by
/// reqwest: the proxies (unless [`Settings::proxies`] is off or some are chosen) and `SSL_CERT_FILE`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the cache; made when needed.
    pub cache_dir: PathBuf,
    /// No request leaves the machine: caches and local folders only.
    pub offline: bool,
    /// Which addresses are asked for what.
    pub sources: Sources,
    /// What opens which server.
    pub credentials: Credentials,
    /// The `User-Agent`, `envlock/<version>`: some mirrors refuse whoever has none.
    pub user_agent: String,
    /// How long a source may take to accept a connection.
    pub connect_timeout: Duration,
    /// How long a source may be silent in the middle of an answer.
    pub idle_timeout: Duration,
    /// About how long to wait before a source is asked a second time.
    pub backoff: Duration,
    /// How long, in all, may be waited between the tries for one file.
    pub max_total_pause: Duration,
    /// Connections to one host, and archives in work, at a time.
    pub jobs: usize,
    /// Whether proxies are used at all.
    pub proxies: bool,
    /// Chosen proxies; those of the environment and the system where there are none.
    pub proxy_servers: ProxyServers,
    /// Whose certificates are believed.
    pub trust: TlsTrust,
    /// The certificate that servers are shown and its key, as PEM.
    pub identity: Option<Vec<u8>>,
}

impl Settings {
    /// The usual settings: online, no mirrors, 10 s to connect, 30 s of silence, 8 jobs.
    pub fn new(cache_dir: impl Into<PathBuf>, user_agent: impl Into<String>) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            offline: false,
            sources: Sources::new(Vec::new(), true),
            credentials: Credentials::default(),
            user_agent: user_agent.into(),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            backoff: Duration::from_millis(500),
            max_total_pause: Duration::from_secs(30),
            jobs: 8,
            proxies: true,
            proxy_servers: ProxyServers::default(),
            trust: TlsTrust::System,
            identity: None,
        }
    }
}
