//! Moves credentials out of URLs and back into them, and never shows them.

use std::fmt;

use envlock_text::redact::split_path_token;
use url::{Origin, Url};

/// The credentials from a channel's URL: a user, a token, or both.
///
/// The value can't be printed or serialised. It can only be added to the URL of a request to the
/// same server.
#[derive(Clone)]
pub struct ChannelCredentials {
    server: Origin,
    user: Option<User>,
    token: Option<Token>,
}

/// `user:password@` of the URL.
#[derive(Clone, PartialEq, Eq)]
struct User {
    name: String,
    password: Option<String>,
}

/// `/t/<token>/` of the path.
#[derive(Clone, PartialEq, Eq)]
struct Token {
    /// The path before `t/`, which ends in `/`.
    before: String,
    token: String,
}

impl ChannelCredentials {
    /// Removes the credentials from a URL and returns them.
    pub fn extract_from(url: &mut Url) -> Option<Self> {
        let server = url.origin();
        let user = (!url.username().is_empty() || url.password().is_some()).then(|| User {
            name: url.username().to_owned(),
            password: url.password().map(str::to_owned),
        });
        // Both fail only for URLs without a host, which have no user either.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let token = split_path_token(url.path()).map(|(before, token, behind)| {
            let token = Token { before: before.to_owned(), token: token.to_owned() };
            (token, format!("{before}{behind}"))
        });
        let token = token.map(|(token, path)| {
            url.set_path(&path);
            token
        });
        (user.is_some() || token.is_some()).then_some(Self { server, user, token })
    }

    /// Returns the URL with the credentials if it is on their server, else the URL unchanged.
    #[must_use]
    pub fn add_to(&self, url: &Url) -> Url {
        let mut url = url.clone();
        if url.origin() != self.server {
            return url;
        }
        if let Some(User { name, password }) = &self.user {
            let _ = url.set_username(name);
            let _ = url.set_password(password.as_deref());
        }
        if let Some(Token { before, token }) = &self.token
            && let Some(behind) = url.path().strip_prefix(before.as_str())
        {
            let path = format!("{before}t/{token}/{behind}");
            url.set_path(&path);
        }
        url
    }

    /// Whether both are the same credentials for the same server.
    pub fn is_same(&self, other: &Self) -> bool {
        self.server == other.server && self.user == other.user && self.token == other.token
    }
}

impl fmt::Debug for ChannelCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelCredentials(*** for {})", self.server.ascii_serialization())
    }
}
