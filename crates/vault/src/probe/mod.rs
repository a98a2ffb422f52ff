//! What is found out: the server, the token, its rights, and what is there of each need.

mod need;
mod server;
mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use envlock_report::{Code, Finding};
use envlock_secrets::facts::{Fact, Mount, Server, ServerFacts, UnknownReason};
use envlock_secrets::manifest::{Auth, ResolvedProfile};
use futures::{StreamExt as _, stream};

use crate::answer::VaultResponse;
use crate::connection::Connection;
use crate::session::Session;
use crate::{CredentialSources, ProbeError, Settings, login};

/// How many requests are under way at a time.
const MAX_CONCURRENT_REQUESTS: usize = 8;

/// How long a login that is under way, or a logout, may take after an interruption.
const INTERRUPT_TIMEOUT: Duration = Duration::from_secs(3);

/// What is asked.
pub struct ProbeRequest<'a> {
    /// The profile whose needs are looked at.
    pub profile: &'a ResolvedProfile,
    /// Who logs in: the profile's own way, or a verifier's.
    pub auth: Option<&'a Auth>,
    /// Whether who logs in only looks: then the rights aren't asked for, they'd be its own.
    pub as_verifier: bool,
    /// Where credentials come from.
    pub sources: CredentialSources<'a>,
    /// Ready when the user, or the system, wants it to end; can be asked for again.
    pub interrupted: &'a (dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Sync),
}

/// What came of it.
pub struct ProbeReport {
    /// The facts, or why there are none.
    pub facts: Result<ServerFacts, ProbeError>,
    /// What is to be said besides: a logout that failed.
    pub findings: Vec<Finding>,
}

/// Asks the server. Whatever happens after the login, the login is ended.
pub async fn probe(settings: &mut Settings, request: &ProbeRequest<'_>) -> ProbeReport {
    let mut findings = Vec::new();
    let facts = run(settings, request, &mut findings).await;
    ProbeReport { facts, findings }
}

async fn run(
    settings: &mut Settings,
    request: &ProbeRequest<'_>,
    findings: &mut Vec<Finding>,
) -> Result<ServerFacts, ProbeError> {
    settings.address.check_scheme(request.profile.allow_plaintext_loopback)?;
    if let Some(identity) = login::client_identity(request.auth, request.sources)? {
        settings.identity = Some(identity);
    }
    let name = &request.profile.name;
    let token_source = login::token_source(name, request.auth, request.sources, settings.now)?;
    let namespace = match &request.profile.namespace {
        Some(named) => Some(request.sources.read_name("namespace", named)?),
        None => settings.namespace.clone(),
    };
    let connection = Connection::new(settings, namespace).await?;
    let server = tokio::select! {
        server = server::health(&connection) => server?,
        () = (request.interrupted)() => return Err(ProbeError::Interrupted),
    };
    let ahead = server.clock_ahead.map(|ahead| ahead.as_secs());
    let mut opening = std::pin::pin!(Session::open(&connection, token_source, ahead));
    let (opened, mut interrupted) = tokio::select! {
        opened = &mut opening => (opened, false),
        // A login that is under way may have made a token already: it is waited for, a little,
        // to be ended.
        () = (request.interrupted)() => {
            if let Ok(opened) = tokio::time::timeout(INTERRUPT_TIMEOUT, &mut opening).await {
                (opened, true)
            } else {
                let message = "the login was interrupted before the server had answered it";
                let note = "if it made a token, that ends by itself; a SecretID may be used up";
                findings.push(Finding::new(Code::LogoutFailed, message).with_note(note));
                return Err(ProbeError::Interrupted);
            }
        }
    };
    let session = match opened {
        // Nobody waits for the reason any more.
        Err(_) if interrupted => return Err(ProbeError::Interrupted),
        opened => opened?,
    };
    let mut facts = Err(ProbeError::Interrupted);
    if !interrupted {
        tokio::select! {
            found = collect_facts(&connection, &session, server, request) => facts = found,
            () = (request.interrupted)() => interrupted = true,
        }
    }
    // Whoever is no longer waited for is given a little time.
    let time_limit = if interrupted { INTERRUPT_TIMEOUT } else { Duration::MAX };
    let left = session.not_revoked("it was interrupted, or the server doesn't answer");
    tokio::select! {
        warning = tokio::time::timeout(time_limit, session.revoke()) => {
            findings.extend(warning.unwrap_or(left));
        }
        () = (request.interrupted)() => {
            findings.extend(left);
            interrupted = true;
        }
    }
    if interrupted { Err(ProbeError::Interrupted) } else { facts }
}

async fn collect_facts(
    connection: &Connection<'_>,
    session: &Session<'_>,
    server: Server,
    request: &ProbeRequest<'_>,
) -> Result<ServerFacts, ProbeError> {
    let needs = &request.profile.needs;
    let planned = 4 + 4 * needs.len() as u64;
    let enough = |uses: Option<u64>| match uses.filter(|left| *left < planned) {
        Some(left) => Err(ProbeError::TooFewTokenUses { left, planned }),
        None => Ok(()),
    };
    // A login tells it beforehand, so that not even the look uses one up.
    enough(session.granted.as_ref().and_then(|granted| granted.uses_left))?;
    let token = token::lookup_self(connection, session).await?;
    enough(token.uses_left)?;
    let capabilities = if request.as_verifier {
        Err(UnknownReason::NotRequested)
    } else {
        token::capabilities(session, request.profile).await?
    };
    let named: BTreeSet<&str> = needs.iter().map(|need| need.need.mount.as_str()).collect();
    let mounts: Vec<_> = stream::iter(named)
        .map(|path| async move { need::mount(session, path).await.map(|mount| (path, mount)) })
        .buffer_unordered(MAX_CONCURRENT_REQUESTS)
        .collect()
        .await;
    let mounts: BTreeMap<&str, Fact<Mount>> = mounts.into_iter().collect::<Result<_, _>>()?;
    let now = connection.settings().now + server.clock_ahead.unwrap_or_default();
    let found: Vec<_> = stream::iter(needs)
        .map(|need| {
            let mount = mounts.get(need.need.mount.as_str()).cloned();
            let mount = mount.unwrap_or(Err(UnknownReason::NotRequested));
            async move {
                need::need_facts(session, &need.need, mount, now)
                    .await
                    .map(|facts| (need.name.clone(), facts))
            }
        })
        .buffer_unordered(MAX_CONCURRENT_REQUESTS)
        .collect()
        .await;
    let needs = found.into_iter().collect::<Result<_, _>>()?;
    Ok(ServerFacts { server, token, capabilities, needs })
}

/// Why an answer that isn't 2xx says nothing. Where 404 is an answer (absent), the caller has
/// taken it already.
fn unknown(answer: &VaultResponse) -> Result<Option<UnknownReason>, ProbeError> {
    match answer.status {
        200..=299 => Ok(None),
        403 => Ok(Some(UnknownReason::Forbidden)),
        400 | 404 | 405 => Ok(Some(UnknownReason::Unsupported)),
        _ => Err(answer.unexpected_status()),
    }
}
