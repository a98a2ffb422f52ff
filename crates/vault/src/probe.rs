//! What is found out: the server, the token, its rights, and what is there of each need.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use envlock_report::Diagnostic;
use envlock_secrets::facts::{
    Fact, Lease, Mount, NeedFacts, Online, Presence, Server, Token, Unknown,
};
use envlock_secrets::manifest::{Auth, Engine, Need, ResolvedProfile};
use envlock_secrets::requirement;
use futures::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::answer::{Answer, Nothing, seconds};
use crate::ask::{Ask, Defined, Kv1, Kv2};
use crate::session::{Connection, Session, expiry};
use crate::{Failure, Settings, Surroundings, login};

/// How many requests are under way at a time.
const AT_ONCE: usize = 8;

/// How many paths are asked about in one request.
const PATHS: usize = 200;

/// How long a login that is under way may take to come to an end after an interruption.
const GRACE: Duration = Duration::from_secs(3);

/// What is asked.
pub struct Question<'a> {
    /// The profile whose needs are looked at.
    pub profile: &'a ResolvedProfile,
    /// Who logs in: the profile's own way, or a verifier's.
    pub auth: Option<&'a Auth>,
    /// Whether who logs in only looks: then the rights aren't asked for, they'd be its own.
    pub as_verifier: bool,
    /// Where credentials come from.
    pub surroundings: Surroundings<'a>,
    /// Ready when the user, or the system, wants it to end; can be asked for again.
    pub interrupted: &'a (dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Sync),
}

/// What came of it.
pub struct Report {
    /// The facts, or why there are none.
    pub facts: Result<Online, Failure>,
    /// What is to be said besides: a logout that failed.
    pub said: Vec<Diagnostic>,
}

/// Asks the server. Whatever happens after the login, the login is ended.
pub async fn question(settings: &mut Settings, question: &Question<'_>) -> Report {
    let mut said = Vec::new();
    let facts = asked(settings, question, &mut said).await;
    Report { facts, said }
}

async fn asked(
    settings: &mut Settings,
    question: &Question<'_>,
    said: &mut Vec<Diagnostic>,
) -> Result<Online, Failure> {
    settings.address.admitted(question.profile.allow_plaintext_loopback)?;
    if let Some(identity) = login::identity(question.auth, question.surroundings)? {
        settings.identity = Some(identity);
    }
    let name = &question.profile.name;
    let entry = login::entry(name, question.auth, question.surroundings, settings.now)?;
    let namespace = match &question.profile.namespace {
        Some(named) => Some(question.surroundings.word("namespace", named)?),
        None => None,
    };
    let namespace = namespace.map(|named| named.reveal().to_owned());
    let namespace = namespace.or_else(|| settings.namespace.clone());
    let connection = Connection::new(settings, namespace).await?;
    let server = tokio::select! {
        server = server(&connection) => server?,
        () = (question.interrupted)() => return Err(Failure::Interrupted),
    };
    let ahead = server.clock_ahead.map(|ahead| ahead.as_secs());
    let mut opening = std::pin::pin!(Session::open(&connection, entry, ahead));
    let (opened, mut interrupted) = tokio::select! {
        opened = &mut opening => (opened, false),
        // A login that is under way may have made a token already: it is waited for, a little,
        // to be ended.
        () = (question.interrupted)() => {
            match tokio::time::timeout(GRACE, &mut opening).await {
                Ok(opened) => (opened, true),
                Err(_) => return Err(Failure::Interrupted),
            }
        }
    };
    let session = opened?;
    let mut facts = Err(Failure::Interrupted);
    if !interrupted {
        tokio::select! {
            found = online(&connection, &session, server, question) => facts = found,
            () = (question.interrupted)() => interrupted = true,
        }
    }
    said.extend(session.end().await);
    if interrupted { Err(Failure::Interrupted) } else { facts }
}

#[derive(Deserialize)]
struct Health {
    initialized: Option<bool>,
    sealed: Option<bool>,
    #[serde(default)]
    version: String,
    server_time_utc: Option<i64>,
}

/// How the server is; one that can't answer is an error.
async fn server(connection: &Connection<'_>) -> Result<Server, Failure> {
    let address = connection.settings().address.to_string();
    let not_a_vault =
        |reason: &str| Failure::NotAVault { address: address.clone(), reason: reason.to_owned() };
    let mut answer = connection.send(&Ask::Health, None).await?;
    if answer.status == 404 {
        // RustyVault has no health.
        answer = connection.send(&Ask::SealStatus, None).await?;
    }
    let status = answer.status;
    let Ok(health) = answer.read::<Health>() else {
        return Err(match status {
            502..=504 => Failure::Server {
                asked: "sys/health".to_owned(),
                status,
                words: vec!["(a page, as a proxy writes it)".to_owned()],
            },
            _ => not_a_vault(&format!("sys/health answers {status} and no JSON")),
        });
    };
    match (status, health.initialized, health.sealed) {
        (501, ..) | (_, Some(false), _) => return Err(Failure::NotInitialised),
        (503, ..) | (_, _, Some(true)) => return Err(Failure::Sealed),
        (472, ..) => return Err(Failure::DrSecondary),
        (_, None, None) => return Err(not_a_vault("its health isn't told in their words")),
        // A standby answers, or passes on what it is asked.
        (200 | 429 | 473, ..) => {}
        _ => return Err(not_a_vault(&format!("sys/health answers {status}"))),
    }
    let now = connection.settings().now;
    let theirs = health.server_time_utc.and_then(|time| Timestamp::from_second(time).ok());
    let clock_ahead =
        theirs.map(|theirs| SignedDuration::from_secs(theirs.as_second() - now.as_second()));
    Ok(Server { address, version: health.version, clock_ahead })
}

