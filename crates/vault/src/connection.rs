//! A connection that retries requests that may succeed later.

// Only this module can send, and it accepts only a [`VaultRequest`].
mod transport;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use envlock_policy::Product;
use envlock_report::connection::NoConnection;
use http::{HeaderMap, HeaderValue, Request, Response};
use rustify::endpoint::{Endpoint, MiddleWare};
use rustify::errors::ClientError;
use vaultrs::api::EndpointMiddleware;

use crate::answer::{KnownServerError, VaultResponse};
use crate::request::VaultRequest;
use crate::{AnswerFault, ProbeError, Secret, Settings};
use transport::{Transport, UnacceptableAnswer};

const INDEX: &str = "X-Vault-Index";

/// The connection of one profile to a server.
pub(crate) struct Connection<'a> {
    settings: &'a Settings,
    transport: Transport,
    namespace: Option<String>,
    index: Mutex<Option<HeaderValue>>,
    standby_retry: AtomicBool,
    product: OnceLock<Option<Product>>,
}

/// The headers of every request: those of vaultrs, and the token, which vaultrs would show in
/// its `Debug` output.
struct Headers<'a> {
    usual: EndpointMiddleware,
    token: Option<HeaderValue>,
    index: Option<HeaderValue>,
    forward_to_active: bool,
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
        if self.forward_to_active {
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

/// The decision after one try.
enum NextStep {
    Return(VaultResponse),
    Retry(Option<Duration>, ProbeError),
    Fail(ProbeError),
}

impl<'a> Connection<'a> {
    /// Prepares the connection. Nothing is sent.
    pub(crate) async fn new(
        settings: &'a Settings,
        namespace: Option<String>,
    ) -> Result<Self, ProbeError> {
        let transport = Transport::new(settings).await?;
        Ok(Self {
            settings,
            transport,
            namespace,
            index: Mutex::default(),
            standby_retry: AtomicBool::new(false),
            product: OnceLock::new(),
        })
    }

    /// Sends a request. Returns a 2xx answer, or an error status that the caller interprets. Retries
    /// temporary failures within the retry policy, except for single-use requests.
    pub(crate) async fn send(
        &self,
        request: &VaultRequest<'_>,
        token: Option<&Secret>,
    ) -> Result<VaultResponse, ProbeError> {
        let token = request.wrapping_token().or(token);
        let (mut tries, mut paused) = (1, Duration::ZERO);
        loop {
            let (retry_after, failure) = match self.send_once(request, token, tries, false).await {
                NextStep::Return(answer)
                    if answer.status == 403 && self.take_standby_retry(request) =>
                {
                    tokio::time::sleep(self.settings.retry_policy.pause * 2).await;
                    return match self.send_once(request, token, tries, true).await {
                        NextStep::Return(answer) => Ok(answer),
                        NextStep::Retry(_, failure) | NextStep::Fail(failure) => Err(failure),
                    };
                }
                NextStep::Return(answer) => return Ok(answer),
                NextStep::Fail(failure) => return Err(failure),
                NextStep::Retry(retry_after, failure) => (retry_after, failure),
            };
            tries += 1;
            let pause = self.settings.retry_policy.pause(tries, retry_after, paused);
            let Some(pause) = pause else { return Err(failure) };
            tokio::time::sleep(pause).await;
            paused += pause;
        }
    }

    /// Records the product that the server's health names.
    pub(crate) fn set_product(&self, product: Option<Product>) {
        self.product.get_or_init(|| product);
    }

    /// The product; `None` if it isn't known or the server hasn't answered yet.
    pub(crate) fn product(&self) -> Option<Product> {
        self.product.get().copied().flatten()
    }

    /// Records that the node is a standby whose state may lag behind.
    pub(crate) fn expect_standby_lag(&self) {
        self.standby_retry.store(true, Ordering::Relaxed);
    }

    /// Whether to retry a 403 because a standby node may not know the token yet. There is only one
    /// such retry.
    fn take_standby_retry(&self, request: &VaultRequest<'_>) -> bool {
        request.needs_token() && self.standby_retry.swap(false, Ordering::Relaxed)
    }

    /// Sends one try. With `forward_to_active` the active node answers.
    async fn send_once(
        &self,
        request: &VaultRequest<'_>,
        token: Option<&Secret>,
        tries: u32,
        forward_to_active: bool,
    ) -> NextStep {
        let headers = match self.headers(request, token, forward_to_active) {
            Ok(headers) => headers,
            Err(failure) => return NextStep::Fail(failure),
        };
        let sent = request.with_middleware(&headers).exec(&self.transport).await;
        match sent {
            Ok(result) => classify_answer(request, token, result.response, tries),
            Err(error) => self.classify_error(request, &error),
        }
    }

    fn headers(
        &self,
        request: &VaultRequest<'_>,
        token: Option<&Secret>,
        forward_to_active: bool,
    ) -> Result<Headers<'_>, ProbeError> {
        let token = token.map(|token| {
            let mut value = HeaderValue::from_str(token.reveal()).map_err(|_| {
                let product = self.product();
                ProbeError::TokenRefused { product }
            })?;
            value.set_sensitive(true);
            Ok::<_, ProbeError>(value)
        });
        let usual = EndpointMiddleware {
            token: String::new(),
            version: "v1".to_owned(),
            wrap: None,
            namespace: self.namespace.clone().filter(|_| request.is_in_namespace()),
        };
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Headers { usual, token: token.transpose()?, index, forward_to_active, connection: self })
    }

    fn classify_error(&self, request: &VaultRequest<'_>, error: &ClientError) -> NextStep {
        let (path, address) = (request.display_path(), self.settings.address.to_string());
        let (ClientError::RequestError { source, .. } | ClientError::ResponseError { source }) =
            error
        else {
            return NextStep::Fail(ProbeError::Unreadable {
                request: path,
                reason: AnswerFault::NotHttp,
            });
        };
        match source.downcast_ref::<UnacceptableAnswer>() {
            Some(UnacceptableAnswer::Redirect(target)) => {
                return NextStep::Fail(ProbeError::Redirected {
                    address,
                    request: path,
                    target: target.clone(),
                });
            }
            Some(UnacceptableAnswer::TooLarge) => {
                let reason = AnswerFault::TooLong;
                return NextStep::Fail(ProbeError::Unreadable { request: path, reason });
            }
            None => {}
        }
        let Some(error) = source.downcast_ref::<reqwest::Error>() else {
            let reason = AnswerFault::NotHttp;
            return NextStep::Fail(ProbeError::Unreadable { request: path, reason });
        };
        let reason = match NoConnection::from_error(error) {
            NoConnection::Untrusted(reason) => {
                return NextStep::Fail(ProbeError::Untrusted { address, reason });
            }
            NoConnection::TlsAlert(_) => {
                return NextStep::Fail(ProbeError::ClientCertificate { address });
            }
            reason => reason,
        };
        let seconds = self.settings.timeout.as_secs();
        if error.is_connect() {
            return NextStep::Fail(if error.is_timeout() {
                ProbeError::TimedOut { address, request: path, seconds }
            } else {
                let proxy = self.settings.proxy.clone();
                let proxy = proxy.filter(|_| !self.settings.address.is_loopback());
                ProbeError::Unreachable { address, reason, proxy }
            });
        }
        if request.is_single_use() {
            return NextStep::Fail(ProbeError::SingleUseAnswerLost { request: path });
        }
        if error.is_timeout() {
            return NextStep::Fail(ProbeError::TimedOut { address, request: path, seconds });
        }
        let tls = self.settings.address.is_https();
        NextStep::Retry(None, ProbeError::ConnectionLost { address, request: path, tls })
    }

    /// Returns an error if the namespace doesn't exist, which the server reports with a 404.
    pub(crate) fn refuse_namespace(&self, answer: &VaultResponse) -> Result<(), ProbeError> {
        match &self.namespace {
            Some(namespace) if answer.known_error() == Some(KnownServerError::UnknownNamespace) => {
                Err(ProbeError::UnknownNamespace(namespace.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Removes the namespace from a path: some servers prepend it.
    pub(crate) fn without_namespace<'p>(&self, path: &'p str) -> &'p str {
        let namespace = self.namespace.as_deref().unwrap_or_default().trim_matches('/');
        let below = path.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('/'));
        below.filter(|_| !namespace.is_empty()).unwrap_or(path)
    }

    /// The settings.
    pub(crate) fn settings(&self) -> &'a Settings {
        self.settings
    }
}

