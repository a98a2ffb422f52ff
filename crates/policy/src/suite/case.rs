//! What a file of policy unit tests says.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Dialect, Identity};
use envlock_text::Pos;

/// A file of cases.
#[derive(Debug, Clone, PartialEq)]
pub struct TestSuite {
    /// The file, as the user named it.
    pub(crate) file: String,
    /// The cases in the order of the file.
    pub cases: Vec<TestCase>,
}

/// One case: policies, one request, and the answer of each dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// Its name in every message.
    pub id: String,
    pub(crate) pos: Pos,
    /// What it shows.
    pub why: Option<String>,
    pub(crate) policies: Vec<TestPolicy>,
    pub(crate) request: TestRequest,
    pub(crate) token_namespace: String,
    pub(crate) identity: Identity,
    pub(crate) expect: BTreeMap<Dialect, Expectation>,
}

/// A policy of a case.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TestPolicy {
    pub(crate) name: String,
    pub(crate) source: PolicySource,
    pub(crate) namespace: String,
    pub(crate) allow_slashes: bool,
    pub(crate) allow_wildcards: bool,
}

/// Where a case's policy comes from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PolicySource {
    Text(String),
    File(String),
}

impl Default for PolicySource {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

/// The request of a case.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TestRequest {
    pub(crate) operation: String,
    pub(crate) path: String,
    pub(crate) namespace: String,
    pub(crate) data: Option<Map<String, Value>>,
    /// Seconds.
    pub(crate) wrap_ttl: Option<f64>,
}

/// What a case expects of one dialect; what it doesn't name isn't compared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expectation {
    /// Whether the policies are accepted: `ok` or `error`.
    pub parse: Option<String>,
    /// What `capabilities-self` says of the path.
    pub capabilities: Option<Vec<String>>,
    /// Whether the request is let through.
    pub allowed: Option<bool>,
    /// Whether it is on a protected endpoint.
    pub root_privs: Option<bool>,
    /// The `limit` that a list goes on with.
    pub limit: Option<Value>,
    /// The pattern of the deciding rule, as it is written.
    pub rule: Option<String>,
}

impl TestSuite {
    /// The policy files that the cases name, relative to the suite's own.
    pub fn files(&self) -> Vec<&str> {
        let mut files: Vec<_> = self
            .cases
            .iter()
            .flat_map(|case| &case.policies)
            .filter_map(|policy| match &policy.source {
                PolicySource::File(file) => Some(file.as_str()),
                PolicySource::Text(_) => None,
            })
            .collect();
        files.sort_unstable();
        files.dedup();
        files
    }
}
