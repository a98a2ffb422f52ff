//! Requests, for hooks and logs.

use hyper::body::Incoming;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str};

/// What is written as `%XX` in a path.
pub(crate) const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// The decoded path without the query; starts with `/`. Bytes that aren't UTF-8 are replaced.
    pub path: String,
    /// The query as it was sent; empty if there is none.
    pub query: String,
    headers: Vec<(String, String)>,
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedRequest {
    /// The request.
    pub request: Request,
    /// The status of the answer; `None` without an answer.
    pub status: Option<u16>,
    /// The length of the body that was sent or queued, in bytes.
    pub bytes: usize,
}

impl Request {
    /// Returns a header's value; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn from_http(request: &hyper::Request<Incoming>) -> Self {
        let headers = request.headers().iter().map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        Self {
            method: request.method().to_string(),
            path: percent_decode_str(request.uri().path()).decode_utf8_lossy().into_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: headers.collect(),
        }
    }

    pub(super) fn with_status(self, status: u16, bytes: usize) -> LoggedRequest {
        LoggedRequest { request: self, status: Some(status), bytes }
    }

    pub(super) fn without_answer(&self) -> LoggedRequest {
        LoggedRequest { request: self.clone(), status: None, bytes: 0 }
    }
}
