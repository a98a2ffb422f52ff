//! TLS trust, client certificates and proxies of connections.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use envlock_report::Finding;
use envlock_report::connection::root_cause;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{Certificate, ClientBuilder, Identity, Proxy};
use url::Url;

use crate::client::ClientError;
use crate::{Settings, address};

/// Which TLS certificates are trusted.
#[derive(Clone, Default)]
pub enum TlsTrust {
    /// The certificates of this machine, and of `SSL_CERT_FILE`.
    #[default]
    System,
    /// Only these certificates, as PEM.
    Certificates(Vec<u8>),
    /// Every certificate: an attacker on the network can read and change everything.
    Unverified,
    /// No certificate: the setting can't be used. The error is that of a request over TLS.
    Unusable(Arc<Finding>),
}

impl TlsTrust {
    /// Returns the error of the setting for this URL, if it can't be used.
    pub(crate) fn error_for(&self, url: &Url) -> Option<&Arc<Finding>> {
        match self {
            Self::Unusable(error) => Some(error).filter(|_| url.scheme() == "https"),
            Self::System | Self::Certificates(_) | Self::Unverified => None,
        }
    }
}

/// Configured proxies. They replace those of the environment and the system.
#[derive(Clone, Default)]
pub struct ProxyServers {
    /// Proxies by `http`, `https` or `all`, or by `scheme://host`, which has precedence. May
    /// hold credentials.
    pub by_scheme: BTreeMap<String, ProxyServer>,
    /// Hosts that are reached without a proxy, as in `NO_PROXY`.
    pub except: Option<String>,
}

/// One configured proxy.
#[derive(Clone)]
pub enum ProxyServer {
    /// The URL of the proxy.
    Url(Url),
    /// An entry that can't be used, with the error for a request that needs it.
    Unusable(Arc<Finding>),
}

/// The proxies of a client.
#[derive(Default)]
pub(crate) struct Proxies {
    servers: ProxyServers,
    direct: Option<DirectHosts>,
}

/// The schemes of proxies that can be used.
const PROXY_SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// Whether a proxy can be used, by the scheme of its URL.
pub fn is_supported_proxy(proxy: &Url) -> bool {
    PROXY_SCHEMES.contains(&proxy.scheme()) && proxy.has_host()
}

/// The hosts that are reached without a proxy.
struct DirectHosts(Matcher);

impl DirectHosts {
    /// Parses a list as in `NO_PROXY`.
    fn parse(list: Option<&str>) -> Self {
        // The library has the rules of curl, and they can only be used with a proxy.
        let any_proxy = "http://proxy.invalid";
        Self(Matcher::builder().all(any_proxy).no(list.unwrap_or_default()).build())
    }

    fn contains(&self, url: &Url) -> bool {
        let uri: Option<http::Uri> = url.as_str().parse().ok();
        uri.is_some_and(|uri| self.0.intercept(&uri).is_none())
    }
}

impl ProxyServers {
    /// Returns the proxy for a URL, in the order of Python's requests, which conda uses.
    fn for_url(&self, url: &Url) -> Option<&ProxyServer> {
        let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
        let keys = [
            format!("{scheme}://{host}"),
            scheme.to_owned(),
            format!("all://{host}"),
            "all".to_owned(),
        ];
        keys.iter().find_map(|key| self.by_scheme.get(key))
    }
}

impl Proxies {
    /// Prepares the configured proxies; none if the settings disable proxies.
    pub(crate) fn new(settings: &Settings) -> Self {
        if !settings.proxies || settings.proxy_servers.by_scheme.is_empty() {
            return Self::default();
        }
        let servers = settings.proxy_servers.clone();
        // A custom proxy of the library ignores its own list of exceptions.
        let direct = Some(DirectHosts::parse(servers.except.as_deref()));
        Self { servers, direct }
    }

    fn for_url(&self, url: &Url) -> Option<&ProxyServer> {
        let is_direct = self.direct.as_ref().is_some_and(|direct| direct.contains(url));
        self.servers.for_url(url).filter(|_| !is_direct)
    }

    /// Returns the host and port of the configured proxy for this URL.
    pub(crate) fn label_for(&self, url: &Url) -> Option<String> {
        match self.for_url(url)? {
            ProxyServer::Url(proxy) => Some(address::source_label(proxy)),
            ProxyServer::Unusable(_) => None,
        }
    }

    /// Returns the error of the entry for this URL, if it can't be used.
    pub(crate) fn error_for(&self, url: &Url) -> Option<&Arc<Finding>> {
        match self.for_url(url)? {
            ProxyServer::Unusable(error) => Some(error),
            ProxyServer::Url(_) => None,
        }
    }
}

