//! TLS trust, client certificates and proxies of connections.

use std::collections::BTreeMap;
use std::fmt;

use envlock_report::connection::innermost;
use reqwest::{Certificate, ClientBuilder, Identity, NoProxy, Proxy};
use url::Url;

use crate::Settings;
use crate::client::ClientError;

/// Which certificates are trusted.
#[derive(Clone, Default)]
pub enum TlsTrust {
    /// Those of this machine, and of `SSL_CERT_FILE`.
    #[default]
    System,
    /// These alone, as PEM.
    Certificates(Vec<u8>),
    /// Every certificate: others on the network can read and change everything.
    Unverified,
}

/// Configured proxies, in place of those of the environment and the system.
#[derive(Clone, Default)]
pub struct ProxyServers {
    /// By `http`, `https` or `all`, or by `scheme://host`, which wins. May hold credentials.
    pub by_scheme: BTreeMap<String, Url>,
    /// Hosts that are reached without one, as in `NO_PROXY`.
    pub except: Option<String>,
}

impl ProxyServers {
    /// The proxy for a URL, in the order of Python's requests, which is conda's.
    fn for_url(&self, url: &Url) -> Option<&Url> {
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

/// With what the settings say of trust, of a certificate of our own, and of proxies.
pub(crate) fn with_connection_settings(
    builder: ClientBuilder,
    settings: &Settings,
    proxies: bool,
) -> Result<ClientBuilder, ClientError> {
    let mut builder = match &settings.trust {
        TlsTrust::System => builder,
        TlsTrust::Unverified => builder.tls_danger_accept_invalid_certs(true),
        TlsTrust::Certificates(pem) => {
            let certificates = Certificate::from_pem_bundle(pem).map_err(unreadable)?;
            if certificates.is_empty() {
                return Err(ClientError::Certificates("it has none".into()));
            }
            builder.tls_certs_only(certificates)
        }
    };
    if let Some(pem) = &settings.identity {
        builder = builder.identity(Identity::from_pem(pem).map_err(unreadable)?);
    }
    if !proxies {
        return Ok(builder.no_proxy());
    }
    if settings.proxy_servers.by_scheme.is_empty() {
        return Ok(builder);
    }
    let servers = settings.proxy_servers.clone();
    let except = servers.except.as_deref().and_then(NoProxy::from_string);
    Ok(builder.proxy(Proxy::custom(move |url| servers.for_url(url).cloned()).no_proxy(except)))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn unreadable(error: reqwest::Error) -> ClientError {
    ClientError::Certificates(innermost(&error))
}

// Neither credentials nor keys belong into a log.

impl fmt::Debug for TlsTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Certificates(_) => "Certificates(…)",
            Self::Unverified => "Unverified",
        })
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
    fn the_proxy_of_a_host_wins_over_that_of_a_scheme_and_that_over_all() {
        let url = |text: &str| Url::parse(text).expect("the test's own URL");
        let servers = ProxyServers {
            by_scheme: [
                ("all", "http://all:1"),
                ("https", "http://https:1"),
                ("https://lab.example", "http://lab:1"),
            ]
            .map(|(key, proxy)| (key.to_owned(), url(proxy)))
            .into(),
            except: None,
        };
        let of = |text: &str| {
            servers.for_url(&url(text)).map(|proxy| proxy.host_str().map(str::to_owned))
        };
        assert_eq!(of("https://lab.example/x").flatten().as_deref(), Some("lab"));
        assert_eq!(of("https://other.example/x").flatten().as_deref(), Some("https"));
        assert_eq!(of("http://lab.example/x").flatten().as_deref(), Some("all"));
        assert!(ProxyServers::default().for_url(&url("http://a/")).is_none());
    }
}
