//! One request to one source: bounded by host, with the trouble told in words.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    DATE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use reqwest::{StatusCode, redirect};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

use crate::answer::Answer;
use crate::client::ClientError;
use crate::{Settings, failure};

/// A source that asks for more patience than this isn't waited for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const MOST_REDIRECTS: usize = 10;
/// What is read from a local file at once.
const FILE_CHUNK: usize = 256 * 1024;

/// Sends requests and remembers which hosts are down.
#[derive(Debug)]
pub(crate) struct Transport {
    http: reqwest::Client,
    /// For this machine's own addresses: no proxy can know what 127.0.0.1 means here.
    loopback: reqwest::Client,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    jobs: usize,
    backoff: Duration,
    connect_timeout: Duration,
    idle_timeout: Duration,
}

/// What is known of a host in this run.
#[derive(Debug)]
struct Host {
    permits: Arc<Semaphore>,
    aside: Mutex<Option<String>>,
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
            builder(settings, proxies)
                .build()
                .or_else(|_| builder(settings, proxies).tls_certs_only([]).build())
                .map_err(|error| ClientError::Tls(failure::innermost(&error)))
        };
        Ok(Self {
            http: make(settings.proxies)?,
            loopback: make(false)?,
            hosts: Mutex::default(),
            jobs: settings.jobs.max(1),
            backoff: settings.backoff,
            connect_timeout: settings.connect_timeout,
            idle_timeout: settings.idle_timeout,
        })
    }

    /// Asks for `url`.
    pub(crate) async fn get(&self, url: &Url) -> Result<Body, Answer> {
        let body = self.get_if_changed(url, &Validators::default()).await?;
        body.ok_or_else(|| Answer::Unreadable("304 to a question that wasn't asked".into()))
    }

    /// Asks for `url`, if it changed since `known`; `None` where it didn't.
    pub(crate) async fn get_if_changed(
        &self,
        url: &Url,
        known: &Validators,
    ) -> Result<Option<Body>, Answer> {
        if url.scheme() == "file" {
            return open_file(url).await.map(Some);
        }
        let host = self.host(url);
        let permits = Arc::clone(&host.permits);
        let permit = permits.acquire_owned().await.expect("it is never closed");
        if let Some(reason) = &*host.aside.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(Answer::PutAside(reason.clone()));
        }
        let http = if is_loopback(url) { &self.loopback } else { &self.http };
        let request = http.get(url.clone()).headers(conditions(known));
        let response = request.send().await.map_err(|error| {
            host.judged(failure::of_request(&error, self.connect_timeout, self.idle_timeout))
        })?;
        match response.status() {
            StatusCode::OK => Ok(Some(Body {
                length: response.content_length(),
                validators: validators(response.headers()),
                got: 0,
                idle_timeout: self.idle_timeout,
                stream: Stream::Http { response, host, _permit: permit },
            })),
            StatusCode::NOT_MODIFIED if *known != Validators::default() => Ok(None),
            status => Err(refusal(status, response.headers())),
        }
    }

    /// How long to wait before the same source is asked a second time, or `None` where that
    /// is no use. Once at most: the next source is nearer than a third try.
    pub(crate) fn pause(&self, tries: u32, answer: &Answer) -> Option<Duration> {
        if tries > 0 {
            return None;
        }
        match answer {
            Answer::Status { code: 429 | 500..=599, retry_after: Some(pause), .. } => {
                (*pause <= LONGEST_PAUSE).then_some(*pause)
            }
            Answer::Reset | Answer::Status { code: 429 | 500..=599, .. } => {
                Some(jittered(self.backoff))
            }
            _ => None,
        }
    }

    fn host(&self, url: &Url) -> Arc<Host> {
        let name = url.origin().ascii_serialization();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts.entry(name).or_insert_with(|| {
            Arc::new(Host { permits: Arc::new(Semaphore::new(self.jobs)), aside: Mutex::default() })
        });
        Arc::clone(host)
    }
}

