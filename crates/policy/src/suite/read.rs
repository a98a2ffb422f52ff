//! Reads a file of policy tests.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Dialect, Engine, Identity};
use envlock_report::{AsFindings, Code, Exit, Fields, Finding, Mistakes};
use envlock_text::tree::{self, Node, Tree};
use envlock_text::{Pos, limits::MANIFEST};

use super::case::{Expectation, PolicySource, TestCase, TestPolicy, TestRequest, TestSuite};

/// Why a file of policy tests can't be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SuiteError {
    /// It isn't valid: each mistake with its place.
    #[error("the file of policy tests has mistakes")]
    Mistakes(Vec<Finding>),
    /// A policy file that a case names can't be read.
    #[error("a case names the policy file {0}, which can't be read")]
    NoFile(String),
}

impl AsFindings for SuiteError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Mistakes(diagnostics) => diagnostics.clone(),
            Self::NoFile(_) => vec![Finding::new(Code::PolicyFileUnreadable, self.to_string())],
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl TestSuite {
    /// Reads `text`, the content of `file`. The cases are a list under `cases` or `vectors`.
    pub fn parse(file: &str, text: &str) -> Result<Self, SuiteError> {
        let Tree { root, errors } = tree::read(file, text, &MANIFEST);
        let mut mistakes = Mistakes::default();
        for error in &errors {
            mistakes.push(error.into());
        }
        let Some(root) = root else {
            return Err(SuiteError::Mistakes(mistakes.into_findings_or(|| empty(file))));
        };
        let mut top = Fields::new(file, &root, "a file of policy tests", &mut mistakes);
        top.refuse_unknown_keys(&["format", "about", "cases", "vectors"]);
        let mut cases = Vec::new();
        for key in ["cases", "vectors"] {
            for node in top.items_of(key) {
                cases.push(case(file, node, cases.len() + 1, top.mistakes));
            }
        }
        if mistakes.is_empty() {
            Ok(Self { file: file.to_owned(), cases })
        } else {
            Err(SuiteError::Mistakes(mistakes.into_findings()))
        }
    }
}

/// The finding about a file without a value.
fn empty(file: &str) -> Finding {
    let message = "a file of policy tests must be a mapping, and this file is empty";
    Finding::new(Code::WrongType, message).at(Pos::START.place(file))
}

fn case(file: &str, node: &Node, number: usize, mistakes: &mut Mistakes) -> TestCase {
    let mut fields = Fields::new(file, node, "a case", mistakes);
    fields.refuse_unknown_keys(&[
        "id",
        "group",
        "why",
        "policies",
        "request",
        "token_namespace",
        "identity",
        "manifest",
        "check",
        "limit",
        "expect",
    ]);
    let id = fields.text("id").unwrap_or_else(|| format!("case {number}"));
    let why = fields.text("why");
    let token_namespace = fields.text("token_namespace").unwrap_or_default();
    let mut policies = Vec::new();
    for node in fields.items_of("policies") {
        policies.push(policy(file, node, fields.mistakes));
    }
    let derived = fields.get("manifest").and_then(derived_request);
    let mut request = match fields.get("request") {
        Some(node) => request(file, node, fields.mistakes),
        None => TestRequest::default(),
    };
    if let Some((operation, path)) = derived.filter(|_| request.path.is_empty()) {
        request.path = path;
        if request.operation.is_empty() {
            operation.clone_into(&mut request.operation);
        }
    }
    let identity = fields.get("identity").map(Identity::read).unwrap_or_default();
    let mut expect = BTreeMap::new();
    if let Some(node) = fields.get("expect") {
        let names = Dialect::ALL.map(Dialect::name);
        let mut dialects = Fields::new(file, node, "`expect`", fields.mistakes);
        dialects.refuse_unknown_keys(&names);
        for dialect in Dialect::ALL {
            if let Some(node) = dialects.get(dialect.name()) {
                expect.insert(dialect, expected(file, node, dialects.mistakes));
            }
        }
    }
    if expect.is_empty() {
        let message = format!("the case {id} has no expectation");
        let help = "add `expect: {openbao: {allowed: true}}`";
        mistakes.push(
            Finding::new(Code::NoExpectation, message).at(node.start.place(file)).with_help(help),
        );
    }
    TestCase { id, pos: node.start, why, policies, request, token_namespace, identity, expect }
}

fn policy(file: &str, node: &Node, mistakes: &mut Mistakes) -> TestPolicy {
    let mut fields = Fields::new(file, node, "a policy of a case", mistakes);
    fields.refuse_unknown_keys(&[
        "name",
        "text",
        "file",
        "namespace",
        "allow_slashes_in_identity_templates",
        "allow_wildcards_in_identity_templates",
    ]);
    let source = match fields.text("file") {
        Some(path) => PolicySource::File(path),
        None => PolicySource::Text(fields.text("text").unwrap_or_default()),
    };
    TestPolicy {
        name: fields.text("name").unwrap_or_default(),
        source,
        namespace: fields.text("namespace"),
        slashes_in_templates: fields
            .boolean("allow_slashes_in_identity_templates")
            .unwrap_or(false),
        wildcards_in_templates: fields
            .boolean("allow_wildcards_in_identity_templates")
            .unwrap_or(false),
    }
}

fn request(file: &str, node: &Node, mistakes: &mut Mistakes) -> TestRequest {
    let mut fields = Fields::new(file, node, "a request", mistakes);
    fields.refuse_unknown_keys(&["operation", "path", "namespace", "data", "wrap_ttl"]);
    TestRequest {
        operation: fields.text("operation").unwrap_or_default(),
        path: fields.text("path").unwrap_or_default(),
        namespace: fields.text("namespace").unwrap_or_default(),
        data: fields.get("data").and_then(|node| node.to_json().as_object().cloned()),
        wrap_ttl: fields.get("wrap_ttl").and_then(|node| node.to_json().as_f64()),
    }
}

/// The request that a need makes, where the case gives a need instead of a path.
fn derived_request(node: &Node) -> Option<(&'static str, String)> {
    let text = |key| node.get(key).and_then(Node::text);
    let engine: Engine = text("engine")?.parse().ok()?;
    let locator = text("path").or(text("role")).or(text("key"))?;
    let access =
        engine.secret_requests(text("mount")?, locator, &BTreeSet::new()).into_iter().next()?;
    Some((access.operation.name(), access.path))
}

fn expected(file: &str, node: &Node, mistakes: &mut Mistakes) -> Expectation {
    let mut fields = Fields::new(file, node, "an expectation", mistakes);
    fields.refuse_unknown_keys(&[
        "parse",
        "capabilities",
        "allowed",
        "root_privs",
        "limit",
        "rule",
    ]);
    let capabilities = fields.get("capabilities").and_then(Node::items).map(|items| {
        let mut names: Vec<String> =
            items.iter().filter_map(Node::text).map(str::to_owned).collect();
        names.sort_unstable();
        names
    });
    Expectation {
        parse: fields.text("parse"),
        capabilities,
        allowed: fields.boolean("allowed"),
        grants_sudo: fields.boolean("root_privs"),
        limit: fields.get("limit").map(Node::to_json),
        rule: fields.text("rule"),
    }
}
