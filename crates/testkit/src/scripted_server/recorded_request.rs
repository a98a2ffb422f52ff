//! Requests that a scripted server received.

use std::fmt;

use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A recorded request, without its token.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedRequest {
    /// The method, such as `GET`.
    pub method: String,
    /// The decoded path after `/v1/`, or the whole path without that prefix.
    pub path: String,
    /// The query after `?`, not decoded; empty without one.
    pub query: String,
    /// The names of the headers in lower case, sorted.
    pub headers: Vec<String>,
    /// Whether the request had an `X-Vault-Token`.
    pub has_token: bool,
    /// `X-Vault-Namespace`.
    pub namespace: Option<String>,
    /// The JSON of the body; null if it isn't JSON or wasn't read.
    pub body: Value,
}

impl RecordedRequest {
    pub(super) fn new(head: &Parts) -> Self {
        let path = percent_decode_str(head.uri.path()).decode_utf8_lossy();
        let mut headers: Vec<_> =
            head.headers.keys().map(|name| name.as_str().to_owned()).collect();
        headers.sort_unstable();
        let header = |name| head.headers.get(name);
        let namespace = header("x-vault-namespace").map(HeaderValue::as_bytes);
        Self {
            method: head.method.to_string(),
            path: path.strip_prefix("/v1/").unwrap_or(&path).to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers,
            has_token: header("x-vault-token").is_some(),
            namespace: namespace.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            body: Value::Null,
        }
    }
}

/// `GET sys/health?a=b`
impl fmt::Display for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        if self.query.is_empty() { Ok(()) } else { write!(f, "?{}", self.query) }
    }
}
