//! Credentials for channels, and the requests that they are used for.
//!
//! A credential has a scope: a host, or a folder on it. It is sent only with requests within that
//! scope. No type here can print, compare or serialise the value.

mod netrc;
mod rattler;
mod stores;

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use envlock_model::channel::ChannelCredentials;
use reqwest::{Method, RequestBuilder};
use url::Url;

pub use stores::CredentialStores;

/// All known credentials. Stores are searched in order; within a store the longest matching path
/// wins.
#[derive(Clone, Default)]
pub struct Credentials(Vec<Credential>);

/// One credential and its scope.
#[derive(Clone)]
struct Credential {
    scope: CredentialScope,
    scheme: AuthScheme,
    /// The store or variable of the credential, for messages.
    from: Arc<str>,
    /// The rank of its store. The lowest is used first.
    rank: usize,
}

/// How a credential is sent to a server.
#[derive(Clone)]
enum AuthScheme {
    /// As it was written in a URL.
    FromUrl(ChannelCredentials),
    /// User and password of HTTP basic authentication.
    Basic { user: String, password: String },
    /// A token in the `Authorization` header.
    Bearer(String),
    /// A token in the URL, as `/t/<token>/` before the path.
    Token(String),
}

/// The URLs that a credential is for.
#[derive(Clone)]
enum CredentialScope {
    /// A host, with any port.
    Host(String),
    /// A domain and its subdomains.
    Domain(String),
    /// Everything below a URL.
    UrlPrefix(Url),
}

impl CredentialScope {
    fn matches(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        match self {
            Self::Host(name) => host.eq_ignore_ascii_case(name),
            Self::Domain(name) => {
                let below = host.strip_suffix(name.as_str());
                below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
            Self::UrlPrefix(folder) => crate::address::is_below(url, folder),
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Domain(_) => 0,
            Self::Host(_) => 1,
            Self::UrlPrefix(folder) => folder.path().len(),
        }
    }
}

/// The rank of credentials in the URLs of channels. They are used before all stores.
const RANK_OF_URL: usize = 0;

impl Credentials {
    /// Uses the credential from a channel's URL for everything below the channel.
    pub(crate) fn register(&mut self, channel: &Url, access: ChannelCredentials) {
        let scope = CredentialScope::UrlPrefix(crate::address::with_trailing_slash(channel));
        self.add(RANK_OF_URL, scope, AuthScheme::FromUrl(access), "the channel's URL");
    }

    fn add(&mut self, rank: usize, scope: CredentialScope, scheme: AuthScheme, from: &str) {
        self.0.push(Credential { scope, scheme, from: from.into(), rank });
    }

    /// Builds a request for `url` with its credential, and returns where the credential comes from.
    pub(crate) fn request(
        &self,
        http: &reqwest::Client,
        method: Method,
        url: &Url,
    ) -> (RequestBuilder, Option<Arc<str>>) {
        let send = |url: Url| http.request(method, url);
        if has_credentials(url) {
            return (send(url.clone()), Some("the mirror's URL".into()));
        }
        let fitting = self.0.iter().filter(|credential| credential.scope.matches(url));
        let best = fitting.min_by_key(|one| (one.rank, Reverse(one.scope.length())));
        let Some(credential) = best else { return (send(url.clone()), None) };
        let request = match &credential.scheme {
            AuthScheme::FromUrl(credentials) => send(credentials.add_to(url)),
            AuthScheme::Basic { user, password } => {
                send(url.clone()).basic_auth(user, Some(password))
            }
            AuthScheme::Bearer(token) => send(url.clone()).bearer_auth(token),
            AuthScheme::Token(token) => {
                let mut with = url.clone();
                with.set_path(&format!("/t/{token}{}", url.path()));
                send(with)
            }
        };
        (request, Some(Arc::clone(&credential.from)))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|credential| &credential.from)).finish()
    }
}

/// Whether a URL has credentials, as a mirror's may.
fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some() || token(url).is_some()
}

/// Returns the token of `/t/<token>/`.
fn token(url: &Url) -> Option<&str> {
    let (_, rest) = url.path().split_once("/t/")?;
    rest.split('/').next().filter(|token| !token.is_empty())
}

/// Whether a redirect from `before` to `next` would send the token of one server to another.
/// reqwest removes the header on such a redirect, but not a token in the URL.
pub(crate) fn redirect_leaks_token(before: &Url, next: &Url) -> bool {
    before.origin() != next.origin()
        && token(before).is_some_and(|token| next.as_str().contains(token))
}

#[cfg(test)]
mod tests;
