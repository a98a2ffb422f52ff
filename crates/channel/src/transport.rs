//! One request to one source: bounded by host, with the trouble told in words.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use envlock_report::connection::innermost;
use reqwest::header::{
    DATE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::{StatusCode, redirect};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use crate::client::ClientError;
use crate::connection::with_connection_settings;
use crate::credentials::{Credentials, redirect_leaks_token};
use crate::host::Host;
use crate::source_error::SourceError;
use crate::{Settings, TlsTrust, http_error};

/// A body that comes more slowly than this, in bytes a second, is as good as none: an index
/// would take days.
const MIN_BYTES_PER_SECOND: f64 = 100.0;
const MAX_REDIRECTS: usize = 10;
/// What is read from a local file at once.
const FILE_CHUNK: usize = 256 * 1024;

/// Sends requests and remembers which hosts are down.
#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    /// For this machine's own addresses: no proxy can know what 127.0.0.1 means here.
    loopback: reqwest::Client,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    credentials: Mutex<Credentials>,
    jobs: usize,
    connect_timeout: Duration,
    idle_timeout: Duration,
}

/// What a server gave with a file, to ask later whether it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified: Option<String>,
}

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Result<Self, ClientError> {
        if reqwest::header::HeaderValue::from_str(&settings.user_agent).is_err() {
            return Err(ClientError::UserAgent(settings.user_agent.clone()));
        }
        // A machine without trusted certificates can still use folders and plain http: only
        // then is the client made without them, and https says why it fails.
        let make = |proxies: bool| {
            let prepared = || with_connection_settings(builder(settings), settings, proxies);
            match prepared()?.build() {
                Err(_) if matches!(settings.trust, TlsTrust::System) => {
                    prepared()?.tls_certs_only([]).build()
                }
                built => built,
            }
            .map_err(|error| ClientError::Tls(innermost(&error)))
        };
        Ok(Self {
            http: make(settings.proxies)?,
            loopback: make(false)?,
            hosts: Mutex::default(),
            credentials: Mutex::new(settings.credentials.clone()),
            jobs: settings.jobs.max(1),
            connect_timeout: settings.connect_timeout,
            idle_timeout: settings.idle_timeout,
        })
    }

    /// Asks for `url`; whoever insists asks hosts that were put aside, too.
    pub(crate) async fn get(&self, url: &Url, force: bool) -> Result<Body, SourceError> {
        let body = self.get_if_changed(url, &Validators::default(), force).await?;
        body.ok_or_else(|| SourceError::Unreadable("304 to a question that wasn't asked".into()))
    }

    /// Asks for `url`, if it changed since `known`; `None` where it didn't.
    pub(crate) async fn get_if_changed(
        &self,
        url: &Url,
        known: &Validators,
        force: bool,
    ) -> Result<Option<Body>, SourceError> {
        if url.scheme() == "file" {
            return open_file(url).await.map(Some);
        }
        let host = self.host(url);
        let permit = host.acquire(force).await?;
        let http = if is_loopback(url) { &self.loopback } else { &self.http };
        let (request, credential) = self.credentials().request(http, url);
        let response = request.headers(conditions(known)).send().await.map_err(|error| {
            let answer = http_error::from_request(&error, self.connect_timeout, self.idle_timeout);
            host.note_error(answer, force)
        })?;
        match response.status() {
            StatusCode::OK => Ok(Some(Body {
                length: response.content_length(),
                validators: validators(response.headers()),
                server_times: ServerTimes::from_headers(response.headers()),
                received: 0,
                stream: Stream::Http(Box::new(HttpBody {
                    response,
                    host,
                    force,
                    idle_timeout: self.idle_timeout,
                    waited: Duration::ZERO,
                    received_since: 0,
                    _permit: permit,
                })),
            })),
            StatusCode::NOT_MODIFIED if *known != Validators::default() => Ok(None),
            status => Err(status_error(status, response.headers(), credential)),
        }
    }

    /// The credentials as they are by now.
    pub(crate) fn credentials(&self) -> MutexGuard<'_, Credentials> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file of this host came whole.
    pub(crate) fn note_success(&self, url: &Url) {
        self.host(url).note_success();
    }

    /// A file of this host didn't come, whatever it answered.
    pub(crate) fn note_failure(&self, url: &Url, answer: &SourceError) {
        self.host(url).note_failure(answer);
    }

    fn host(&self, url: &Url) -> Arc<Host> {
        let name = url.origin().ascii_serialization();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(name).or_insert_with(|| Arc::new(Host::new(self.jobs))))
    }
}

/// What a server says of times.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ServerTimes {
    /// When the file was made.
    pub(crate) modified: Option<SystemTime>,
    /// What time it is.
    pub(crate) now: Option<SystemTime>,
}

impl ServerTimes {
    fn from_headers(headers: &HeaderMap) -> Self {
        let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok();
        Self { modified: date(LAST_MODIFIED), now: date(DATE) }
    }
}

