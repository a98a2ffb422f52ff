//! The token: what it is, and what it may do.

use std::collections::{BTreeMap, BTreeSet};

use envlock_secrets::facts::{Fact, Token};
use envlock_secrets::manifest::ResolvedProfile;
use envlock_secrets::requirement;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::unknown;
use crate::answer::seconds;
use crate::connection::Connection;
use crate::request::VaultRequest;
use crate::session::{Session, expiry};
use crate::{AnswerFault, ProbeError};

/// How many paths are asked about in one request.
const PATHS: usize = 200;

/// What `lookup-self` says. The token itself is in the answer, and is passed over.
#[derive(Deserialize)]
struct TokenLookup {
    #[serde(default)]
    policies: Option<Vec<String>>,
    #[serde(default)]
    identity_policies: Option<Vec<String>>,
    #[serde(default, deserialize_with = "seconds")]
    ttl: u64,
    expire_time: Option<String>,
    #[serde(default)]
    renewable: bool,
    #[serde(default, deserialize_with = "seconds")]
    period: u64,
    #[serde(default, deserialize_with = "seconds")]
    explicit_max_ttl: u64,
    #[serde(default)]
    num_uses: i64,
    #[serde(default, rename = "type")]
    kind: String,
}

pub(super) async fn lookup_self(
    connection: &Connection<'_>,
    session: &Session<'_>,
) -> Result<Token, ProbeError> {
    let answer = session.send(&VaultRequest::Token).await?;
    if answer.status != 200 {
        // A login's own answer knows most of it; a token that was given has nobody to vouch.
        return session.granted.clone().ok_or_else(|| match answer.status {
            400 | 401 | 403 => ProbeError::TokenRefused,
            _ => answer.unexpected_status(),
        });
    }
    let looked: TokenLookup = answer.data()?;
    let mut policies = looked.policies.unwrap_or_default();
    for policy in looked.identity_policies.unwrap_or_default() {
        if !policies.contains(&policy) {
            policies.push(policy);
        }
    }
    let expires = looked.expire_time.as_deref().map(str::parse).transpose();
    let expires = expires.map_err(|_| answer.unreadable(AnswerFault::BadTime("expire_time")))?;
    let expires = expires.or_else(|| expiry(connection.settings().now, looked.ttl));
    Ok(Token {
        logged_in: session.granted.is_some(),
        policies,
        ttl: looked.ttl,
        expires,
        renewable: looked.renewable,
        period: looked.period,
        explicit_max_ttl: looked.explicit_max_ttl,
        // Below zero it is used up, by this very request.
        uses_left: (looked.num_uses != 0).then(|| u64::try_from(looked.num_uses).unwrap_or(0)),
        batch: looked.kind == "batch",
    })
}

/// A path's names; whatever else a server puts beside the paths is passed over.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    Listed(BTreeSet<String>),
    Other(IgnoredAny),
}

pub(super) async fn capabilities(
    session: &Session<'_>,
    profile: &ResolvedProfile,
) -> Result<Fact<BTreeMap<String, BTreeSet<String>>>, ProbeError> {
    let requested: BTreeSet<String> =
        requirement::for_profile(profile).into_iter().map(|r| r.request.path).collect();
    let requested: Vec<String> = requested.into_iter().collect();
    let mut all = BTreeMap::new();
    for paths in requested.chunks(PATHS) {
        let answer = session.send(&VaultRequest::Capabilities(paths)).await?;
        if let Some(unknown) = unknown(&answer)? {
            return Ok(Err(unknown));
        }
        let granted: BTreeMap<String, Names> = answer.data()?;
        for (path, names) in granted {
            if let Names::Listed(names) = names
                && paths.contains(&path)
            {
                all.insert(path, names);
            }
        }
    }
    Ok(Ok(all))
}
