//! Settings of the channel client.

use std::path::PathBuf;
use std::time::Duration;

use envlock_report::Finding;

use crate::{Credentials, IdleEvent, ProxyServer, ProxyServers, Sources, TlsTrust};

/// Settings of the channel client. Only reqwest reads the environment: the proxies (unless
/// [`Settings::proxies`] is false or `proxy_servers` has some) and `SSL_CERT_FILE`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder of the cache. It is created when needed.
    pub cache_dir: PathBuf,
    /// Whether only the cache and local folders are used, and no network.
    pub offline: bool,
    /// The mirrors and the order of the sources.
    pub sources: Sources,
    /// Credentials for channels.
    pub credentials: Credentials,
    /// The `User-Agent`, `envlock/<version>`: some mirrors reject requests without one.
    pub user_agent: String,
    /// How long a source may take to accept a connection.
    pub connect_timeout: Duration,
    /// How long a source may send nothing in the middle of a response.
    pub idle_timeout: Duration,
    /// If set, ends the wait instead of `idle_timeout`, which is then only shown in messages.
    pub idle_event: Option<IdleEvent>,
    /// The base of the pause before a source is asked a second time.
    pub backoff: Duration,
    /// The limit of all pauses between the requests for one file together.
    pub max_total_pause: Duration,
    /// The number of simultaneous connections to one host, and of archives in progress.
    pub jobs: usize,
    /// Whether proxies are used.
    pub proxies: bool,
    /// The configured proxies. If empty, those of the environment and the system are used.
    pub proxy_servers: ProxyServers,
    /// Which TLS certificates are trusted.
    pub trust: TlsTrust,
    /// The client certificate and its key, as PEM.
    pub client_certificate: Option<Vec<u8>>,
}

impl Settings {
    /// Returns the default settings: online, no mirrors, 10 s to connect, 30 s idle timeout,
    /// 8 jobs.
    pub fn new(cache_dir: impl Into<PathBuf>, user_agent: impl Into<String>) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            offline: false,
            sources: Sources::new(Vec::new(), true),
            credentials: Credentials::default(),
            user_agent: user_agent.into(),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            idle_event: None,
            backoff: Duration::from_millis(500),
            max_total_pause: Duration::from_secs(30),
            jobs: 8,
            proxies: true,
            proxy_servers: ProxyServers::default(),
            trust: TlsTrust::System,
            client_certificate: None,
        }
    }

    /// Returns the errors of entries that can't be used: each fails the requests that need it, and no
    /// others.
    pub fn unusable_entries(&self) -> Vec<Finding> {
        let trust = match &self.trust {
            TlsTrust::Unusable(error) => Some(error.as_ref().clone()),
            _ => None,
        };
        let proxies = self.proxy_servers.by_scheme.values().filter_map(|server| match server {
            ProxyServer::Unusable(error) => Some(error.as_ref().clone()),
            ProxyServer::Url(_) => None,
        });
        trust.into_iter().chain(proxies).collect()
    }
}
