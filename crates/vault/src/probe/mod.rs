//! Queries a server about itself, the token, its rights and each need.

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
use crate::{CredentialSources, NotRevoked, ProbeError, Settings, login};

/// The maximum number of requests at the same time.
const MAX_CONCURRENT_REQUESTS: usize = 8;

/// The longest time for a login in progress, or a logout, after an interruption.
const INTERRUPT_TIMEOUT: Duration = Duration::from_secs(3);

/// The input of [`probe`].
pub struct ProbeRequest<'a> {
    /// The profile whose needs are checked.
    pub profile: &'a ResolvedProfile,
    /// The login: the profile's, or a presence check's.
    pub auth: Option<&'a Auth>,
    /// Whether the login is a presence check's. The rights of its token aren't those of the job, so they
    /// aren't requested.
    pub presence_only: bool,
    /// The sources of the credentials.
    pub sources: CredentialSources<'a>,
    /// Makes a future that is ready when the user, or the system, interrupts. It is called several
    /// times.
    pub interrupted: &'a (dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Sync),
}

/// The result of [`probe`].
pub struct ProbeReport {
    /// The facts, or the error.
    pub facts: Result<ServerFacts, ProbeError>,
    /// Additional findings: a logout that failed.
    pub findings: Vec<Finding>,
}

/// Queries the server. After a login the token is always revoked at the end.
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
        settings.client_certificate = Some(identity);
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
        // The server may have created a token for a login in progress already: wait a short time
        // for the answer, so that the token can be revoked.
        () = (request.interrupted)() => {
            if let Ok(opened) = tokio::time::timeout(INTERRUPT_TIMEOUT, &mut opening).await {
                (opened, true)
            } else {
                let message = "the login was interrupted before the server answered";
                let note = "if the server created a token, it expires by its TTL; a SecretID may be used up";
                findings.push(Finding::new(Code::LogoutFailed, message).with_note(note));
                return Err(ProbeError::Interrupted);
            }
        }
    };
    let session = match opened {
        // After an interruption the error isn't reported.
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
    // After an interruption the logout has a short time limit.
    let time_limit = if interrupted { INTERRUPT_TIMEOUT } else { Duration::MAX };
    let left = session.not_revoked(&NotRevoked::Interrupted);
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
    // A login returns the number of uses, so that not even `lookup-self` consumes one.
    enough(session.granted.as_ref().and_then(|granted| granted.uses_left))?;
    let now = connection.settings().now + server.clock_ahead.unwrap_or_default();
    let token = token::lookup_self(connection, session, request, now).await?;
    enough(token.uses_left)?;
    let capabilities = if request.presence_only {
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

/// Why the fact is unknown after an answer that isn't 2xx. A caller for which 404 means absent
/// handles it before.
fn unknown(answer: &VaultResponse) -> Result<Option<UnknownReason>, ProbeError> {
    match answer.status {
        200..=299 => Ok(None),
        403 => Ok(Some(UnknownReason::Forbidden)),
        400 | 404 | 405 => Ok(Some(UnknownReason::Unsupported)),
        _ => Err(answer.unexpected_status()),
    }
}
