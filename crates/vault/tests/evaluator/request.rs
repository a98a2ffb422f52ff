//! A request, for the server and for the evaluator.

use envlock_policy::{Operation, Request};
use envlock_testkit::VaultClient;
use serde_json::{Map, Value};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct TestRequest {
    pub(crate) operation: Operation,
    /// The path of the request; of a list, without the slash that the server adds.
    pub(crate) path: String,
    pub(crate) data: Option<Map<String, Value>>,
    /// In seconds.
    pub(crate) wrap_ttl: Option<u32>,
    /// Whether a list is sent as `GET ?list=true`.
    pub(crate) by_query: bool,
    /// Whether a write is sent as PUT.
    pub(crate) put: bool,
}

impl TestRequest {
    pub(crate) fn new(operation: Operation, path: String) -> Self {
        Self { operation, path, data: None, wrap_ttl: None, by_query: false, put: false }
    }

    fn lists(&self) -> bool {
        matches!(self.operation, Operation::List | Operation::Scan)
    }

    /// The path that the server checks: that of a list gets a slash.
    pub(crate) fn checked_path(&self) -> String {
        let slash = if self.lists() && !self.path.ends_with('/') { "/" } else { "" };
        format!("{}{slash}", self.path)
    }

    /// The request for the evaluator; `path` is [`Self::checked_path`].
    pub(crate) fn request<'a>(&'a self, path: &'a str) -> Request<'a> {
        Request {
            data: self.data.as_ref(),
            wrap_ttl: self.wrap_ttl.map(f64::from),
            ..Request::new(self.operation, path)
        }
    }

    /// Sends the request, and returns the status.
    pub(crate) fn status(&self, job: &VaultClient) -> u16 {
        let writes = if self.put { "PUT" } else { "POST" };
        let (method, flag) = match self.operation {
            Operation::List if self.by_query => ("GET", Some("list=true")),
            Operation::Scan if self.by_query => ("GET", Some("scan=true")),
            Operation::List => ("LIST", None),
            Operation::Scan => ("SCAN", None),
            Operation::Create | Operation::Update => (writes, None),
            Operation::Patch => ("PATCH", None),
            Operation::Delete => ("DELETE", None),
            Operation::Help => ("GET", Some("help=1")),
            Operation::Read => ("GET", None),
            _ => ("HEAD", None),
        };
        let has_body = matches!(method, "POST" | "PUT" | "PATCH");
        let mut query: Vec<_> = flag.map(str::to_owned).into_iter().collect();
        if !has_body {
            let data = self.data.iter().flatten();
            query.extend(data.map(|(name, value)| match value.as_str() {
                Some(text) => format!("{name}={text}"),
                None => format!("{name}={value}"),
            }));
        }
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let wrap = self.wrap_ttl.map(|seconds| seconds.to_string());
        let mut headers: Vec<_> =
            wrap.iter().map(|ttl| ("X-Vault-Wrap-TTL", ttl.as_str())).collect();
        if method == "PATCH" {
            headers.push(("Content-Type", "application/merge-patch+json"));
        }
        let body = self.data.clone().filter(|_| has_body).map(Value::Object);
        job.request(method, &format!("{}{query}", self.path), &headers, body).0
    }
}

/// Whether the server's policies allow a request, by its status: 404 means allowed and absent, 405
/// and 400 that the engine can't process it.
pub(crate) fn is_allowed(status: u16) -> Option<bool> {
    match status {
        200 | 204 | 400 | 404 | 405 => Some(true),
        403 => Some(false),
        _ => None,
    }
}
