//! Compares the shared cases with a real server, if the cases are available.

use std::io::{self, Write as _};

use envlock_policy::{Acl, Dialect, EvaluationContext, Identity, Operation, Policy, PolicyError};
use envlock_testkit::{VaultClient, shared_data, skip_test};
use envlock_text::limits::MANIFEST;
use envlock_text::tree;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::counts::Counts;
use crate::entity::{self, text};
use crate::policies::{acl, upload};
use crate::release::{allows, server};
use crate::request::{TestRequest, is_allowed};

const FILES: [&str; 2] = ["acl-vectors/vectors.json", "acl-vectors/measured.json"];

/// A server that is prepared for the cases, with the results.
struct VectorRun {
    root: VaultClient,
    dialect: Dialect,
    /// The identity on the server, which generates the ids.
    identity: Identity,
    has_namespace: bool,
    counts: Counts,
    left_out: Vec<String>,
    differences: Vec<String>,
}

/// A case for one server.
struct Case<'v> {
    vector: &'v Value,
    id: &'v str,
    namespace: &'v str,
    request: TestRequest,
    /// The expectation for this release.
    expected: &'v Value,
}

/// The project's own cases.
const CASES: [&str; 5] = [
    include_str!("../../../policy/tests/servers/lists.yml"),
    include_str!("../../../policy/tests/servers/duplicates.yml"),
    include_str!("../../../policy/tests/servers/control-groups.yml"),
    include_str!("../../../policy/tests/servers/texts.yml"),
    include_str!("../../../policy/tests/servers/parameters.yml"),
];

#[test]
fn every_case_that_can_be_sent_has_the_expected_result() {
    let run = compare_all(&CASES.map(str::to_owned), "cases");
    let Some(VectorRun { counts, left_out, .. }) = run else { return };
    assert!(counts.of("requests") >= 40 && counts.of("rejected texts") >= 30, "{counts}");
    assert!(left_out.len() <= 4, "{left_out:?}");
}

#[test]
fn every_shared_case_that_can_be_sent_has_the_expected_result() {
    let files: Option<Vec<_>> = FILES.into_iter().map(shared_data).collect();
    let Some(files) = files else { return };
    let read = |file| fs_err::read_to_string(file).expect("the file is readable");
    let texts: Vec<_> = files.into_iter().map(read).collect();
    let run = compare_all(&texts, "vectors");
    let Some(VectorRun { counts, left_out, .. }) = run else { return };
    assert!(counts.of("requests") >= 120 && counts.of("rejected texts") >= 13, "{counts}");
    assert!(left_out.len() <= 7, "{left_out:?}");
}

/// Compares the cases below `key` of each text with the server. `None` without a server.
fn compare_all(texts: &[String], key: &str) -> Option<VectorRun> {
    let what = "the cases of the policies on a real server";
    let Some((bao, version, dialect)) = server() else {
        skip_test(what);
        return None;
    };
    let mut run = VectorRun::new(&bao, dialect);
    let mut number = 0;
    for text in texts {
        let cases = tree::read("cases.yml", text, &MANIFEST).root.expect("the cases are readable");
        let cases = cases.to_json();
        let cases = cases[key].as_array().expect("the file has cases");
        number += cases.len();
        for vector in cases {
            match run.case(vector) {
                Ok(case) => run.compare(&case),
                Err(why) => run.leave_out(vector["id"].as_str().unwrap_or_default(), why),
            }
        }
    }
    // Not captured by the test harness: the counts show what the test covers.
    let _ = writeln!(
        io::stderr(),
        "{number} cases for OpenBao {version}: {}\n  left out: {}",
        run.counts,
        run.left_out.join("; ")
    );
    assert!(run.differences.is_empty(), "{}", run.differences.join("\n"));
    Some(run)
}

impl VectorRun {
    fn new(root: &VaultClient, dialect: Dialect) -> Self {
        root.approle("ci", &[], json!({}));
        let identity = entity::new(root);
        Self {
            root: root.clone(),
            dialect,
            identity,
            has_namespace: false,
            counts: Counts::default(),
            left_out: Vec::new(),
            differences: Vec::new(),
        }
    }

    fn leave_out(&mut self, id: &str, why: &str) {
        self.left_out.push(format!("{id}, {why}"));
    }

    fn differ(&mut self, case: &Case<'_>, what: &str) {
        self.differences.push(format!("{}: {what}\n{:#}", case.id, case.vector["policies"]));
    }

