//! Credentials in channel URLs. They are removed from a URL and added to requests, and never shown.

use std::fmt;

use envlock_text::redact::split_path_token;
use url::{Origin, Url};

/// The credentials from a channel's URL.
///
/// They can't be printed, compared or serialised. They can only be added to the URL of a request
/// to the same server.
#[derive(Clone)]
pub struct ChannelCredentials {
    server: Origin,
    kind: CredentialKind,
}

#[derive(Clone)]
enum CredentialKind {
    /// `user:password@` of the URL.
    User { name: String, password: Option<String> },
    /// `/t/<token>/` of the path, after the prefix `before` (which ends in `/`).
    Token { before: String, token: String },
}

impl ChannelCredentials {
    /// Removes the credentials from a URL and returns them.
    ///
    /// If the URL has a token and a user, the token is used.
    pub fn extract_from(url: &mut Url) -> Option<Self> {
        let server = url.origin();
        let user = (!url.username().is_empty() || url.password().is_some()).then(|| {
            CredentialKind::User {
                name: url.username().to_owned(),
                password: url.password().map(str::to_owned),
            }
        });
        // Both fail only for URLs without a host, which have no user.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let token = split_path_token(url.path()).map(|(before, token, after)| {
            let kind = CredentialKind::Token { before: before.to_owned(), token: token.to_owned() };
            (kind, format!("{before}{after}"))
        });
        let token = token.map(|(kind, path)| {
            url.set_path(&path);
            kind
        });
        token.or(user).map(|kind| Self { server, kind })
    }

    /// Returns the URL with the credentials, if it has the server that they are for. Otherwise it
    /// returns the URL unchanged.
    #[must_use]
    pub fn add_to(&self, url: &Url) -> Url {
        let mut url = url.clone();
        if url.origin() != self.server {
            return url;
        }
        match &self.kind {
            CredentialKind::User { name, password } => {
                let _ = url.set_username(name);
                let _ = url.set_password(password.as_deref());
            }
            CredentialKind::Token { before, token } => {
                if let Some(after) = url.path().strip_prefix(before.as_str()) {
                    let path = format!("{before}t/{token}/{after}");
                    url.set_path(&path);
                }
            }
        }
        url
    }
}

impl fmt::Debug for ChannelCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelCredentials(*** for {})", self.server.ascii_serialization())
    }
}
