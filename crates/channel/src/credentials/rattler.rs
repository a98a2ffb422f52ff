//! `credentials.json` of rattler, pixi and rattler-build: by host, `*.domain` or address.
//!
//! Read here and not by rattler's own storage, whose types print what they hold.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::How;

#[derive(Deserialize)]
enum Entry {
    BearerToken(String),
    CondaToken(String),
    BasicHTTP { username: String, password: String },
    OAuth { access_token: String },
    S3Credentials {},
}

/// The credentials by what they are for; `None` where the file is none of this kind.
pub(super) fn read(text: &str) -> Option<Vec<(String, How)>> {
    let entries: BTreeMap<String, Entry> = serde_json::from_str(text).ok()?;
    let usable = entries.into_iter().filter_map(|(place, entry)| {
        let how = match entry {
            Entry::BearerToken(token) | Entry::OAuth { access_token: token } => How::Bearer(token),
            Entry::CondaToken(token) => How::Token(token),
            Entry::BasicHTTP { username, password } => How::Basic { user: username, password },
            // S3 isn't spoken.
            Entry::S3Credentials {} => return None,
        };
        Some((place, how))
    });
    Some(usable.collect())
}
