//! The body of a response or a local file, received in chunks.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use crate::body_reader::ContentEncoding;
use crate::host::Host;
use crate::http_error;
use crate::idle::{IdleEvent, until_idle};
use crate::source_error::SourceError;
use crate::transport::{ServerTimes, Validators, content_encoding, validators};

/// The minimum speed of a body in bytes per second. Below it an index would take days.
const MIN_BYTES_PER_SECOND: f64 = 100.0;
/// The chunk size for local files, in bytes.
const FILE_CHUNK: usize = 256 * 1024;

/// The body of a response or a local file.
pub(crate) struct Body {
    /// The announced size in bytes.
    pub(crate) length: Option<u64>,
    /// How the chunks are compressed for the transfer.
    pub(crate) encoding: ContentEncoding,
    pub(crate) validators: Validators,
    /// The times in the response.
    pub(crate) server_times: ServerTimes,
    /// The number of bytes received so far.
    pub(crate) received: u64,
    /// Whether the file may be a web page.
    pub(crate) may_be_html: bool,
    stream: Stream,
}

enum Stream {
    Http(Box<HttpBody>),
    File(tokio::fs::File),
}

/// What ends the wait for a chunk.
pub(crate) struct BodyLimits {
    pub(crate) host: Arc<Host>,
    pub(crate) force: bool,
    pub(crate) idle_timeout: Duration,
    pub(crate) idle_event: Option<IdleEvent>,
    /// The requested URL.
    pub(crate) url: Url,
}

/// The body of an HTTP response.
struct HttpBody {
    response: reqwest::Response,
    limits: BodyLimits,
    /// The time spent waiting since the speed was last checked.
    waited: Duration,
    /// The bytes received since then.
    received_since: usize,
    /// Held until the end of the body: it limits the connections per host.
    _permit: OwnedSemaphorePermit,
}

impl HttpBody {
    async fn chunk(&mut self, got: u64, length: Option<u64>) -> Result<Option<Bytes>, SourceError> {
        let start = Instant::now();
        let received = self.response.chunk();
        let limits = &self.limits;
        let error = match until_idle(received, limits.idle_event.as_ref(), &limits.url).await {
            Some(Ok(chunk)) => return self.check_speed(chunk, start),
            Some(Err(error)) => http_error::from_body(&error, got, length, limits.idle_timeout),
            None => SourceError::NoProgress(limits.idle_timeout),
        };
        Err(limits.host.suspend_if_unreachable(error, limits.force))
    }

    /// Returns the chunk, unless the source is too slow.
    fn check_speed(
        &mut self,
        chunk: Option<Bytes>,
        start: Instant,
    ) -> Result<Option<Bytes>, SourceError> {
        let limits = &self.limits;
        if limits.idle_event.is_some() {
            return Ok(chunk);
        }
        self.waited += start.elapsed();
        self.received_since += chunk.as_ref().map_or(0, Bytes::len);
        if chunk.is_some() && self.waited >= limits.idle_timeout {
            #[expect(clippy::cast_precision_loss, reason = "the speed is an estimate")]
            if (self.received_since as f64) < MIN_BYTES_PER_SECOND * self.waited.as_secs_f64() {
                let error = SourceError::TooSlow(self.waited);
                return Err(limits.host.suspend_if_unreachable(error, limits.force));
            }
            (self.waited, self.received_since) = (Duration::ZERO, 0);
        }
        Ok(chunk)
    }
}

impl Body {
    /// Creates the body of a response. `permit` is released at its end.
    pub(crate) fn new(
        response: reqwest::Response,
        limits: BodyLimits,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            length: response.content_length(),
            encoding: content_encoding(response.headers()),
            validators: validators(response.headers()),
            server_times: ServerTimes::from_headers(response.headers()),
            received: 0,
            may_be_html: false,
            stream: Stream::Http(Box::new(HttpBody {
                response,
                limits,
                waited: Duration::ZERO,
                received_since: 0,
                _permit: permit,
            })),
        }
    }

    /// Opens the file of a `file:` URL.
    pub(crate) async fn open_file(url: &Url) -> Result<Self, SourceError> {
        let path = url
            .to_file_path()
            .map_err(|()| SourceError::Unreadable("not a path of this machine".into()))?;
        let opened = async {
            let file = tokio::fs::File::open(&path).await?;
            let metadata = file.metadata().await?;
            if metadata.is_dir() {
                Err(io::ErrorKind::IsADirectory.into())
            } else {
                Ok((file, metadata.len(), metadata.modified().ok()))
            }
        };
        let (file, length, modified) =
            opened.await.map_err(|error: io::Error| match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    SourceError::Absent("no such file".into())
                }
                io::ErrorKind::PermissionDenied => {
                    SourceError::Unreadable("no permission to read it".into())
                }
                _ => SourceError::Unreadable(error.to_string()),
            })?;
        Ok(Self {
            length: Some(length),
            encoding: ContentEncoding::None,
            validators: Validators::default(),
            server_times: ServerTimes { modified, now: None },
            received: 0,
            may_be_html: false,
            stream: Stream::File(file),
        })
    }

    /// Returns the next chunk, or `None` at the end. A body shorter than announced is an error.
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
            // Login and error pages begin with `<`; archives and indexes don't.
            let is_html = self.received == 0 && chunk.trim_ascii_start().starts_with(b"<");
            if is_html && !self.may_be_html {
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