async fn online(
    connection: &Connection<'_>,
    session: &Session<'_>,
    server: Server,
    question: &Question<'_>,
) -> Result<Online, Failure> {
    let needs = &question.profile.needs;
    let planned = 4 + 4 * needs.len() as u64;
    let token = token(connection, session).await?;
    if let Some(left) = token.uses_left.filter(|left| *left < planned) {
        return Err(Failure::TokenUses { left, planned });
    }
    let capabilities = match question.as_verifier {
        true => Err(Unknown::NotAsked),
        false => capabilities(session, question.profile).await?,
    };
    let named: BTreeSet<&str> = needs.iter().map(|need| need.need.mount.as_str()).collect();
    let mounts: Vec<_> = stream::iter(named)
        .map(|path| async move { mount(session, path).await.map(|mount| (path, mount)) })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mounts: BTreeMap<&str, Fact<Mount>> = mounts.into_iter().collect::<Result<_, _>>()?;
    let now = connection.settings().now + server.clock_ahead.unwrap_or_default();
    let found: Vec<_> = stream::iter(needs)
        .map(|need| {
            let mount = mounts.get(need.need.mount.as_str()).cloned();
            let mount = mount.unwrap_or(Err(Unknown::NotAsked));
            async move {
                facts(session, &need.need, mount, now).await.map(|facts| (need.name.clone(), facts))
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let needs = found.into_iter().collect::<Result<_, _>>()?;
    Ok(Online { server, token, capabilities, needs })
}

/// What `lookup-self` says. The token itself is in the answer, and is passed over.
#[derive(Deserialize)]
struct Looked {
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
    num_uses: u64,
    #[serde(default, rename = "type")]
    kind: String,
}

async fn token(connection: &Connection<'_>, session: &Session<'_>) -> Result<Token, Failure> {
    let answer = session.send(&Ask::Token).await?;
    if answer.status != 200 {
        // A login's own answer knows most of it; a token that was given has nobody to vouch.
        return session.granted.clone().ok_or(Failure::TokenRefused);
    }
    let looked: Looked = answer.data()?;
    let mut policies = looked.policies.unwrap_or_default();
    for policy in looked.identity_policies.unwrap_or_default() {
        if !policies.contains(&policy) {
            policies.push(policy);
        }
    }
    let expires = looked.expire_time.as_deref().map(str::parse).transpose();
    let expires = expires.map_err(|_| answer.unreadable("its expire_time is no time"))?;
    let expires = expires.or_else(|| expiry(connection.settings().now, looked.ttl));
    Ok(Token {
        logged_in: session.granted.is_some(),
        policies,
        ttl: looked.ttl,
        expires,
        renewable: looked.renewable,
        period: looked.period,
        explicit_max_ttl: looked.explicit_max_ttl,
        uses_left: Some(looked.num_uses).filter(|uses| *uses > 0),
        batch: looked.kind == "batch",
    })
}

/// A path's names; whatever else a server puts beside the paths is passed over.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    These(BTreeSet<String>),
    Other(IgnoredAny),
}

async fn capabilities(
    session: &Session<'_>,
    profile: &ResolvedProfile,
) -> Result<Fact<BTreeMap<String, BTreeSet<String>>>, Failure> {
    let asked: BTreeSet<String> =
        requirement::of_profile(profile).into_iter().map(|r| r.access.path).collect();
    let asked: Vec<String> = asked.into_iter().collect();
    let mut all = BTreeMap::new();
    for paths in asked.chunks(PATHS) {
        let answer = session.send(&Ask::Capabilities(paths)).await?;
        if let Some(unknown) = unknown(&answer)? {
            return Ok(Err(unknown));
        }
        let told: BTreeMap<String, Names> = answer.data()?;
        for (path, names) in told {
            if let Names::These(names) = names
                && paths.contains(&path)
            {
                all.insert(path, names);
            }
        }
    }
    Ok(Ok(all))
}

/// Why an answer that isn't 200 says nothing; a 404 is the caller's.
fn unknown(answer: &Answer) -> Result<Option<Unknown>, Failure> {
    match answer.status {
        200..=299 => Ok(None),
        403 => Ok(Some(Unknown::Forbidden)),
        404 | 405 => Ok(Some(Unknown::Unsupported)),
        400 => Ok(Some(Unknown::Unsupported)),
        _ => Err(answer.unreadable("its status is none that this request can have")),
    }
}

#[derive(Deserialize)]
struct Mounted {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    options: Option<Options>,
    config: Option<Tuned>,
}

#[derive(Deserialize)]
struct Options {
    version: Option<String>,
}

#[derive(Deserialize, Default)]
struct Tuned {
    #[serde(default, deserialize_with = "seconds")]
    default_lease_ttl: u64,
    #[serde(default, deserialize_with = "seconds")]
    max_lease_ttl: u64,
}

async fn mount(session: &Session<'_>, path: &str) -> Result<Fact<Mount>, Failure> {
    let answer = session.send(&Ask::Mount(path)).await?;
    if let Some(unknown) = unknown(&answer)? {
        return Ok(Err(unknown));
    }
    let mounted: Mounted = answer.data()?;
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

async fn facts(
    session: &Session<'_>,
    need: &Need,
    mount: Fact<Mount>,
    now: Timestamp,
) -> Result<NeedFacts, Failure> {
    let nothing = |unknown| NeedFacts {
        mount: mount.clone(),
        presence: Err(unknown),
        fields: Err(unknown),
        lease: Err(unknown),
    };
    if need.engine == Engine::Cubbyhole {
        return Ok(nothing(Unknown::NoSafeWay));
    }
    // Without a positive answer about the mount the same path could be a secret's.
    let Ok(seen) = &mount else { return Ok(nothing(Unknown::NotAsked)) };
    if seen.path != need.mount {
        return Ok(nothing(Unknown::NotAsked));
    }
    if let Some(kv2) = Kv2::at(seen).filter(|_| need.engine == Engine::Kv2) {
        let presence = metadata(session, &kv2, need.locator(), now).await?;
        let there = matches!(presence, Ok(Presence::There { .. }) | Err(_));
        let fields = match there && !need.fields.is_empty() {
            true => fields(session, &kv2, need.locator()).await?,
            false => Err(Unknown::NotAsked),
        };
        return Ok(NeedFacts { presence, fields, ..nothing(Unknown::NotAsked) });
    }
    if let Some(kv1) = Kv1::at(seen).filter(|_| need.engine == Engine::Kv1) {
        let presence = name(session, &kv1, need.locator()).await?;
        return Ok(NeedFacts { presence, ..nothing(Unknown::NoSafeWay) });
    }
    let Some(defined) = Defined::at(need.engine, seen, need.locator()) else {
        return Ok(nothing(Unknown::NotAsked));
    };
    let (presence, lease) = definition(session, &defined).await?;
    Ok(NeedFacts { presence, lease, ..nothing(Unknown::NotAsked) })
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
    kv2: &Kv2<'_>,
    path: &str,
    now: Timestamp,
) -> Result<Fact<Presence>, Failure> {
    let answer = session.send(&Ask::Metadata(kv2, path)).await?;
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
    let ends: Option<Timestamp> = match version.deletion_time.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| answer.unreadable("its deletion_time is no time"))?),
    };
    Ok(Ok(match ends {
        Some(ends) if ends <= now => Presence::Deleted,
        ends => Presence::There { ends },
    }))
}

