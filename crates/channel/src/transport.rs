//! Sends one request to one source, with a limit of connections per host.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use envlock_model::channel::without_credentials;
use envlock_report::connection::root_cause;
use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, DATE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::{Method, StatusCode, redirect};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::body::{Body, BodyLimits};
use crate::body_reader::ContentEncoding;
use crate::client::ClientError;
use crate::connection::{Proxies, with_connection_settings};
use crate::credentials::{Credentials, redirect_leaks_token};
use crate::host::Host;
use crate::idle::{IdleEvent, until_idle};
use crate::source_error::SourceError;
use crate::{Settings, TlsTrust, http_error};

const MAX_REDIRECTS: usize = 10;

/// Sends requests and remembers which hosts are down.
#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    /// The client without proxies, for loopback addresses: a proxy can't reach them.
    loopback: reqwest::Client,
    proxies: Arc<Proxies>,
    trust: TlsTrust,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    credentials: Mutex<Credentials>,
    jobs: usize,
    connect_timeout: Duration,
    idle_timeout: Duration,
    idle_event: Option<IdleEvent>,
}

/// The validators of a response, for conditional requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified: Option<String>,
}

/// A response of a source.
pub(crate) struct SourceResponse {
    /// A success, or 304.
    pub(crate) status: StatusCode,
    /// The URL after all redirects, without credentials.
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Result<Self, ClientError> {
        if reqwest::header::HeaderValue::from_str(&settings.user_agent).is_err() {
            return Err(ClientError::UserAgent(settings.user_agent.clone()));
        }
        // A machine without trusted certificates can still use folders and plain http. Only then
        // the client is built without certificates, and https requests fail with the reason.
        let all_proxies = Arc::new(Proxies::new(settings));
        let make = |proxies: bool| {
            let proxies = proxies.then_some(&all_proxies);
            let prepared =
                || with_connection_settings(builder(settings, proxies), settings, proxies);
            match prepared()?.build() {
                Err(_) if matches!(settings.trust, TlsTrust::System) => {
                    prepared()?.tls_certs_only([]).build()
                }
                built => built,
            }
            .map_err(|error| ClientError::Tls(root_cause(&error)))
        };
        Ok(Self {
            http: make(settings.proxies)?,
            loopback: make(false)?,
            proxies: Arc::clone(&all_proxies),
            trust: settings.trust.clone(),
            hosts: Mutex::default(),
            credentials: Mutex::new(settings.credentials.clone()),
            jobs: settings.jobs.max(1),
            connect_timeout: settings.connect_timeout,
            idle_timeout: settings.idle_timeout,
            idle_event: settings.idle_event.clone(),
        })
    }

    /// Returns the reason of a failure with the configured proxy of the request.
    fn through_proxy(&self, url: &Url, reason: &str) -> String {
        match self.proxies.label_for(url).filter(|_| !is_loopback(url)) {
            Some(proxy) => format!("{reason} (through the proxy {proxy})"),
            None => reason.to_owned(),
        }
    }

    /// Requests `url`. With `force` a suspended host is tried too.
    pub(crate) async fn get(&self, url: &Url, force: bool) -> Result<Body, SourceError> {
        let body = self.get_if_changed(url, &Validators::default(), force).await?;
        body.ok_or_else(|| {
            SourceError::Unreadable("status 304 for an unconditional request".into())
        })
    }

    /// Requests `url` if it changed since `known`; `None` if it didn't.
    pub(crate) async fn get_if_changed(
        &self,
        url: &Url,
        known: &Validators,
        force: bool,
    ) -> Result<Option<Body>, SourceError> {
        let mut headers = conditions(known);
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accepted_encoding(url)));
        let response = self.send(url, Method::GET, headers, force).await?;
        match response.status {
            StatusCode::OK => Ok(Some(response.body)),
            StatusCode::NOT_MODIFIED if *known != Validators::default() => Ok(None),
            status => Err(status_error(status, &response.headers, None)),
        }
    }

    /// Sends a request for `url` with these headers and the credential of the URL. The status of
    /// the response is a success or 304.
    pub(crate) async fn send(
        &self,
        url: &Url,
        method: Method,
        headers: HeaderMap,
        force: bool,
    ) -> Result<SourceResponse, SourceError> {
        if url.scheme() == "file" {
            let body = Body::open_file(url).await?;
            return Ok(SourceResponse {
                status: StatusCode::OK,
                url: url.clone(),
                headers: HeaderMap::new(),
                body,
            });
        }
        let proxy_error = self.proxies.error_for(url).filter(|_| !is_loopback(url));
        if let Some(error) = proxy_error.or_else(|| self.trust.error_for(url)) {
            return Err(SourceError::Setting(Arc::clone(error)));
        }
        let host = self.host(url);
        let permit = host.acquire(force).await?;
        let http = if is_loopback(url) { &self.loopback } else { &self.http };
        let (request, credential) = self.credentials().request(http, method, url);
        let sent = request.headers(headers).send();
        let response = match until_idle(sent, self.idle_event.as_ref(), url).await {
            Some(Ok(response)) => response,
            Some(Err(error)) => {
                let (connect, idle) = (self.connect_timeout, self.idle_timeout);
                let error = match http_error::from_request(&error, connect, idle) {
                    SourceError::Unreachable(reason) => {
                        SourceError::Unreachable(self.through_proxy(url, &reason))
                    }
                    other => other,
                };
                return Err(host.suspend_if_unreachable(error, force));
            }
            None => {
                return Err(
                    host.suspend_if_unreachable(SourceError::NoProgress(self.idle_timeout), force)
                );
            }
        };
        let status = response.status();
        if !status.is_success() && status != StatusCode::NOT_MODIFIED {
            return Err(status_error(status, response.headers(), credential));
        }
        let headers = response.headers().clone();
        let reached = without_credentials(response.url());
        let limits = BodyLimits {
            host,
            force,
            idle_timeout: self.idle_timeout,
            idle_event: self.idle_event.clone(),
            url: url.clone(),
        };
        Ok(SourceResponse {
            status,
            url: reached,
            headers,
            body: Body::new(response, limits, permit),
        })
    }

    /// Returns the credentials, with those registered so far.
    pub(crate) fn credentials(&self) -> MutexGuard<'_, Credentials> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that this host delivered a file.
    pub(crate) fn note_success(&self, url: &Url) {
        self.host(url).note_success();
    }

    /// Records that this host failed to deliver a file.
    pub(crate) fn count_failure(&self, url: &Url, error: &SourceError) {
        self.host(url).count_failure(error);
    }

    fn host(&self, url: &Url) -> Arc<Host> {
        let name = url.origin().ascii_serialization();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(name).or_insert_with(|| Arc::new(Host::new(self.jobs))))
    }
}

