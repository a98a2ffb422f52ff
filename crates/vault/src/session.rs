//! A connection that is patient where patience helps, and a token that is ended after use.

// Only this module can send, and it takes nothing but an [`Ask`].
mod transport;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use envlock_report::Diagnostic;
use envlock_report::connection::{innermost, why_no_connection, why_no_trust};
use envlock_secrets::facts::Token;
use http::{HeaderMap, HeaderValue, Request, Response};
use rustify::endpoint::{Endpoint, MiddleWare};
use rustify::errors::ClientError;
use serde::Deserialize;
use serde::de::IgnoredAny;
use vaultrs::api::EndpointMiddleware;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::login::{Entry, Login};
use crate::{Failure, Secret, Settings, wrapping};
use transport::{Transport, Unfit};

const INDEX: &str = "X-Vault-Index";

/// The server as one profile speaks to it.
pub(crate) struct Connection<'a> {
    settings: &'a Settings,
    transport: Transport,
    namespace: Option<String>,
    index: Mutex<Option<HeaderValue>>,
    is_behind: AtomicBool,
}

/// What every request carries: vaultrs's own headers, and the token, which vaultrs would show
/// to whoever prints it.
struct Headers<'a> {
    usual: EndpointMiddleware,
    token: Option<HeaderValue>,
    index: Option<HeaderValue>,
    by_leader: bool,
    connection: &'a Connection<'a>,
}

impl MiddleWare for Headers<'_> {
    fn request<E: Endpoint>(
        &self,
        endpoint: &E,
        request: &mut Request<Vec<u8>>,
    ) -> Result<(), ClientError> {
        self.usual.request(endpoint, request)?;
        let headers = request.headers_mut();
        headers.extend(self.token.clone().map(|token| (name("x-vault-token"), token)));
        headers.extend(self.index.clone().map(|index| (name("x-vault-index"), index)));
        if self.by_leader {
            let value = HeaderValue::from_static("forward-active-node");
            headers.insert(name("x-vault-inconsistent"), value);
        }
        Ok(())
    }

    fn response<E: Endpoint>(
        &self,
        _: &E,
        response: &mut Response<Vec<u8>>,
    ) -> Result<(), ClientError> {
        if let Some(index) = response.headers().get(INDEX) {
            let mut kept = self.connection.index.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some(index.clone());
        }
        Ok(())
    }
}

fn name(text: &'static str) -> http::HeaderName {
    http::HeaderName::from_static(text)
}

/// What to do after an answer.
enum Next {
    Take(Answer),
    Again(Option<Duration>, Failure),
    Stop(Failure),
}

impl<'a> Connection<'a> {
    /// Opens nothing yet.
    pub(crate) async fn new(
        settings: &'a Settings,
        namespace: Option<String>,
    ) -> Result<Self, Failure> {
        let transport = Transport::new(settings).await?;
        Ok(Self {
            settings,
            transport,
            namespace,
            index: Mutex::default(),
            is_behind: AtomicBool::new(false),
        })
    }

    /// The answer to `ask`: 2xx, or a refusal whose meaning hangs on what was asked. What the
    /// server can't answer now is asked again, as long as patience lasts and nothing can be
    /// used up by it.
    pub(crate) async fn send(
        &self,
        ask: &Ask<'_>,
        token: Option<&Secret>,
    ) -> Result<Answer, Failure> {
        let token = ask.own_token().or(token);
        let (mut tries, mut paused) = (1, Duration::ZERO);
        loop {
            let (asked, failure) = match self.once(ask, token, tries, false).await {
                Next::Take(answer) if answer.status == 403 && self.may_be_early(ask) => {
                    tokio::time::sleep(self.settings.patience.pause * 2).await;
                    return match self.once(ask, token, tries, true).await {
                        Next::Take(answer) => Ok(answer),
                        Next::Again(_, failure) | Next::Stop(failure) => Err(failure),
                    };
                }
                Next::Take(answer) => return Ok(answer),
                Next::Stop(failure) => return Err(failure),
                Next::Again(asked, failure) => (asked, failure),
            };
            tries += 1;
            let pause = self.settings.patience.pause(tries, asked, paused);
            let Some(pause) = pause else { return Err(failure) };
            tokio::time::sleep(pause).await;
            paused += pause;
        }
    }

    /// Says that the server's node may not know yet what another one was told.
    pub(crate) fn is_behind(&self) {
        self.is_behind.store(true, Ordering::Relaxed);
    }

    /// Whether a refusal may come of a token that a node hasn't heard of yet: once.
    fn may_be_early(&self, ask: &Ask<'_>) -> bool {
        ask.takes_a_token() && self.is_behind.swap(false, Ordering::Relaxed)
    }

    /// One try. With `by_leader` the node that knows for certain is to answer.
    async fn once(
        &self,
        ask: &Ask<'_>,
        token: Option<&Secret>,
        tries: u32,
        by_leader: bool,
    ) -> Next {
        let headers = match self.headers(ask, token, by_leader) {
            Ok(headers) => headers,
            Err(failure) => return Next::Stop(failure),
        };
        let sent = ask.with_middleware(&headers).exec(&self.transport).await;
        match sent {
            Ok(result) => judged(ask, token, result.response, tries),
            Err(error) => self.failed(ask, &error),
        }
    }