#[derive(Deserialize)]
struct Subkeys {
    subkeys: BTreeMap<String, Nothing>,
}

async fn fields(
    session: &Session<'_>,
    kv2: &Kv2<'_>,
    path: &str,
) -> Result<Fact<BTreeSet<String>>, Failure> {
    let answer = session.send(&Ask::Fields(kv2, path)).await?;
    if let Some(unknown) = unknown(&answer)? {
        return Ok(Err(unknown));
    }
    let subkeys: Subkeys = answer.data()?;
    Ok(Ok(subkeys.subkeys.into_keys().collect()))
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    keys: Vec<String>,
}

/// kv1 shows nothing but the names in a folder.
async fn name(session: &Session<'_>, kv1: &Kv1<'_>, path: &str) -> Result<Fact<Presence>, Failure> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let answer = session.send(&Ask::Names(kv1, &folder)).await?;
    if answer.status == 404 {
        return Ok(Ok(Presence::Absent));
    }
    if let Some(unknown) = unknown(&answer)? {
        return Ok(Err(unknown));
    }
    let listed: Listed = answer.data()?;
    let there = listed.keys.iter().any(|key| key == name);
    Ok(Ok(if there { Presence::There { ends: None } } else { Presence::Absent }))
}

/// What a role says of its leases, under the names of all engines; the rest is passed over.
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

async fn definition(
    session: &Session<'_>,
    defined: &Defined<'_>,
) -> Result<(Fact<Presence>, Fact<Lease>), Failure> {
    let answer = session.send(&Ask::Definition(defined)).await?;
    if answer.status == 404 {
        return Ok((Ok(Presence::Absent), Err(Unknown::NotAsked)));
    }
    if let Some(unknown) = unknown(&answer)? {
        return Ok((Err(unknown), Err(unknown)));
    }
    let lease = match answer.data::<Role>() {
        Ok(Role { default_ttl, max_ttl }) => Ok(Lease { default_ttl, max_ttl }),
        Err(_) => Err(Unknown::Unsupported),
    };
    Ok((Ok(Presence::There { ends: None }), lease))
}
