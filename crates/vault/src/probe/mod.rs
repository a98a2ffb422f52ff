//! What is found out: the server, the token, its rights, and what is there of each need.

mod need;
mod server;
mod token;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use envlock_report::{Code, Finding};
use envlock_secrets::facts::{Fact, Mount, Online, Server, Unknown};
use envlock_secrets::manifest::{Auth, ResolvedProfile};
use futures::{StreamExt as _, stream};

use crate::answer::Answer;
use crate::connection::Connection;
use crate::session::Session;
use crate::{CredentialSources, Failure, Settings, login};

/// How many requests are under way at a time.
const AT_ONCE: usize = 8;

/// How long a login that is under way, or a logout, may take after an interruption.
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
    pub sources: CredentialSources<'a>,
    /// Ready when the user, or the system, wants it to end; can be asked for again.
    pub interrupted: &'a (dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Sync),
}

/// What came of it.
pub struct Report {
    /// The facts, or why there are none.
    pub facts: Result<Online, Failure>,
    /// What is to be said besides: a logout that failed.
    pub said: Vec<Finding>,
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
    said: &mut Vec<Finding>,
) -> Result<Online, Failure> {
    settings.address.admitted(question.profile.allow_plaintext_loopback)?;
    if let Some(identity) = login::identity(question.auth, question.sources)? {
        settings.identity = Some(identity);
    }
    let name = &question.profile.name;
    let entry = login::entry(name, question.auth, question.sources, settings.now)?;
    let namespace = match &question.profile.namespace {
        Some(named) => Some(question.sources.name("namespace", named)?),
        None => settings.namespace.clone(),
    };
    let connection = Connection::new(settings, namespace).await?;
    let server = tokio::select! {
        server = server::look(&connection) => server?,
        () = (question.interrupted)() => return Err(Failure::Interrupted),
    };
    let ahead = server.clock_ahead.map(|ahead| ahead.as_secs());
    let mut opening = std::pin::pin!(Session::open(&connection, entry, ahead));
    let (opened, mut interrupted) = tokio::select! {
        opened = &mut opening => (opened, false),
        // A login that is under way may have made a token already: it is waited for, a little,
        // to be ended.
        () = (question.interrupted)() => {
            if let Ok(opened) = tokio::time::timeout(GRACE, &mut opening).await {
                (opened, true)
            } else {
                let message = "the login was interrupted before the server had answered it";
                let note = "if it made a token, that ends by itself; a SecretID may be used up";
                said.push(Finding::new(Code::LogoutFailed, message).with_note(note));
                return Err(Failure::Interrupted);
            }
        }
    };
    let session = match opened {
        // Nobody waits for the reason any more.
        Err(_) if interrupted => return Err(Failure::Interrupted),
        opened => opened?,
    };
    let mut facts = Err(Failure::Interrupted);
    if !interrupted {
        tokio::select! {
            found = online(&connection, &session, server, question) => facts = found,
            () = (question.interrupted)() => interrupted = true,
        }
    }
    // Whoever is no longer waited for is given a little time.
    let patience = if interrupted { GRACE } else { Duration::MAX };
    let left = session.left("it was interrupted, or the server doesn't answer");
    tokio::select! {
        warning = tokio::time::timeout(patience, session.end()) => {
            said.extend(warning.unwrap_or(left));
        }
        () = (question.interrupted)() => {
            said.extend(left);
            interrupted = true;
        }
    }
    if interrupted { Err(Failure::Interrupted) } else { facts }
}

async fn online(
    connection: &Connection<'_>,
    session: &Session<'_>,
    server: Server,
    question: &Question<'_>,
) -> Result<Online, Failure> {
    let needs = &question.profile.needs;
    let planned = 4 + 4 * needs.len() as u64;
    let enough = |uses: Option<u64>| match uses.filter(|left| *left < planned) {
        Some(left) => Err(Failure::TokenUses { left, planned }),
        None => Ok(()),
    };
    // A login tells it beforehand, so that not even the look uses one up.
    enough(session.granted.as_ref().and_then(|granted| granted.uses_left))?;
    let token = token::look(connection, session).await?;
    enough(token.uses_left)?;
    let capabilities = if question.as_verifier {
        Err(Unknown::NotAsked)
    } else {
        token::capabilities(session, question.profile).await?
    };
    let named: BTreeSet<&str> = needs.iter().map(|need| need.need.mount.as_str()).collect();
    let mounts: Vec<_> = stream::iter(named)
        .map(|path| async move { need::mount(session, path).await.map(|mount| (path, mount)) })
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
                need::look(session, &need.need, mount, now)
                    .await
                    .map(|facts| (need.name.clone(), facts))
            }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let needs = found.into_iter().collect::<Result<_, _>>()?;
    Ok(Online { server, token, capabilities, needs })
}

/// Why an answer that isn't 2xx says nothing. Where 404 is an answer (absent), the caller has
/// taken it already.
fn unknown(answer: &Answer) -> Result<Option<Unknown>, Failure> {
    match answer.status {
        200..=299 => Ok(None),
        403 => Ok(Some(Unknown::Forbidden)),
        400 | 404 | 405 => Ok(Some(Unknown::Unsupported)),
        _ => Err(answer.unexpected_status()),
    }
}