/// Decides what to do with an answer at this try.
fn classify_answer(
    request: &VaultRequest<'_>,
    token: Option<&Secret>,
    response: Response<Vec<u8>>,
    tries: u32,
) -> NextStep {
    let path = request.display_path();
    let wait = retry_after(response.headers());
    let answer = VaultResponse::new(path.clone(), response);
    let status = answer.status;
    let is_from_gateway = matches!(status, 429 | 502..=504) && !answer.has_seal_status();
    if matches!(request, VaultRequest::Health | VaultRequest::SealStatus) && !is_from_gateway {
        // For these requests 429, 472, 473, 501 and 503 are the state of the server.
        return NextStep::Return(answer);
    }
    let messages =
        || answer.errors(&request.secrets().into_iter().chain(token).collect::<Vec<_>>());
    match status {
        503 if answer.known_error() == Some(KnownServerError::Sealed) => {
            NextStep::Fail(ProbeError::Sealed)
        }
        429 => NextStep::Retry(wait, ProbeError::RateLimited { request: path, tries }),
        412 => NextStep::Retry(wait, ProbeError::StateNotReplicated { request: path, tries }),
        500..=599 => {
            let failure = ProbeError::ServerFailed { request: path, status, messages: messages() };
            match status {
                _ if request.is_single_use() => NextStep::Fail(failure),
                502..=504 => NextStep::Retry(wait, failure),
                500 if tries == 1 => NextStep::Retry(wait, failure),
                _ => NextStep::Fail(failure),
            }
        }
        _ => NextStep::Return(answer),
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
