//! Credentials in addresses: taking them out, putting them back, never showing them.

use std::fmt;

use envlock_text::redact::split_path_token;
use url::{Origin, Url};

/// Credentials that were written into a channel's address.
///
/// The value can't be printed, compared or serialised; it can only be put into the address of
/// a request to the same server.
#[derive(Clone)]
pub struct ChannelCredentials {
    server: Origin,
    kind: CredentialKind,
}

#[derive(Clone)]
enum CredentialKind {
    /// `user:password@` of the address.
    User { name: String, password: Option<String> },
    /// `/t/<token>/` of the path, behind this prefix of it (which ends in `/`).
    Token { before: String, token: String },
}

impl ChannelCredentials {
    /// Takes the credentials out of an address, which has none afterwards.
    ///
    /// A token wins over a user when both are there, as only one can be asked for at once.
    pub fn extract_from(url: &mut Url) -> Option<Self> {
        let server = url.origin();
        let user = (!url.username().is_empty() || url.password().is_some()).then(|| {
            CredentialKind::User {
                name: url.username().to_owned(),
                password: url.password().map(str::to_owned),
            }
        });
        // Both only fail for addresses without a host, which have no user either.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let token = split_path_token(url.path()).map(|(before, token, behind)| {
            let kind = CredentialKind::Token { before: before.to_owned(), token: token.to_owned() };
            (kind, format!("{before}{behind}"))
        });
        let token = token.map(|(kind, path)| {
            url.set_path(&path);
            kind
        });
        token.or(user).map(|kind| Self { server, kind })
    }

    /// The address with the credentials in it, if it is on the server that they are for;
    /// unchanged otherwise.
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
                if let Some(behind) = url.path().strip_prefix(before.as_str()) {
                    let path = format!("{before}t/{token}/{behind}");
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
