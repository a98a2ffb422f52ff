//! The cases that lie beside the repository, asked of a server, where they are at hand.

use std::io::{self, Write as _};

use envlock_policy::{Acl, Dialect, Identity, Operation, Policy, PolicyError, ServerContext};
use envlock_testkit::{VaultClient, shared_data, skip_test};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::ask::{Asked, let_through};
use crate::bot::{self, text};
use crate::judge::{acl, upload};
use crate::release::{Release, server};
use crate::tally::Tally;

const FILE: &str = "acl-vectors/vectors.json";

/// A server with what the cases speak of, and what was found.
struct Bench<'b> {
    root: &'b VaultClient,
    release: Release,
    /// The ones of the server: it gives the ids.
    identity: Identity,
    has_namespace: bool,
    tally: Tally,
    left_out: Vec<String>,
    differences: Vec<String>,
}

/// One case, for one server.
struct Case<'v> {
    vector: &'v Value,
    id: &'v str,
    namespace: &'v str,
    asked: Asked,
    /// What the case expects of this release.
    expected: &'v Value,
}

#[test]
fn every_case_that_can_be_asked_comes_out_as_it_says() {
    let Some(file) = shared_data(FILE) else { return };
    let what = "the cases of the policies on a real server";
    let Some((bao, version, release)) = server() else { return skip_test(what) };
    let text = fs_err::read_to_string(file).expect("it can be read");
    let cases: Value = serde_json::from_str(&text).expect("it is JSON");
    let vectors = cases["vectors"].as_array().expect("it has cases");
    let mut bench = Bench::new(&bao, release);
    for vector in vectors {
        match bench.case(vector) {
            Ok(case) => bench.compare(&case),
            Err(why) => bench.leave_out(vector["id"].as_str().unwrap_or_default(), why),
        }
    }
    let Bench { tally, left_out, differences, .. } = bench;
    // Past the capture of the test harness: it says what this test is worth.
    let _ = writeln!(
        io::stderr(),
        "{} cases for OpenBao {version}: {tally}\n  left out: {}",
        vectors.len(),
        left_out.join("; ")
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(tally.of("asked for") >= 120 && tally.of("refused texts") >= 13, "{tally}");
    assert!(left_out.len() <= 6, "{left_out:?}");
}

impl<'b> Bench<'b> {
    fn new(root: &'b VaultClient, release: Release) -> Self {
        root.approle("ci", &[], json!({}));
        let identity = bot::new(root);
        Self {
            root,
            release,
            identity,
            has_namespace: false,
            tally: Tally::default(),
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

    /// The case, or why it can't be asked.
    fn case<'v>(&self, vector: &'v Value) -> Result<Case<'v>, &'static str> {
        let request = &vector["request"];
        let operation = request["operation"].as_str().unwrap_or_default();
        if ["renew", "revoke", "rollback"].contains(&operation) {
            return Err("no request is this operation by itself");
        }
        let policies = vector["policies"].as_array().expect("a case has policies");
        if policies.len() > 1 && policies.iter().any(|policy| policy["name"] == "root") {
            return Err("a token of `root` and others becomes one of `root`");
        }
        if policies.iter().any(|policy| policy["text"].as_str().unwrap_or("").contains("aliases")) {
            return Err("what a login tells of an alias takes a login");
        }
        let opts_in = policies.iter().any(|policy| {
            policy.get("allow_slashes_in_identity_templates").is_some()
                || policy.get("allow_wildcards_in_identity_templates").is_some()
        });
        if opts_in {
            return Err("it is an option of the upload, and the evaluator's own tests have it");
        }
        let expected = &vector["expect"];
        // Lists, and what templates may put into a pattern, are as in Vault 1.15 to 1.20.
        let earlier = (self.release == Release::Earlier)
            .then(|| expected.get("vault-legacy"))
            .flatten()
            .filter(|earlier| earlier["parse"] == "ok" && operation != "scan");
        let Some(expected) = earlier.or(expected.get("openbao")) else {
            return Err("it says nothing of OpenBao");
        };
        let path = request["path"].as_str().expect("a request has a path");
        // A slash at the end of a list is the server's own.
        let mut asked = Asked::new(Operation::from_name(operation), path.to_owned());
        asked.data = request["data"].as_object().cloned();
        asked.wrap_ttl = request["wrap_ttl"].as_u64().and_then(|ttl| u32::try_from(ttl).ok());
        asked.by_query = vector["id"] == "ACL-115";
        Ok(Case {
            vector,
            id: vector["id"].as_str().expect("a case has a name"),
            namespace: request["namespace"].as_str().unwrap_or_default(),
            asked,
            expected,
        })
    }

    /// The namespace of some cases has the name of a mount of others, which come first.
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
                .all(|policy| acl(&[policy], Dialect::OpenBao, &Identity::default()).is_ok());
        }
        if accepted != wanted || ours != wanted {
            self.differ(case, &format!("the server takes it: {accepted}, the evaluator: {ours}"));
        }
        let (true, true, Ok(policies)) = (accepted, ours, read) else {
            self.tally.count("refused texts");
            return;
        };
        let policies: Vec<_> = policies.iter().collect();
        let token = self.token(case, &names);
        let templated = case.vector.get("identity").is_some();
        let nobody = Identity::default();
        let identity = if templated { self.identity.clone() } else { nobody };
        let dialect = match self.release {
            // Before 2.6.0 a template may put anything into a pattern.
            Release::Earlier if templated => Dialect::VaultLegacy,
            _ => Dialect::OpenBao,
        };
        let token_namespace = case.vector["token_namespace"].as_str().unwrap_or_default();
        let context = ServerContext {
            dialect,
            now: Timestamp::now(),
            identity: Some(&identity),
            token_namespace,
        };
        let acl = Acl::new(&policies, &context).expect("each was taken");
        self.compare_capabilities(case, &token, &acl);
        self.compare_request(case, &token, &acl);
    }

    fn compare_capabilities(&mut self, case: &Case<'_>, token: &str, acl: &Acl<'_>) {
        self.tally.count("capabilities");
        let path = self.path(case);
        let body = json!({ "token": token, "paths": [path] });
        let theirs = &self.operator(case).post("sys/capabilities", body)["data"][&path];
        let ours = match case.namespace {
            "" => self.release.capabilities(acl, &path),
            namespace => acl.capabilities(&path, namespace),
        };
        let ours = Value::from(ours);
        if *theirs != ours || *theirs != case.expected["capabilities"] {
            self.differ(case, &format!("capabilities {theirs}, ours {ours}"));
        }
    }

    fn compare_request(&mut self, case: &Case<'_>, token: &str, acl: &Acl<'_>) {
        let path = self.path(case);
        if path.contains("//") {
            // The server answers with another address, and judges nothing.
            return self.leave_out(case.id, "the request: two slashes in a path");
        }
        self.prepare(case, &path);
        let mut asked = case.asked.clone();
        asked.path.clone_from(&path);
        let judged = asked.judged();
        let mut request = asked.request(&judged);
        request.namespace = case.namespace;
        let protected = judged.starts_with("sys/audit");
        let ours = match case.namespace {
            "" => self.release.allows(acl, &request, protected),
            _ => acl.decide(&request).allowed,
        };
        let status = asked.status(&self.operator(case).with_token(token));
        self.tally.count("asked for");
        self.tally.count(if ours { "allowed" } else { "denied" });
        let mut theirs = let_through(status);
        if status == 500 && case.vector["policies"].to_string().contains("filter_path") {
            // Before 2.6.0 the server fails where it has nothing to filter: it got that far.
            theirs = Some(true);
        }
        let wanted = case.expected["allowed"].as_bool().expect("a case says what is allowed");
        if theirs != Some(ours) || ours != wanted {
            self.differ(case, &format!("{status}, ours: allowed {ours}, the case: {wanted}"));
        }
        if acl.decide(&request).root_privs != (case.expected["root_privs"] == true) {
            self.differ(case, "ours differs on `root_privs`");
        }
    }

    /// Everything is there but what is to be created.
    fn prepare(&self, case: &Case<'_>, path: &str) {
        let mount = path.split('/').next().unwrap_or_default();
        if ["sys", "auth"].contains(&mount) || !case.namespace.is_empty() {
            return;
        }
        let mounts = self.root.get("sys/mounts");
        if mounts["data"].get(format!("{mount}/")).is_none() {
            self.root.kv1(mount);
        }
        match case.asked.operation {
            _ if path.ends_with('/') || path == mount => {}
            Operation::Create => drop(self.root.delete(path)),
            _ => drop(self.root.post(path, json!({ "v": "1" }))),
        }
    }

    /// Its policies, their names on the server, and whether all were taken.
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
            return bot::token(self.root, &names);
        }
        let namespace = case.vector["token_namespace"].as_str().unwrap_or_default();
        self.within(namespace).token(&names, json!({ "no_default_policy": true }))
    }

    /// The path that is asked about: the server gave the group another id.
    fn path(&self, case: &Case<'_>) -> String {
        case.asked.path.replace("/g-1", &format!("/{}", self.identity.groups[0].id))
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