/// Applies the settings for TLS trust, the client certificate and proxies.
pub(crate) fn with_connection_settings(
    builder: ClientBuilder,
    settings: &Settings,
    proxies: Option<&Arc<Proxies>>,
) -> Result<ClientBuilder, ClientError> {
    let mut builder = match &settings.trust {
        TlsTrust::System => builder,
        TlsTrust::Unverified => builder.tls_danger_accept_invalid_certs(true),
        TlsTrust::Certificates(pem) => {
            builder.tls_certs_only(certificates(pem).map_err(ClientError::Certificates)?)
        }
        TlsTrust::Unusable(_) => builder.tls_certs_only([]),
    };
    if let Some(pem) = &settings.client_certificate {
        builder = builder.identity(identity(pem).map_err(ClientError::Certificates)?);
    }
    let Some(proxies) = proxies else { return Ok(builder.no_proxy()) };
    if proxies.servers.by_scheme.is_empty() {
        return Ok(builder);
    }
    let proxies = Arc::clone(proxies);
    Ok(builder.proxy(Proxy::custom(move |url| match proxies.for_url(url)? {
        ProxyServer::Url(proxy) => Some(proxy.clone()),
        // No such request is sent: see `Proxies::error_for`.
        ProxyServer::Unusable(_) => None,
    })))
}

/// Returns why these certificates can't be trusted, if they can't.
pub fn certificates_error(pem: &[u8]) -> Option<String> {
    let build = |found| reqwest::Client::builder().no_proxy().tls_certs_only(found).build();
    match certificates(pem) {
        // Their contents are read only when a client is built.
        Ok(found) => build(found).err().map(|error| root_cause(&error)),
        Err(reason) => Some(reason),
    }
}

/// Returns why this certificate and its key can't be used, if they can't.
pub fn identity_error(pem: &[u8]) -> Option<String> {
    let build =
        |found| reqwest::Client::builder().no_proxy().tls_certs_only([]).identity(found).build();
    match identity(pem) {
        Ok(found) => build(found).err().map(|error| root_cause(&error)),
        Err(reason) => Some(reason),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    let found = Certificate::from_pem_bundle(pem).map_err(|error| root_cause(&error))?;
    if found.is_empty() { Err("it has no certificate in PEM format".to_owned()) } else { Ok(found) }
}

fn identity(pem: &[u8]) -> Result<Identity, String> {
    Identity::from_pem(pem).map_err(|error| root_cause(&error))
}

// Logs must not contain credentials or keys.

impl fmt::Debug for TlsTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Certificates(_) => "Certificates(…)",
            Self::Unverified => "Unverified",
            Self::Unusable(_) => "Unusable",
        })
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.servers.fmt(f)
    }
}

impl fmt::Debug for ProxyServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.by_scheme.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_of_a_host_has_precedence_over_the_scheme_and_the_scheme_over_all() {
        let url = |text: &str| Url::parse(text).expect("the test's own URL");
        let servers = ProxyServers {
            by_scheme: [
                ("all", "http://all:1"),
                ("https", "http://https:1"),
                ("https://lab.example", "http://lab:1"),
            ]
            .map(|(key, proxy)| (key.to_owned(), ProxyServer::Url(url(proxy))))
            .into(),
            except: None,
        };
        let of = |text: &str| match servers.for_url(&url(text)) {
            Some(ProxyServer::Url(proxy)) => Some(proxy.host_str().map(str::to_owned)),
            _ => None,
        };
        assert_eq!(of("https://lab.example/x").flatten().as_deref(), Some("lab"));
        assert_eq!(of("https://other.example/x").flatten().as_deref(), Some("https"));
        assert_eq!(of("http://lab.example/x").flatten().as_deref(), Some("all"));
        assert!(ProxyServers::default().for_url(&url("http://a/")).is_none());
    }

    #[test]
    fn hosts_without_a_proxy_are_listed_as_in_no_proxy() {
        let is_direct = |list: &str, host: &str| {
            let url = format!("https://{host}/x").parse().expect("the test's own URL");
            DirectHosts::parse(Some(list)).contains(&url)
        };
        for (list, host) in [
            ("lab.example", "lab.example"),
            ("other, lab.example", "a.lab.example"),
            (".lab.example", "a.lab.example"),
            ("10.0.0.0/8", "10.1.2.3"),
            ("::1", "[::1]"),
            ("*", "anything.example"),
        ] {
            assert!(is_direct(list, host), "{list} {host}");
        }
        for (list, host) in [("", "lab.example"), ("lab.example", "xlab.example")] {
            assert!(!is_direct(list, host), "{list} {host}");
        }
        let url = "https://lab.example/".parse().expect("the test's own URL");
        assert!(!DirectHosts::parse(None).contains(&url));
    }

    #[test]
    fn proxies_of_other_protocols_cannot_be_used() {
        let is_supported =
            |text: &str| is_supported_proxy(&text.parse().expect("the test's own URL"));
        for text in ["http://p:1", "https://p", "socks4a://p", "socks5://u:p@p:1", "socks5h://p"] {
            assert!(is_supported(text), "{text}");
        }
        for text in ["ftp://p:1", "socks://p:1", "quic://p", "mailto:p"] {
            assert!(!is_supported(text), "{text}");
        }
    }
}
