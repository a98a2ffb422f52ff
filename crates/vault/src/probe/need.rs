//! Queries a need: the engine that serves it, whether it exists, its fields and its leases.

use std::collections::{BTreeMap, BTreeSet};

use envlock_model::needs::Need;
use envlock_policy::Engine;
use envlock_secrets::facts::{Fact, Lease, Mount, NeedFacts, Presence, UnknownReason};
use jiff::Timestamp;
use serde::Deserialize;

use super::unknown;
use crate::answer::{Null, seconds};
use crate::request::{ConfirmedDefinition, ConfirmedKv1, ConfirmedKv2, VaultRequest};
use crate::session::Session;
use crate::{AnswerFault, ProbeError};

#[derive(Deserialize)]
struct MountInfo {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    options: Option<Options>,
    config: Option<MountTuning>,
}

#[derive(Deserialize)]
struct Options {
    version: Option<String>,
}

#[derive(Deserialize, Default)]
struct MountTuning {
    #[serde(default, deserialize_with = "seconds")]
    default_lease_ttl: u64,
    #[serde(default, deserialize_with = "seconds")]
    max_lease_ttl: u64,
}

pub(super) async fn mount(session: &Session<'_>, path: &str) -> Result<Fact<Mount>, ProbeError> {
    let answer = session.send(&VaultRequest::Mount(path)).await?;
    if let Some(unknown) = unknown(&answer)? {
        return Ok(Err(unknown));
    }
    let mounted: MountInfo = answer.data()?;
    let version = mounted.options.and_then(|options| options.version);
    let tuned = mounted.config.unwrap_or_default();
    Ok(Ok(Mount {
        path: mounted.path.trim_end_matches('/').to_owned(),
        kind: mounted.kind,
        kv_version: version.and_then(|version| version.parse().ok()),
        default_ttl: tuned.default_lease_ttl,
        max_ttl: tuned.max_lease_ttl,
    }))
}

/// The facts about one need, whose mount is `mount`.
pub(super) async fn need_facts(
    session: &Session<'_>,
    need: &Need,
    mount: Fact<Mount>,
    now: Timestamp,
) -> Result<NeedFacts, ProbeError> {
    let nothing = |unknown| NeedFacts {
        mount: mount.clone(),
        presence: Err(unknown),
        fields: Err(unknown),
        lease: Err(unknown),
    };
    if need.existence_requests().is_empty() {
        return Ok(nothing(UnknownReason::NoSafeRequest));
    }
    // Without the server's answer about the mount the path could be a secret's.
    let Ok(seen) = &mount else { return Ok(nothing(UnknownReason::NotRequested)) };
    if seen.path != need.mount {
        return Ok(nothing(UnknownReason::NotRequested));
    }
    if let Some(kv2) = ConfirmedKv2::confirm(seen).filter(|_| need.engine == Engine::Kv2) {
        let presence = metadata(session, &kv2, need.locator.name(), now).await?;
        let there = matches!(presence, Ok(Presence::Present { .. }) | Err(_));
        let fields = if there && !need.fields.is_empty() {
            fields(session, &kv2, need.locator.name()).await?
        } else {
            Err(UnknownReason::NotRequested)
        };
        return Ok(NeedFacts { presence, fields, ..nothing(UnknownReason::NotRequested) });
    }
    if let Some(kv1) = ConfirmedKv1::confirm(seen).filter(|_| need.engine == Engine::Kv1) {
        let presence = name(session, &kv1, need.locator.name()).await?;
        return Ok(NeedFacts { presence, ..nothing(UnknownReason::NoSafeRequest) });
    }
    let Some(definition) = ConfirmedDefinition::confirm(need.engine, seen, need.locator.name())
    else {
        return Ok(nothing(UnknownReason::NotRequested));
    };
    let (presence, lease) = read_definition(session, &definition).await?;
    Ok(NeedFacts { presence, lease, ..nothing(UnknownReason::NotRequested) })
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    current_version: u64,
    #[serde(default)]
    versions: BTreeMap<String, Version>,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    deletion_time: String,
    #[serde(default)]
    destroyed: bool,
}

