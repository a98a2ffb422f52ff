//! A connection that is patient where patience helps.

// Only this module can send, and it takes nothing but an [`Ask`].
mod transport;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use envlock_report::connection::NoConnection;
use http::{HeaderMap, HeaderValue, Request, Response};
use rustify::endpoint::{Endpoint, MiddleWare};
use rustify::errors::ClientError;
use vaultrs::api::EndpointMiddleware;

use crate::answer::{Answer, Complaint};
use crate::ask::Ask;
use crate::{AnswerFault, Failure, Secret, Settings};
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
                Next::Take(answer) if answer.status == 403 && self.take_standby_retry(ask) => {
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

    /// Whether to retry a refusal because a standby node may not know the token yet. Takes the
    /// retry: it is given once.
    fn take_standby_retry(&self, ask: &Ask<'_>) -> bool {
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
            return Next::Stop(Failure::Unreadable { asked, reason: AnswerFault::NotHttp });
        };
        match source.downcast_ref::<Unfit>() {
            Some(Unfit::Elsewhere(target)) => {
                return Next::Stop(Failure::Redirected { address, asked, target: target.clone() });
            }
            Some(Unfit::TooLong) => {
                let reason = AnswerFault::TooLong;
                return Next::Stop(Failure::Unreadable { asked, reason });
            }
            None => {}
        }
        let Some(error) = source.downcast_ref::<reqwest::Error>() else {
            let reason = AnswerFault::NotHttp;
            return Next::Stop(Failure::Unreadable { asked, reason });
        };
        let reason = match NoConnection::of(error) {
            NoConnection::Untrusted(reason) => {
                return Next::Stop(Failure::Untrusted { address, reason });
            }
            NoConnection::TlsAlert(_) => {
                return Next::Stop(Failure::ClientCertificate { address });
            }
            reason => reason,
        };
        let seconds = self.settings.timeout.as_secs();
        if error.is_connect() {
            return Next::Stop(if error.is_timeout() {
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
        let tls = self.settings.address.is_secured();
        Next::Again(None, Failure::Broken { address, asked, tls })
    }

    /// An error if the server knows no such namespace, which it says in its 404s.
    pub(crate) fn refuse_namespace(&self, answer: &Answer) -> Result<(), Failure> {
        match &self.namespace {
            Some(namespace) if answer.complaint() == Some(Complaint::UnknownNamespace) => {
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
    let is_gateways = matches!(status, 429 | 502..=504) && !answer.tells_state();
    if matches!(ask, Ask::Health | Ask::SealStatus) && !is_gateways {
        // Here 429, 472, 473, 501 and 503 say how the server is.
        return Next::Take(answer);
    }
    let words = || answer.errors(&ask.sent().into_iter().chain(token).collect::<Vec<_>>());
    match status {
        503 if answer.complaint() == Some(Complaint::Sealed) => Next::Stop(Failure::Sealed),
        429 => Next::Again(wait, Failure::RateLimited { asked, tries }),
        412 => Next::Again(wait, Failure::NotCaughtUp { asked, tries }),
        500..=599 => {
            let failure = Failure::Server { asked, status, words: words() };
            match status {
                _ if ask.uses_something_up() => Next::Stop(failure),
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
