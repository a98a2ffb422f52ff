//! The content of a file of policy unit tests.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Dialect, Identity};
use envlock_text::Pos;

/// A file of test cases.
#[derive(Debug, Clone, PartialEq)]
pub struct TestSuite {
    /// The file, as the user wrote it.
    pub(crate) file: String,
    /// The cases in the order of the file.
    pub cases: Vec<TestCase>,
}

/// A test case: policies, one request, and the expected answer of each dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct TestCase {
    /// Its name in messages.
    pub id: String,
    pub(crate) pos: Pos,
    /// Its description.
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
    /// Where it is uploaded, if that isn't the namespace of the token.
    pub(crate) namespace: Option<String>,
    pub(crate) slashes_in_templates: bool,
    /// Whether OpenBao is configured to allow `*` and `+` in the values of templates.
    pub(crate) wildcards_in_templates: bool,
}

/// The source of a case's policy.
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
    /// In seconds.
    pub(crate) wrap_ttl: Option<f64>,
}

/// The expected results of one dialect. A result without an expectation isn't compared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expectation {
    /// Whether the policies are accepted: `ok` or `error`.
    pub parse: Option<String>,
    /// The answer of `capabilities-self` for the path.
    pub capabilities: Option<Vec<String>>,
    /// Whether the request is allowed.
    pub allowed: Option<bool>,
    /// Whether the rule also grants `sudo`, which protected endpoints need.
    pub grants_sudo: Option<bool>,
    /// The `limit` that the server applies to a list.
    pub limit: Option<Value>,
    /// The pattern of the deciding rule, as the policy writes it.
    pub rule: Option<String>,
}

impl TestSuite {
    /// The policy files that the cases name, relative to the suite's file.
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