    /// Reads the case, or returns why it can't be sent.
    fn case<'v>(&self, vector: &'v Value) -> Result<Case<'v>, &'static str> {
        let request = &vector["request"];
        let operation = request["operation"].as_str().unwrap_or_default();
        if ["renew", "revoke", "rollback"].contains(&operation) {
            return Err("no request has this operation");
        }
        let policies = vector["policies"].as_array().expect("a case has policies");
        if policies.len() > 1 && policies.iter().any(|policy| policy["name"] == "root") {
            return Err("a token of `root` and others gets only `root`");
        }
        if policies.iter().any(|policy| policy["text"].as_str().unwrap_or("").contains("aliases")) {
            return Err("the metadata of an alias needs a login");
        }
        let opts_in = policies.iter().any(|policy| {
            policy.get("allow_slashes_in_identity_templates").is_some()
                || policy.get("allow_wildcards_in_identity_templates").is_some()
        });
        if opts_in {
            return Err("it is an option of the upload, which the evaluator's tests cover");
        }
        if vector["group"] == "random" {
            return Err("the server decides at random");
        }
        if vector["id"] == "surrogates-in-json" || vector["id"] == "VB-032" {
            return Err("the server closes the connection");
        }
        let expected = &vector["expect"];
        // Lists, and the values of templates, are as in Vault up to 2.0.2.
        let templated = vector.get("identity").is_some();
        let legacy = (self.dialect == Dialect::OpenBaoLegacy)
            .then(|| expected.get("vault-legacy").or(expected.get("vault-1.21")))
            .flatten()
            .filter(|legacy| legacy["parse"] == "ok" && operation == "list" || templated);
        let own = expected.get(self.dialect.name());
        let Some(expected) = own.or(legacy).or(expected.get("openbao")) else {
            return Err("it has no expectation for OpenBao");
        };
        let path = request["path"].as_str().expect("a request has a path");
        // The server adds the final slash of a list.
        let mut sent = TestRequest::new(Operation::from_name(operation), path.to_owned());
        sent.data = request["data"].as_object().cloned();
        sent.wrap_ttl = request["wrap_ttl"].as_u64().and_then(|ttl| u32::try_from(ttl).ok());
        sent.by_query = vector["id"] == "ACL-115";
        Ok(Case {
            vector,
            id: vector["id"].as_str().expect("a case has a name"),
            namespace: request["namespace"].as_str().unwrap_or_default(),
            request: sent,
            expected,
        })
    }

    /// Creates the namespace of some cases, whose name is that of a mount of other cases, which run
    /// first.
    fn enter_namespace(&mut self) {
        if !self.has_namespace {
            self.has_namespace = true;
            self.root.delete("sys/mounts/team");
            let namespace = self.root.namespace("team");
            namespace.kv1("secret");
            namespace.secret("secret", "data/a", json!({ "v": "1" }));
        }
    }

    fn compare(&mut self, case: &Case<'_>) {
        if !case.namespace.is_empty() {
            self.enter_namespace();
        }
        let (policies, names, accepted) = self.upload(case);
        let wanted = case.expected["parse"] == "ok";
        let read: Result<Vec<_>, PolicyError> = policies.into_iter().collect();
        let mut ours = read.is_ok();
        if let Ok(policies) = &read {
            ours = policies
                .iter()
                .all(|policy| acl(&[policy], self.dialect, &Identity::default()).is_ok());
        }
        if accepted != wanted || ours != wanted {
            self.differ(
                case,
                &format!("accepted by the server: {accepted}, by the evaluator: {ours}"),
            );
        }
        let (true, true, Ok(policies)) = (accepted, ours, read) else {
            self.counts.count("rejected texts");
            return;
        };
        let policies: Vec<_> = policies.iter().collect();
        let token = self.token(case, &names);
        let templated = case.vector.get("identity").is_some();
        let unknown = Identity::default();
        let identity = if templated { self.identity.clone() } else { unknown };
        let token_namespace = case.vector["token_namespace"].as_str().unwrap_or_default();
        let context = EvaluationContext {
            dialect: self.dialect,
            now: Timestamp::now(),
            identity: Some(&identity),
            token_namespace,
        };
        let acl = Acl::new(&policies, &context).expect("all policies were accepted");
        self.compare_capabilities(case, &token, &acl);
        self.compare_request(case, &token, &acl);
    }

    fn compare_capabilities(&mut self, case: &Case<'_>, token: &str, acl: &Acl<'_>) {
        self.counts.count("capabilities");
        let path = self.path(case);
        let body = json!({ "token": token, "paths": [path] });
        let theirs = &self.operator(case).post("sys/capabilities", body)["data"][&path];
        let ours = acl.capabilities(&path, case.namespace);
        let ours = Value::from(ours);
        if *theirs != ours || *theirs != case.expected["capabilities"] {
            self.differ(case, &format!("capabilities {theirs}, ours {ours}"));
        }
    }

    fn compare_request(&mut self, case: &Case<'_>, token: &str, acl: &Acl<'_>) {
        let path = self.path(case);
        if path.contains("//") {
            // The server redirects, and checks nothing.
            return self.leave_out(case.id, "the request: two slashes in a path");
        }
        self.prepare(case, &path);
        let mut sent = case.request.clone();
        sent.path.clone_from(&path);
        let checked_path = sent.checked_path();
        let mut request = sent.request(&checked_path);
        request.namespace = case.namespace;
        let protected = checked_path.starts_with("sys/audit");
        let ours = match case.namespace {
            "" => allows(acl, &request, protected),
            _ => acl.decide(&request).allowed,
        };
        let status = sent.status(&self.operator(case).with_token(token));
        self.counts.count("requests");
        self.counts.count(if ours { "allowed" } else { "denied" });
        let mut theirs = is_allowed(status);
        if status == 500 && case.vector["policies"].to_string().contains("filter_path") {
            // Before 2.6.0 the server fails if it has nothing to filter, after it allowed the request.
            theirs = Some(true);
        }
        let wanted = case.expected["allowed"].as_bool().expect("a case has `allowed`");
        if theirs != Some(ours) || ours != wanted {
            self.differ(case, &format!("{status}, ours: allowed {ours}, the case: {wanted}"));
        }
        if acl.decide(&request).grants_sudo != (case.expected["root_privs"] == true) {
            self.differ(case, "ours differs on `root_privs`");
        }
    }

    /// Creates every secret but those that the request creates.
    fn prepare(&self, case: &Case<'_>, path: &str) {
        let mount = path.split('/').next().unwrap_or_default();
        if ["sys", "auth"].contains(&mount) || !case.namespace.is_empty() {
            return;
        }
        let mounts = self.root.get("sys/mounts");
        if mounts["data"].get(format!("{mount}/")).is_none() {
            self.root.kv1(mount);
        }
        match case.request.operation {
            _ if path.ends_with('/') || path == mount => {}
            Operation::Create => drop(self.root.delete(path)),
            _ => drop(self.root.post(path, json!({ "v": "1" }))),
        }
    }

    /// The policies, their names on the server, and whether the server accepted all.
    fn upload(&self, case: &Case<'_>) -> (Vec<Result<Policy, PolicyError>>, Vec<String>, bool) {
        let (mut policies, mut names, mut taken) = (Vec::new(), Vec::new(), true);
        for policy in case.vector["policies"].as_array().into_iter().flatten() {
            let name = format!("{}-{}", case.id, text(&policy["name"])).to_lowercase();
            let namespace = policy["namespace"].as_str().unwrap_or_default();
            let text = text(&policy["text"]);
            taken &= upload(&self.within(namespace), &name, &text) == 204;
            let read = Policy::parse(&name, &format!("{name}.hcl"), &text);
            policies.push(read.map(|policy| policy.in_namespace(namespace)));
            names.push(name);
        }
        (policies, names, taken)
    }

    fn token(&self, case: &Case<'_>, names: &[String]) -> String {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        if case.vector.get("identity").is_some() {
            return entity::token(&self.root, &names);
        }
        let namespace = case.vector["token_namespace"].as_str().unwrap_or_default();
        self.within(namespace).token(&names, json!({ "no_default_policy": true }))
    }

    /// The path of the request, with the group's id on the server.
    fn path(&self, case: &Case<'_>) -> String {
        case.request.path.replace("/g-1", &format!("/{}", self.identity.groups[0].id))
    }

    fn operator(&self, case: &Case<'_>) -> VaultClient {
        self.within(case.namespace)
    }

    fn within(&self, namespace: &str) -> VaultClient {
        match namespace {
            "" => self.root.clone(),
            namespace => self.root.in_namespace(namespace),
        }
    }
}