async fn metadata(
    session: &Session<'_>,
    kv2: &ConfirmedKv2<'_>,
    path: &str,
    now: Timestamp,
) -> Result<Fact<Presence>, ProbeError> {
    let answer = session.send(&VaultRequest::Metadata(kv2, path)).await?;
    if answer.status == 404 {
        return Ok(Ok(Presence::Absent));
    }
    if let Some(unknown) = unknown(&answer)? {
        return Ok(Err(unknown));
    }
    let metadata: Metadata = answer.data()?;
    let current = metadata.versions.get(&metadata.current_version.to_string());
    let Some(version) = current else { return Ok(Ok(Presence::Absent)) };
    if version.destroyed {
        return Ok(Ok(Presence::Destroyed));
    }
    let deleted_at: Option<Timestamp> = match version.deletion_time.as_str() {
        "" => None,
        text => Some(
            text.parse().map_err(|_| answer.unreadable(AnswerFault::BadTime("deletion_time")))?,
        ),
    };
    Ok(Ok(match deleted_at {
        Some(deleted_at) if deleted_at <= now => Presence::Deleted,
        deleted_at => Presence::Present { deleted_at },
    }))
}

#[derive(Deserialize)]
struct Subkeys {
    #[expect(clippy::zero_sized_map_values, reason = "a set would read the values")]
    subkeys: BTreeMap<String, Null>,
}

async fn fields(
    session: &Session<'_>,
    kv2: &ConfirmedKv2<'_>,
    path: &str,
) -> Result<Fact<BTreeSet<String>>, ProbeError> {
    let answer = session.send(&VaultRequest::Fields(kv2, path)).await?;
    if let Some(unknown) = unknown(&answer)? {
        return Ok(Err(unknown));
    }
    let subkeys: Subkeys = answer.data()?;
    Ok(Ok(subkeys.subkeys.into_keys().collect()))
}

#[derive(Deserialize)]
struct KeyList {
    #[serde(default)]
    keys: Vec<String>,
}

/// Checks the presence of a kv1 secret: kv1 can only list the names in a directory.
async fn name(
    session: &Session<'_>,
    kv1: &ConfirmedKv1<'_>,
    path: &str,
) -> Result<Fact<Presence>, ProbeError> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let answer = session.send(&VaultRequest::ListNames(kv1, &folder)).await?;
    if answer.status == 404 {
        return Ok(Ok(Presence::Absent));
    }
    if let Some(unknown) = unknown(&answer)? {
        return Ok(Err(unknown));
    }
    let listed: KeyList = answer.data()?;
    let there = listed.keys.iter().any(|key| key == name);
    Ok(Ok(if there { Presence::Present { deleted_at: None } } else { Presence::Absent }))
}

/// The TTLs of a role, under the names of all engines. Everything else is ignored.
#[derive(Deserialize)]
struct Role {
    #[serde(
        default,
        alias = "ttl",
        alias = "default_sts_ttl",
        alias = "token_default_ttl",
        deserialize_with = "seconds"
    )]
    default_ttl: u64,
    #[serde(default, alias = "max_sts_ttl", alias = "token_max_ttl", deserialize_with = "seconds")]
    max_ttl: u64,
}

async fn read_definition(
    session: &Session<'_>,
    definition: &ConfirmedDefinition<'_>,
) -> Result<(Fact<Presence>, Fact<Lease>), ProbeError> {
    let answer = session.send(&VaultRequest::ReadDefinition(definition)).await?;
    if answer.status == 404 {
        return Ok((Ok(Presence::Absent), Err(UnknownReason::NotRequested)));
    }
    if let Some(unknown) = unknown(&answer)? {
        return Ok((Err(unknown), Err(unknown)));
    }
    let lease = match answer.data::<Role>() {
        Ok(Role { default_ttl, max_ttl }) => Ok(Lease { default_ttl, max_ttl }),
        Err(_) => Err(UnknownReason::Unsupported),
    };
    Ok((Ok(Presence::Present { deleted_at: None }), lease))
}