fn builder(settings: &Settings) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.idle_timeout)
        .pool_max_idle_per_host(settings.jobs)
        // A URL may tell what nobody else needs to know.
        .referer(false)
        .redirect(redirect::Policy::custom(|attempt| {
            let downgraded = attempt.url().scheme() == "http"
                && attempt.previous().iter().any(|url| url.scheme() == "https");
            let came_from = attempt.previous().last();
            if came_from.is_some_and(|url| redirect_leaks_token(url, attempt.url())) {
                attempt.error("it would show a token to another server")
            } else if downgraded {
                attempt.error("it leads from https to http")
            } else if attempt.previous().len() > MAX_REDIRECTS {
                attempt.error("more than 10 of them in a row")
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

fn validators(headers: &HeaderMap) -> Validators {
    let text = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
    // Times are in whole seconds: what was changed in the second of the answer may change
    // once more in it (RFC 9110, 8.8.2.2).
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

/// `Retry-After`, in seconds or as a date, which is read by the server's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let written = text(RETRY_AFTER)?;
    if let Ok(seconds) = written.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    Some(date(written)?.duration_since(date(text(DATE)?)?).unwrap_or_default())
}

async fn open_file(url: &Url) -> Result<Body, SourceError> {
    let path = url
        .to_file_path()
        .map_err(|()| SourceError::Unreadable("no path of this machine".into()))?;
    let opened = async {
        let file = tokio::fs::File::open(&path).await?;
        let metadata = file.metadata().await?;
        if metadata.is_dir() {
            Err(io::ErrorKind::IsADirectory.into())
        } else {
            Ok((file, metadata.len(), metadata.modified().ok()))
        }
    };
    let (file, length, modified) = opened.await.map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            SourceError::Absent("no such file".into())
        }
        io::ErrorKind::PermissionDenied => {
            SourceError::Unreadable("no permission to read it".into())
        }
        _ => SourceError::Unreadable(error.to_string()),
    })?;
    Ok(Body {
        length: Some(length),
        validators: Validators::default(),
        server_times: ServerTimes { modified, now: None },
        received: 0,
        stream: Stream::File(file),
    })
}

/// A file on its way.
pub(crate) struct Body {
    /// What was announced, in bytes.
    pub(crate) length: Option<u64>,
    pub(crate) validators: Validators,
    /// By the server's clock.
    pub(crate) server_times: ServerTimes,
    /// What came, in bytes.
    pub(crate) received: u64,
    stream: Stream,
}

enum Stream {
    Http(Box<HttpBody>),
    File(tokio::fs::File),
}

/// A body on its way through the network.
struct HttpBody {
    response: reqwest::Response,
    host: Arc<Host>,
    force: bool,
    idle_timeout: Duration,
    /// How long this server was waited for since the pace was last looked at.
    waited: Duration,
    /// What came meanwhile, in bytes.
    received_since: usize,
    /// Held until the last byte: it is what bounds the host's connections.
    _permit: OwnedSemaphorePermit,
}

impl HttpBody {
    async fn chunk(&mut self, got: u64, length: Option<u64>) -> Result<Option<Bytes>, SourceError> {
        let start = Instant::now();
        let chunk = self.response.chunk().await.map_err(|error| {
            let answer = http_error::from_body(&error, got, length, self.idle_timeout);
            self.host.note_error(answer, self.force)
        })?;
        self.waited += start.elapsed();
        self.received_since += chunk.as_ref().map_or(0, Bytes::len);
        if chunk.is_some() && self.waited >= self.idle_timeout {
            #[expect(clippy::cast_precision_loss, reason = "nobody counts so slow a body exactly")]
            if (self.received_since as f64) < MIN_BYTES_PER_SECOND * self.waited.as_secs_f64() {
                return Err(self.host.note_error(SourceError::TooSlow(self.waited), self.force));
            }
            (self.waited, self.received_since) = (Duration::ZERO, 0);
        }
        Ok(chunk)
    }
}

impl Body {
    /// The next piece, or `None` when all of it came: a body shorter than announced is an
    /// error.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, SourceError> {
        let chunk = match &mut self.stream {
            Stream::Http(body) => body.chunk(self.received, self.length).await?,
            Stream::File(file) => {
                let mut buffer = Vec::with_capacity(FILE_CHUNK);
                let read = file
                    .read_buf(&mut buffer)
                    .await
                    .map_err(|error| SourceError::Unreadable(error.to_string()))?;
                (read > 0).then(|| buffer.into())
            }
        };
        if let Some(chunk) = chunk {
            // What a login page or an error page begins with; no archive and no index does.
            if self.received == 0 && chunk.trim_ascii_start().starts_with(b"<") {
                return Err(SourceError::WebPage);
            }
            self.received += chunk.len() as u64;
            return Ok(Some(chunk));
        }
        match self.length {
            Some(expected) if expected != self.received => {
                Err(SourceError::Truncated { got: self.received, expected })
            }
            _ => Ok(None),
        }
    }
}