/// The times in a response, by the server's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ServerTimes {
    /// When the file was modified.
    pub(crate) modified: Option<SystemTime>,
    /// When the response was sent.
    pub(crate) now: Option<SystemTime>,
}

impl ServerTimes {
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok();
        Self { modified: date(LAST_MODIFIED), now: date(DATE) }
    }
}

fn builder(settings: &Settings, proxies: Option<&Arc<Proxies>>) -> reqwest::ClientBuilder {
    let proxies = proxies.map(Arc::clone);
    let builder = reqwest::Client::builder();
    let builder = match settings.idle_event {
        Some(_) => builder,
        None => builder.read_timeout(settings.idle_timeout),
    };
    builder
        .user_agent(&settings.user_agent)
        // The library has no limit on the size of what it decodes: see `ContentEncoding`.
        .no_gzip()
        .no_deflate()
        .no_brotli()
        .no_zstd()
        .connect_timeout(settings.connect_timeout)
        .pool_max_idle_per_host(settings.jobs)
        // A URL may contain a token.
        .referer(false)
        .redirect(redirect::Policy::custom(move |attempt| {
            let downgraded = attempt.url().scheme() == "http"
                && attempt.previous().iter().any(|url| url.scheme() == "https");
            let came_from = attempt.previous().last();
            let has_proxy_error =
                proxies.as_ref().is_some_and(|all| all.error_for(attempt.url()).is_some());
            if has_proxy_error {
                attempt.error("the proxy that is configured for its target can't be used")
            } else if came_from.is_some_and(|url| redirect_leaks_token(url, attempt.url())) {
                attempt.error("it would send a token to another server")
            } else if downgraded {
                attempt.error("it redirects from https to http")
            } else if attempt.previous().len() > MAX_REDIRECTS {
                attempt.error("more than 10 redirects")
            } else {
                attempt.follow()
            }
        }))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn conditions(known: &Validators) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: &Option<String>| {
        if let Some(Ok(value)) = value.as_ref().map(|value| value.parse()) {
            headers.insert(name, value);
        }
    };
    set(IF_NONE_MATCH, &known.etag);
    set(IF_MODIFIED_SINCE, &known.last_modified);
    headers
}

/// Only the plain index is large and uncompressed.
fn accepted_encoding(url: &Url) -> &'static str {
    let is_plain = Path::new(url.path()).extension().is_some_and(|extension| extension == "json");
    if is_plain { "gzip" } else { "identity" }
}

pub(crate) fn content_encoding(headers: &HeaderMap) -> ContentEncoding {
    let value = headers.get(CONTENT_ENCODING);
    value.map_or(ContentEncoding::None, |value| ContentEncoding::parse(value.as_bytes()))
}

pub(crate) fn validators(headers: &HeaderMap) -> Validators {
    let text = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
    // Times are in whole seconds: a file that was modified in the second of the response may be
    // modified again within it (RFC 9110, 8.8.2.2).
    let last_modified = text(LAST_MODIFIED).filter(|time| Some(time) != text(DATE).as_ref());
    Validators { etag: text(ETAG), last_modified }
}

fn status_error(
    status: StatusCode,
    headers: &HeaderMap,
    credential: Option<Arc<str>>,
) -> SourceError {
    let reason = status.canonical_reason().unwrap_or("(no name)").to_lowercase();
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            SourceError::Absent(format!("{} {reason}", status.as_u16()))
        }
        StatusCode::UNAUTHORIZED => SourceError::Denied { code: 401, reason, credential },
        StatusCode::FORBIDDEN if credential.is_some() => {
            SourceError::Denied { code: 403, reason, credential }
        }
        _ => {
            SourceError::Status { code: status.as_u16(), reason, retry_after: retry_after(headers) }
        }
    }
}

/// Parses `Retry-After`: seconds, or a date relative to the server's `Date`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let written = text(RETRY_AFTER)?;
    if let Ok(seconds) = written.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    Some(date(written)?.duration_since(date(text(DATE)?)?).unwrap_or_default())
}