    fn headers(
        &self,
        ask: &Ask<'_>,
        token: Option<&Secret>,
        by_leader: bool,
    ) -> Result<Headers<'_>, Failure> {
        let token = token.map(|token| {
            let mut value =
                HeaderValue::from_str(token.reveal()).map_err(|_| Failure::TokenRefused)?;
            value.set_sensitive(true);
            Ok::<_, Failure>(value)
        });
        let usual = EndpointMiddleware {
            token: String::new(),
            version: "v1".to_owned(),
            wrap: None,
            namespace: self.namespace.clone().filter(|_| ask.is_in_namespace()),
        };
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Headers { usual, token: token.transpose()?, index, by_leader, connection: self })
    }

    fn failed(&self, ask: &Ask<'_>, error: &ClientError) -> Next {
        let (asked, address) = (ask.address(), self.settings.address.to_string());
        let (ClientError::RequestError { source, .. } | ClientError::ResponseError { source }) =
            error
        else {
            return Next::Stop(Failure::Unreadable { asked, reason: "it isn't HTTP".into() });
        };
        match source.downcast_ref::<Unfit>() {
            Some(Unfit::Elsewhere(target)) => {
                return Next::Stop(Failure::Redirected { address, asked, target: target.clone() });
            }
            Some(Unfit::TooLong) => {
                let reason = "it is longer than a megabyte".to_owned();
                return Next::Stop(Failure::Unreadable { asked, reason });
            }
            None => {}
        }
        let Some(error) = source.downcast_ref::<reqwest::Error>() else {
            let reason = "it isn't HTTP".to_owned();
            return Next::Stop(Failure::Unreadable { asked, reason });
        };
        if let Some(reason) = why_no_trust(error) {
            return Next::Stop(Failure::Untrusted { address, reason });
        }
        if innermost(error).contains("fatal alert") {
            return Next::Stop(Failure::ClientCertificate { address });
        }
        let seconds = self.settings.timeout.as_secs();
        if error.is_connect() {
            let timed_out = error.is_timeout();
            let reason = why_no_connection(error);
            return Next::Stop(if timed_out {
                Failure::TimedOut { address, asked, seconds }
            } else {
                Failure::Unreachable { address, reason }
            });
        }
        if ask.uses_something_up() {
            return Next::Stop(Failure::Lost { asked });
        }
        if error.is_timeout() {
            return Next::Stop(Failure::TimedOut { address, asked, seconds });
        }
        Next::Again(None, Failure::Broken { address, asked })
    }

    /// An error if the server knows no such namespace, which it says in its 404s.
    pub(crate) fn refuse_namespace(&self, answer: &Answer) -> Result<(), Failure> {
        match &self.namespace {
            Some(namespace) if answer.status == 404 && answer.says("namespace not found") => {
                Err(Failure::Namespace(namespace.clone()))
            }
            _ => Ok(()),
        }
    }

    /// A path without the namespace that some servers put before it.
    pub(crate) fn below_namespace<'p>(&self, path: &'p str) -> &'p str {
        let namespace = self.namespace.as_deref().unwrap_or_default().trim_matches('/');
        let below = path.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('/'));
        below.filter(|_| !namespace.is_empty()).unwrap_or(path)
    }

    /// Where the server is, and when it is asked.
    pub(crate) fn settings(&self) -> &'a Settings {
        self.settings
    }
}

