//! What opens a server, and for which requests.
//!
//! A credential belongs to a scope: a host, or a folder of one. It is put into requests to
//! that scope and into nothing else. No type here can print, compare or serialise the value.

mod netrc;
mod rattler;
mod stores;

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use envlock_model::channel::Access;
use reqwest::RequestBuilder;
use url::Url;

pub use stores::CredentialStores;

/// All that is known, the first that fits wins; of one store, the one of the longest path.
#[derive(Clone, Default)]
pub struct Credentials(Vec<Credential>);

/// One of them.
#[derive(Clone)]
struct Credential {
    scope: CredentialScope,
    scheme: AuthScheme,
    /// Where it was found, as messages say it.
    from: Arc<str>,
    /// Which store it is of; the lowest goes first.
    rank: usize,
}

/// How it is shown to a server.
#[derive(Clone)]
enum AuthScheme {
    /// As it was written into an address.
    FromUrl(Access),
    /// HTTP's user and password.
    Basic { user: String, password: String },
    /// In a header.
    Bearer(String),
    /// As `/t/<token>/` in front of the path.
    Token(String),
}

/// What a credential is for.
#[derive(Clone)]
enum CredentialScope {
    /// A host, whatever the port.
    Host(String),
    /// A domain and all below it.
    Domain(String),
    /// Everything below an address.
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

/// The rank of what was written into the addresses of channels: it goes before all stores.
const RANK_OF_URL: usize = 0;

impl Credentials {
    /// Uses the credential from a channel's address for everything below the channel.
    pub(crate) fn register(&mut self, channel: &Url, access: Access) {
        let scope = CredentialScope::UrlPrefix(crate::address::with_trailing_slash(channel));
        self.add(RANK_OF_URL, scope, AuthScheme::FromUrl(access), "the channel's address");
    }

    fn add(&mut self, rank: usize, scope: CredentialScope, scheme: AuthScheme, from: &str) {
        self.0.push(Credential { scope, scheme, from: from.into(), rank });
    }

    /// A request for `url` with its credential, and where that is from.
    pub(crate) fn request(
        &self,
        http: &reqwest::Client,
        url: &Url,
    ) -> (RequestBuilder, Option<Arc<str>>) {
        if has_credentials(url) {
            return (http.get(url.clone()), Some("the mirror's address".into()));
        }
        let fitting = self.0.iter().filter(|credential| credential.scope.matches(url));
        let best = fitting.min_by_key(|one| (one.rank, Reverse(one.scope.length())));
        let Some(credential) = best else { return (http.get(url.clone()), None) };
        let request = match &credential.scheme {
            AuthScheme::FromUrl(access) => http.get(access.apply(url)),
            AuthScheme::Basic { user, password } => {
                http.get(url.clone()).basic_auth(user, Some(password))
            }
            AuthScheme::Bearer(token) => http.get(url.clone()).bearer_auth(token),
            AuthScheme::Token(token) => {
                let mut with = url.clone();
                with.set_path(&format!("/t/{token}{}", url.path()));
                http.get(with)
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

/// Whether an address brings its own, as that of a mirror may.
fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some() || token(url).is_some()
}

/// The token of `/t/<token>/`.
fn token(url: &Url) -> Option<&str> {
    let (_, rest) = url.path().split_once("/t/")?;
    rest.split('/').next().filter(|token| !token.is_empty())
}

/// Whether a redirect from `before` to `next` would show the token of one server to another.
/// Headers don't follow to another server; an address may.
pub(crate) fn redirect_leaks_token(before: &Url, next: &Url) -> bool {
    before.origin() != next.origin()
        && token(before).is_some_and(|token| next.as_str().contains(token))
}

#[cfg(test)]
mod tests;
