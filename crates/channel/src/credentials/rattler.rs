//! Reads `credentials.json` of rattler, pixi and rattler-build: credentials by host, `*.domain` or
//! URL.
//!
//! rattler's own storage isn't used, because the `Debug` of its types prints secrets.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::AuthScheme;

#[derive(Deserialize)]
enum Entry {
    BearerToken(String),
    CondaToken(String),
    BasicHTTP { username: String, password: String },
    OAuth { access_token: String },
    S3Credentials {},
}

/// Returns the credentials by scope; `None` if the text isn't such a file.
pub(super) fn read(text: &str) -> Option<Vec<(String, AuthScheme)>> {
    let entries: BTreeMap<String, Entry> = serde_json::from_str(text).ok()?;
    let usable = entries.into_iter().filter_map(|(scope, entry)| {
        let scheme = match entry {
            Entry::BearerToken(token) | Entry::OAuth { access_token: token } => {
                AuthScheme::Bearer(token)
            }
            Entry::CondaToken(token) => AuthScheme::Token(token),
            Entry::BasicHTTP { username, password } => {
                AuthScheme::Basic { user: username, password }
            }
            // S3 isn't supported.
            Entry::S3Credentials {} => return None,
        };
        Some((scope, scheme))
    });
    Some(usable.collect())
}