/// What an answer means for whoever sent `ask`, at this try.
fn judged(ask: &Ask<'_>, token: Option<&Secret>, response: Response<Vec<u8>>, tries: u32) -> Next {
    let asked = ask.address();
    let wait = retry_after(response.headers());
    let answer = Answer::new(asked.clone(), response);
    let status = answer.status;
    let is_gateways = matches!(status, 502..=504) && !answer.tells_state();
    if matches!(ask, Ask::Health | Ask::SealStatus) && !is_gateways {
        // Here 429, 472, 473, 501 and 503 say how the server is.
        return Next::Take(answer);
    }
    let words = || answer.errors(&ask.sent().into_iter().chain(token).collect::<Vec<_>>());
    match status {
        503 if answer.says("sealed") => Next::Stop(Failure::Sealed),
        429 => Next::Again(wait, Failure::RateLimited { asked, tries }),
        412 => Next::Again(wait, Failure::NotCaughtUp { asked, tries }),
        500..=599 => {
            let failure = Failure::Server { asked, status, words: words() };
            match status {
                500..=599 if ask.uses_something_up() => Next::Stop(failure),
                502..=504 => Next::Again(wait, failure),
                500 if tries == 1 => Next::Again(wait, failure),
                _ => Next::Stop(failure),
            }
        }
        _ => Next::Take(answer),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A token to ask with.
pub(crate) struct Session<'a> {
    connection: &'a Connection<'a>,
    token: Secret,
    accessor: Option<String>,
    /// What the login said of it; nothing of a token that was given.
    pub(crate) granted: Option<Token>,
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Option<Granted>,
    #[serde(default)]
    wrap_info: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Granted {
    client_token: Secret,
    #[serde(default)]
    accessor: String,
    #[serde(default)]
    policies: Option<Vec<String>>,
    #[serde(default)]
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
    #[serde(default)]
    token_type: String,
    #[serde(default)]
    num_uses: u64,
    #[serde(default)]
    mfa_requirement: Option<IgnoredAny>,
}

impl<'a> Session<'a> {
    /// Comes by a token. `clock_ahead` is that of the server, in seconds: a refused login is
    /// often a matter of time.
    pub(crate) async fn open(
        connection: &'a Connection<'a>,
        entry: Entry,
        clock_ahead: Option<i64>,
    ) -> Result<Self, Failure> {
        let login = match entry {
            Entry::Given(token) => {
                return Ok(Self { connection, token, accessor: None, granted: None });
            }
            Entry::Login(login) => login,
            Entry::Wrapped { login, token, role } => {
                wrapping::unwrapped(connection, login, token, role.as_deref()).await?
            }
        };
        let answer = connection.send(&Ask::Login(&login), None).await?;
        connection.refuse_namespace(&answer)?;
        if answer.status != 200 {
            return Err(refused(&login, &answer, clock_ahead));
        }
        let LoggedIn { auth: granted, wrap_info } = answer.read()?;
        if granted.is_none() && wrap_info.is_some() {
            return Err(answer.unreadable("it comes wrapped, and nobody asked for that"));
        }
        let granted = granted.ok_or_else(|| answer.unreadable("it has no `auth`"))?;
        if granted.mfa_requirement.is_some() || granted.client_token.reveal().is_empty() {
            return Err(Failure::Interactive { method: login.method() });
        }
        if !granted.client_token.is_printable() {
            return Err(answer.unreadable("its token isn't one"));
        }
        let expires = expiry(connection.settings.now, granted.lease_duration);
        let facts = Token {
            logged_in: true,
            policies: granted.policies.unwrap_or_default(),
            ttl: granted.lease_duration,
            expires,
            renewable: granted.renewable,
            period: 0,
            explicit_max_ttl: 0,
            uses_left: Some(granted.num_uses).filter(|uses| *uses > 0),
            batch: granted.token_type == "batch",
        };
        let accessor = Some(granted.accessor);
        Ok(Self { connection, token: granted.client_token, accessor, granted: Some(facts) })
    }

    /// The answer to `ask`, in the name of the token.
    pub(crate) async fn send(&self, ask: &Ask<'_>) -> Result<Answer, Failure> {
        let answer = self.connection.send(ask, Some(&self.token)).await?;
        self.connection.refuse_namespace(&answer)?;
        Ok(answer)
    }

    /// Ends the token, if it is one of ours. That it couldn't is told, not hidden.
    pub(crate) async fn end(self) -> Option<Diagnostic> {
        let granted = self.granted.as_ref()?;
        if granted.batch {
            let message = format!(
                "a batch token can't be logged out: this one ends by itself in {} s",
                granted.ttl
            );
            return Some(Diagnostic::note("logout-failed", message));
        }
        let reason = match self.connection.send(&Ask::Revoke, Some(&self.token)).await {
            Ok(answer) if matches!(answer.status, 200..=299) => return None,
            Ok(answer) => format!("the server answers {}", answer.status),
            Err(failure) => failure.to_string(),
        };
        self.left(&reason)
    }

    /// That the token lives on, and why; nothing of a token that was given.
    pub(crate) fn left(&self, reason: &str) -> Option<Diagnostic> {
        let granted = self.granted.as_ref()?;
        let message = format!("the login could not be ended: {reason}");
        let mut diagnostic = Diagnostic::warning("logout-failed", message)
            .with_note(format!("its token ends by itself in {} s", granted.ttl));
        diagnostic.help = self
            .accessor
            .as_ref()
            .filter(|accessor| !accessor.is_empty())
            .map(|accessor| format!("end it with `bao token revoke -accessor {accessor}`"));
        Some(diagnostic)
    }
}

fn refused(login: &Login, answer: &Answer, clock_ahead: Option<i64>) -> Failure {
    Failure::LoginRefused {
        method: login.method(),
        path: login.path(),
        role: login.role(),
        status: answer.status,
        words: answer.errors(&login.sent()),
        clock: clock_ahead.filter(|seconds| seconds.abs() > 60),
    }
}

/// When something that lives so many seconds ends; never for 0.
pub(crate) fn expiry(now: jiff::Timestamp, seconds: u64) -> Option<jiff::Timestamp> {
    let lives = i64::try_from(seconds).ok().filter(|seconds| *seconds > 0)?;
    now.checked_add(jiff::SignedDuration::from_secs(lives)).ok()
}
