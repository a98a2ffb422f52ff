//! Credentials in addresses: taking them out, putting them back, never showing them.

use std::fmt;

use url::{Origin, Url};

/// Credentials that were written into a channel's address.
///
/// The value can't be printed, compared or serialised; it can only be put into the address of
/// a request to the same server.
#[derive(Clone)]
pub struct Access {
    server: Origin,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    /// `user:password@` of the address.
    User { name: String, password: Option<String> },
    /// `/t/<token>/` of the path, behind this prefix of it (which ends in `/`).
    Token { before: String, token: String },
}

impl Access {
    /// Takes the credentials out of an address, which has none afterwards.
    ///
    /// A token wins over a user when both are there, as only one can be asked for at once.
    pub fn take(url: &mut Url) -> Option<Self> {
        let server = url.origin();
        let user = (!url.username().is_empty() || url.password().is_some()).then(|| Secret::User {
            name: url.username().to_owned(),
            password: url.password().map(str::to_owned),
        });
        // Both only fail for addresses without a host, which have no user either.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let token = token(url.path()).map(|(before, token, behind)| {
            let secret = Secret::Token { before: before.to_owned(), token: token.to_owned() };
            (secret, format!("{before}{behind}"))
        });
        let token = token.map(|(secret, path)| {
            url.set_path(&path);
            secret
        });
        token.or(user).map(|secret| Self { server, secret })
    }

    /// The address with the credentials in it, if it is on the server that they are for;
    /// unchanged otherwise.
    #[must_use]
    pub fn apply(&self, url: &Url) -> Url {
        let mut url = url.clone();
        if url.origin() != self.server {
            return url;
        }
        match &self.secret {
            Secret::User { name, password } => {
                let _ = url.set_username(name);
                let _ = url.set_password(password.as_deref());
            }
            Secret::Token { before, token } => {
                if let Some(behind) = url.path().strip_prefix(before.as_str()) {
                    let path = format!("{before}t/{token}/{behind}");
                    url.set_path(&path);
                }
            }
        }
        url
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access(*** for {})", self.server.ascii_serialization())
    }
}

/// The path before `t/`, the token, and the path behind its `/`.
fn token(path: &str) -> Option<(&str, &str, &str)> {
    let at = path.find("/t/")? + 1;
    let rest = &path[at + 2..];
    let (token, behind) = rest.split_once('/').unwrap_or((rest, ""));
    (!token.is_empty()).then_some((&path[..at], token, behind))
}

/// The text with `***` in place of every password, token and query of an address in it.
pub fn redact(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = behind.find(ends_address).unwrap_or(behind.len());
        let end = next_address(&behind[..end]).unwrap_or(end);
        push_redacted(&mut shown, &behind[..end]);
        rest = &behind[end..];
    }
    shown.push_str(rest);
    shown
}

/// Whether [`redact`] would hide something.
pub(crate) fn has_credentials(text: &str) -> bool {
    redact(text) != text
}

fn ends_address(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>')
}

/// Where a second address begins after `=`, as in `--mirror PREFIX=URL`. One within a query
/// is hidden with it.
fn next_address(text: &str) -> Option<usize> {
    let before = &text[..text.find("://")?];
    if before.contains('?') {
        return None;
    }
    let (_, scheme) = before.rsplit_once('=')?;
    let is_scheme = !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphanumeric());
    is_scheme.then(|| before.len() - scheme.len())
}

/// An address from behind its `://`.
fn push_redacted(shown: &mut String, address: &str) {
    let server = &address[..address.find('/').unwrap_or(address.len())];
    let rest = match server.rsplit_once('@') {
        Some((user, _)) => {
            let name = user.split_once(':').map_or("", |(name, _)| name);
            let colon = if user.contains(':') { ":" } else { "" };
            shown.extend([name, colon, "***@"]);
            &address[user.len() + 1..]
        }
        None => address,
    };
    let (rest, fragment) = rest.split_at(rest.find('#').unwrap_or(rest.len()));
    let (rest, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    match token(rest) {
        Some((before, _, behind)) => {
            let slash = if behind.is_empty() { "" } else { "/" };
            shown.extend([before, "t/***", slash, behind]);
        }
        None => shown.push_str(rest),
    }
    let query = if query.len() > 1 { "?***" } else { query };
    shown.extend([query, fragment]);
}
