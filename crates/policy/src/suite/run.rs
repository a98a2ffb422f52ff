//! Runs the cases of a suite.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use envlock_report::Place;
use jiff::Timestamp;
use serde::Serialize;

use super::case::{Expectation, PolicySource, TestCase, TestSuite};
use super::read::SuiteError;
use crate::{
    Acl, Decision, Dialect, EvaluationContext, Operation, Policy, PolicyError, Request, RuleOrigin,
};

/// The result of a suite.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuiteResult {
    /// The number of cases that pass in every dialect that they name.
    pub passed: usize,
    /// The number of cases that fail.
    pub failed: usize,
    /// The differences: one entry for each case, dialect and key.
    pub failures: Vec<CaseFailure>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseFailure {
    /// The case's name.
    pub case: String,
    /// The place of the case in the file.
    pub place: Place,
    /// The server version whose policy rules are followed.
    pub dialect: Dialect,
    /// The key that was compared: `allowed`, `capabilities`, …
    pub key: &'static str,
    /// The expected value.
    pub expected: String,
    /// The actual value.
    #[serde(rename = "got")]
    pub actual: String,
    /// The blocks of the deciding rule.
    pub rule: Vec<RuleOrigin>,
    /// The reason of the actual decision.
    pub why: String,
}

impl TestSuite {
    /// Runs every case. `files` contains the text of each of [`TestSuite::files`]; `now` decides
    /// which blocks have expired.
    pub fn run(
        &self,
        files: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<SuiteResult, SuiteError> {
        let mut result = SuiteResult { passed: 0, failed: 0, failures: Vec::new() };
        for case in &self.cases {
            let before = result.failures.len();
            let policies = case.policies(&self.file, files)?;
            for (dialect, expected) in &case.expect {
                let outcome = case.outcome(&policies, *dialect, now);
                let report =
                    Report { suite: &self.file, case, dialect: *dialect, outcome: &outcome };
                report.compare(expected, &mut result.failures);
            }
            if result.failures.len() == before {
                result.passed += 1;
            } else {
                result.failed += 1;
            }
        }
        Ok(result)
    }
}

/// The result of a case in one dialect.
struct Outcome {
    error: Option<PolicyError>,
    capabilities: Vec<&'static str>,
    decision: Option<Decision>,
    reason: String,
    rule: Vec<RuleOrigin>,
}

impl TestCase {
    fn policies(
        &self,
        suite: &str,
        files: &BTreeMap<String, String>,
    ) -> Result<Result<Vec<Policy>, PolicyError>, SuiteError> {
        let mut policies = Vec::new();
        for given in &self.policies {
            let inline = format!("{suite}#{}/{}", self.id, given.name);
            let (file, text) = match &given.source {
                PolicySource::Text(text) => (inline.as_str(), text),
                PolicySource::File(file) => (
                    file.as_str(),
                    files.get(file).ok_or_else(|| SuiteError::NoFile(file.clone()))?,
                ),
            };
            match Policy::parse(&given.name, file, text) {
                Err(error) => return Ok(Err(error)),
                Ok(policy) => {
                    let policy = match &given.namespace {
                        Some(namespace) => policy.in_namespace(namespace),
                        None => policy,
                    };
                    policies.push(policy.allowing_in_templates(
                        given.slashes_in_templates,
                        given.wildcards_in_templates,
                    ));
                }
            }
        }
        Ok(Ok(policies))
    }

    fn outcome(
        &self,
        policies: &Result<Vec<Policy>, PolicyError>,
        dialect: Dialect,
        now: Timestamp,
    ) -> Outcome {
        let context = EvaluationContext {
            dialect,
            now,
            identity: Some(&self.identity),
            token_namespace: &self.token_namespace,
        };
        let acl = match policies {
            Err(error) => Err(error.clone()),
            Ok(policies) => Acl::new(&policies.iter().collect::<Vec<_>>(), &context),
        };
        let acl = match acl {
            Ok(acl) => acl,
            Err(error) => {
                return Outcome {
                    reason: format!("{}: {error}", error.place),
                    error: Some(error),
                    capabilities: Vec::new(),
                    decision: None,
                    rule: Vec::new(),
                };
            }
        };
        let operation = Operation::from_name(&self.request.operation);
        let checked = operation.checked_path(&self.request.path);
        let request = Request {
            operation,
            path: &checked,
            namespace: &self.request.namespace,
            data: self.request.data.as_ref(),
            wrap_ttl: self.request.wrap_ttl,
        };
        let decision = acl.decide(&request);
        Outcome {
            error: None,
            capabilities: acl.capabilities(&self.request.path, &self.request.namespace),
            rule: decision.rule.map(|rule| acl.rule_origins(rule)).unwrap_or_default(),
            reason: decision.reason.to_string(),
            decision: Some(decision),
        }
    }
}

struct Report<'a> {
    suite: &'a str,
    case: &'a TestCase,
    dialect: Dialect,
    outcome: &'a Outcome,
}

impl Report<'_> {
    fn compare(&self, expected: &Expectation, failures: &mut Vec<CaseFailure>) {
        let parse = if self.outcome.error.is_some() { "error" } else { "ok" };
        let mut check = |key, wanted: Option<String>, actual: String| {
            if let Some(expected) = wanted.filter(|wanted| *wanted != actual) {
                failures.push(self.failure(key, expected, actual));
            }
        };
        check("parse", expected.parse.clone(), parse.to_owned());
        if self.outcome.error.is_some() && expected.parse.as_deref() == Some("error") {
            return;
        }
        let decision = self.outcome.decision.as_ref();
        let flag = |flag: fn(&Decision) -> bool| decision.is_some_and(flag).to_string();
        let capabilities = expected.capabilities.as_ref().map(|names| names.join(", "));
        check("capabilities", capabilities, self.outcome.capabilities.join(", "));
        check("allowed", expected.allowed.map(|b| b.to_string()), flag(|d| d.allowed));
        check("root_privs", expected.grants_sudo.map(|b| b.to_string()), flag(|d| d.grants_sudo));
        let limit = decision.and_then(|decision| decision.limit.clone()).unwrap_or_default();
        check("limit", expected.limit.as_ref().map(ToString::to_string), limit.to_string());
        let pattern = self.outcome.rule.first().map_or("none", |origin| &origin.pattern);
        check("rule", expected.rule.clone(), pattern.to_owned());
    }

    fn failure(&self, key: &'static str, expected: String, actual: String) -> CaseFailure {
        CaseFailure {
            case: self.case.id.clone(),
            place: self.case.pos.place(self.suite),
            dialect: self.dialect,
            key,
            expected,
            actual,
            rule: self.outcome.rule.clone(),
            why: self.outcome.reason.clone(),
        }
    }
}

impl fmt::Display for CaseFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { case, place, dialect, key, expected, actual, why, .. } = self;
        writeln!(f, "{case} [{dialect}] {key}: expected {expected}, got {actual}")?;
        writeln!(f, "  case: {place}")?;
        for origin in &self.rule {
            writeln!(
                f,
                "  rule: {} path \"{}\" of {}",
                origin.place, origin.pattern, origin.policy
            )?;
        }
        writeln!(f, "  why:  {why}")
    }
}

impl SuiteResult {
    /// The failures, a blank line, and `N passed, N failed`.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for failure in &self.failures {
            // Writing to a String can't fail.
            let _ = writeln!(text, "{failure}");
        }
        let _ = writeln!(text, "{} passed, {} failed", self.passed, self.failed);
        envlock_text::redact(&text).into_owned()
    }
}