impl Host {
    /// Puts the host aside where the answer says that it is down, so that its timeout is
    /// paid once and not once a file.
    fn judged(&self, answer: Answer) -> Answer {
        if answer.puts_aside() {
            let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
            aside.get_or_insert_with(|| answer.to_string());
        }
        answer
    }
}

fn builder(settings: &Settings, proxies: bool) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.idle_timeout)
        .pool_max_idle_per_host(settings.jobs)
        // A URL may tell what nobody else needs to know.
        .referer(false)
        .redirect(redirect::Policy::custom(|attempt| {
            let downgraded = attempt.url().scheme() == "http"
                && attempt.previous().iter().any(|url| url.scheme() == "https");
            if downgraded {
                attempt.error("it leads from https to http")
            } else if attempt.previous().len() > MOST_REDIRECTS {
                attempt.error("more than 10 of them in a row")
            } else {
                attempt.follow()
            }
        }));
    if proxies { builder } else { builder.no_proxy() }
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

fn refusal(status: StatusCode, headers: &HeaderMap) -> Answer {
    let reason = status.canonical_reason().unwrap_or("(no name)").to_lowercase();
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            Answer::Absent(format!("{} {reason}", status.as_u16()))
        }
        _ => Answer::Status {
            code: status.as_u16(),
            reason,
            // The form with a date needs a clock; it is as if nothing were said.
            retry_after: headers
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.trim().parse().ok())
                .map(Duration::from_secs),
        },
    }
}

/// `pause` and up to as much again, so that many clients don't come back at once.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1000;
    pause + pause * u32::try_from(random).unwrap_or(0) / 1000
}

async fn open_file(url: &Url) -> Result<Body, Answer> {
    let path =
        url.to_file_path().map_err(|()| Answer::Unreadable("no path of this machine".into()))?;
    let opened = async {
        let file = tokio::fs::File::open(&path).await?;
        let metadata = file.metadata().await?;
        if metadata.is_dir() {
            Err(io::ErrorKind::IsADirectory.into())
        } else {
            Ok((file, metadata.len()))
        }
    };
    let (file, length) = opened.await.map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Answer::Absent("no such file".into())
        }
        io::ErrorKind::PermissionDenied => Answer::Unreadable("no permission to read it".into()),
        _ => Answer::Unreadable(error.to_string()),
    })?;
    Ok(Body {
        length: Some(length),
        validators: Validators::default(),
        got: 0,
        idle_timeout: Duration::MAX,
        stream: Stream::File(file),
    })
}

/// A file on its way.
pub(crate) struct Body {
    /// What was announced, in bytes.
    pub(crate) length: Option<u64>,
    pub(crate) validators: Validators,
    /// What came, in bytes.
    pub(crate) got: u64,
    idle_timeout: Duration,
    stream: Stream,
}

enum Stream {
    /// The permit is held until the last byte: it is what bounds the host's connections.
    Http {
        response: reqwest::Response,
        host: Arc<Host>,
        _permit: OwnedSemaphorePermit,
    },
    File(tokio::fs::File),
}

impl Body {
    /// The next piece, or `None` when all of it came: a body shorter than announced is an
    /// error.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Answer> {
        let chunk = match &mut self.stream {
            Stream::Http { response, host, .. } => response.chunk().await.map_err(|error| {
                host.judged(failure::of_body(&error, self.got, self.length, self.idle_timeout))
            })?,
            Stream::File(file) => {
                let mut buffer = Vec::with_capacity(FILE_CHUNK);
                let read = file
                    .read_buf(&mut buffer)
                    .await
                    .map_err(|error| Answer::Unreadable(error.to_string()))?;
                (read > 0).then(|| buffer.into())
            }
        };
        if let Some(chunk) = chunk {
            // What a login page or an error page begins with; no archive and no index does.
            if self.got == 0 && chunk.trim_ascii_start().starts_with(b"<") {
                return Err(Answer::WebPage);
            }
            self.got += chunk.len() as u64;
            return Ok(Some(chunk));
        }
        match self.length {
            Some(expected) if expected != self.got => {
                Err(Answer::Truncated { got: self.got, expected })
            }
            _ => Ok(None),
        }
    }
}
