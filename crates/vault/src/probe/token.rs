//! Queries the token: its properties and its capabilities.

use std::collections::{BTreeMap, BTreeSet};

use envlock_model::needs::validate;
use envlock_secrets::facts::{Fact, Token};
use envlock_secrets::manifest::ResolvedProfile;
use envlock_secrets::{need_request, token_life};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{need, unknown};
use crate::answer::seconds;
use crate::connection::Connection;
use crate::request::VaultRequest;
use crate::session::{Session, expiry};
use crate::{AnswerFault, ProbeError, ProbeRequest};

/// The maximum number of paths in one request.
const PATHS: usize = 200;

/// The answer of `lookup-self`. It contains the token too, which is ignored.
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
    creation_time: i64,
    #[serde(default)]
    path: String,
    #[serde(default)]
    num_uses: i64,
    #[serde(default, rename = "type")]
    kind: String,
}

/// The properties of the token. `now` is the time of the server.
pub(super) async fn lookup_self(
    connection: &Connection<'_>,
    session: &Session<'_>,
    request: &ProbeRequest<'_>,
    now: Timestamp,
) -> Result<Token, ProbeError> {
    let answer = session.send(&VaultRequest::Token).await?;
    if answer.status != 200 {
        // A login's answer has most of it; for a token that the user supplied it is an error.
        return session.granted.clone().ok_or_else(|| match answer.status {
            400 | 401 | 403 => ProbeError::TokenRefused { product: connection.product() },
            _ => answer.unexpected_status(),
        });
    }
    let lookup: TokenLookup = answer.data()?;
    let mut policies = lookup.policies.unwrap_or_default();
    for policy in lookup.identity_policies.unwrap_or_default() {
        if !policies.contains(&policy) {
            policies.push(policy);
        }
    }
    let expires = lookup.expire_time.as_deref().map(str::parse).transpose();
    let expires = expires.map_err(|_| answer.unreadable(AnswerFault::BadTime("expire_time")))?;
    let expires = expires.or_else(|| expiry(connection.settings().now, lookup.ttl));
    let mut token = Token {
        logged_in: session.granted.is_some(),
        policies,
        ttl: lookup.ttl,
        expires,
        renewable: lookup.renewable,
        period: lookup.period,
        explicit_max_ttl: remaining(lookup.explicit_max_ttl, lookup.creation_time, now),
        mount_max_ttl: 0,
        // A negative number means that this request consumed the last use.
        uses_left: (lookup.num_uses != 0).then(|| u64::try_from(lookup.num_uses).unwrap_or(0)),
        batch: lookup.kind == "batch",
    };
    if !request.presence_only
        && token.uses_left.is_none()
        && token_life::depends_on_mount(&token, request.profile)
        && let Some((mount, _)) = lookup.path.strip_prefix("auth/").and_then(|p| p.rsplit_once('/'))
        && validate::path(mount).is_ok()
        && let Ok(mount) = need::mount(session, &format!("auth/{mount}")).await?
    {
        token.mount_max_ttl = mount.max_ttl;
    }
    Ok(token)
}

/// What remains of a limit that counts from the creation; at least a second, because 0 would mean
/// no limit.
fn remaining(limit: u64, created: i64, now: Timestamp) -> u64 {
    if limit == 0 || created == 0 {
        return limit;
    }
    let age = u64::try_from(now.as_second().saturating_sub(created)).unwrap_or(0);
    limit.saturating_sub(age).max(1)
}

/// The capabilities of a path. Other keys of the answer are ignored.
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
    let requested: BTreeSet<String> = need_request::job_requests_of_profile(profile)
        .into_iter()
        .map(|r| r.request.path)
        .collect();
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
