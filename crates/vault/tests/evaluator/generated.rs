//! Uploads generated policies, and compares which requests the server and the evaluator allow.

use std::io::{self, Write as _};
use std::thread;

use envlock_policy::explain::explain;
use envlock_policy::{Acl, Dialect, Identity, Operation, Policy};
use envlock_testkit::{TestServer, VaultClient, skip_test};
use serde_json::{Value, json};

use crate::counts::Counts;
use crate::entity;
use crate::generate::{Case, Mounts};
use crate::policies::{acl, is_not_modelled, named, upload};
use crate::release::{allows, server};
use crate::request::{TestRequest, is_allowed};
use envlock_testkit::SeededRandom;

/// The number of cases of each client; each client has its own mounts.
const CLIENTS: u64 = 3;
const CASES: usize = 900;

/// Allows a token to request its capabilities. The evaluator gets the policy too.
const ASKER: &str = r#"path "sys/capabilities-self" { capabilities = ["update"] }"#;

/// A client with its mounts and its results.
struct Client<'b> {
    root: &'b VaultClient,
    dialect: Dialect,
    identity: &'b Identity,
    mounts: Mounts,
    counts: Counts,
    differences: Vec<String>,
}

#[test]
fn the_server_allows_the_same_requests_of_generated_policies_as_the_evaluator() {
    let what = "generated policies on a real server";
    let Some((bao, version, dialect)) = server() else { return skip_test(what) };
    bao.policy("asker", ASKER);
    let identity = entity::new(&bao);
    let clients: Vec<_> = thread::scope(|scope| {
        let start = |number| {
            let (root, identity): (&VaultClient, _) = (&bao, &identity);
            scope.spawn(move || {
                let mounts = Mounts { kv1: format!("kv{number}"), kv2: format!("docs{number}") };
                let mut client = Client::new(root, dialect, identity, mounts);
                let mut random = SeededRandom::new(number);
                for _ in 0..CASES {
                    let case = client.mounts.case(&mut random);
                    client.compare(&case);
                }
                client
            })
        };
        let running: Vec<_> = (1..=CLIENTS).map(start).collect();
        running.into_iter().map(|client| client.join().expect("the client doesn't panic")).collect()
    });
    let mut counts = Counts::default();
    for client in &clients {
        counts.add(&client.counts);
    }
    // Not captured by the test harness: the counts show what the test covers.
    let _ = writeln!(io::stderr(), "compared with OpenBao {version}: {counts}");
    let differences: Vec<_> = clients.iter().flat_map(|client| &client.differences).collect();
    let shown: Vec<_> = differences.iter().take(8).map(|text| text.as_str()).collect();
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), shown.join("\n"));
    assert_worth(&counts);
}

/// Asserts minimal counts: agreement only on denials would prove little.
fn assert_worth(counts: &Counts) {
    let at_least = [
        ("policies accepted", 5_000),
        ("capabilities", 15_000),
        ("capabilities granted", 6_000),
        ("allowed", 3_500),
        ("denied", 3_500),
        ("allowed by an exact rule", 500),
        ("denied by an exact rule", 500),
        ("allowed by a star", 500),
        ("denied by a star", 500),
        ("allowed by a plus", 500),
        ("denied by a plus", 500),
        ("allowed with hidden rules", 800),
        ("denied with hidden rules", 800),
        ("by merged blocks", 800),
        ("denied by parameters", 200),
        ("denied by wrapping", 100),
        ("allowed with conditions", 300),
        ("by templates", 150),
    ];
    for (what, least) in at_least {
        let count = counts.of(what);
        assert!(count >= least, "{what}: {count}, and at least {least} are required\n{counts}");
    }
}

impl<'b> Client<'b> {
    fn new(
        root: &'b VaultClient,
        dialect: Dialect,
        identity: &'b Identity,
        mounts: Mounts,
    ) -> Self {
        root.kv1(&mounts.kv1);
        root.kv2(&mounts.kv2);
        for name in Mounts::present() {
            root.secret(&mounts.kv1, &name, json!({ "v": TestServer::canary("kv1") }));
            root.secret(&mounts.kv2, &name, json!({ "v": TestServer::canary("kv2") }));
        }
        Self { root, dialect, identity, mounts, counts: Counts::default(), differences: Vec::new() }
    }

    fn compare(&mut self, case: &Case) {
        let mut policies =
            vec![Policy::parse("asker", "asker.hcl", ASKER).expect("a valid policy")];
        let mut names = vec!["asker".to_owned()];
        for text in &case.policies {
            let name = format!("{}-{}", self.mounts.kv1, self.counts.of("policies"));
            self.counts.count("policies");
            let ours = named(&name, text, self.dialect);
            let theirs = upload(self.root, &name, text);
            match ours {
                Ok(policy) if theirs == 204 => {
                    self.counts.count("policies accepted");
                    policies.push(policy);
                    names.push(name);
                }
                Err(_) if theirs != 204 => self.counts.count("policies rejected"),
                ours if is_not_modelled(text, &ours) => {
                    self.counts.count("policies not modelled");
                }
                ours => {
                    return self.differ(case, &format!("upload: {theirs}, ours: {ours:?}\n{text}"));
                }
            }
        }
        let policies: Vec<_> = policies.iter().collect();
        let acl = acl(&policies, self.dialect, self.identity).expect("all policies were accepted");
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let job = self.root.with_token(entity::token(self.root, &names));
        self.compare_capabilities(case, &job, &acl);
        for request in &case.requests {
            self.compare_request(case, &job, request, &acl);
        }
    }

    fn compare_capabilities(&mut self, case: &Case, job: &VaultClient, acl: &Acl<'_>) {
        let answer = job.post("sys/capabilities-self", json!({ "paths": case.paths }));
        for path in &case.paths {
            let theirs = &answer["data"][path.as_str()];
            let ours = acl.capabilities(path, "");
            self.counts.count("capabilities");
            if ours != ["deny"] {
                self.counts.count("capabilities granted");
            }
            if *theirs != Value::from(ours.clone()) {
                self.differ(case, &format!("capabilities of {path}: {theirs}, ours: {ours:?}"));
            }
        }
    }

    fn compare_request(
        &mut self,
        case: &Case,
        job: &VaultClient,
        sent: &TestRequest,
        acl: &Acl<'_>,
    ) {
        let path = sent.checked_path();
        let request = sent.request(&path);
        let protected = path.starts_with("sys/audit");
        let ours = allows(acl, &request, protected);
        let status = match sent.status(job) {
            // Before 2.6.0 the server fails if it has nothing to filter, after it allowed the request.
            500 if self.dialect == Dialect::OpenBaoLegacy && filters(case, sent) => 200,
            status => status,
        };
        self.counts.count(format!("{} requests", sent.operation.name()));
        self.counts.count_decision(ours, &explain(acl, &request, None));
        if is_allowed(status) != Some(ours) {
            self.differ(
                case,
                &format!("{sent:?}: {status}, ours: {}", explain(acl, &request, None)),
            );
        }
        if sent.operation == Operation::Create && status == 204 {
            // The secret is deleted for the next request.
            self.root.delete(&path);
        }
    }

    fn differ(&mut self, case: &Case, what: &str) {
        self.differences.push(format!("{what}\n{}\n", case.policies.join("----\n")));
    }
}

/// Whether the listed names may be filtered.
fn filters(case: &Case, request: &TestRequest) -> bool {
    let lists = matches!(request.operation, Operation::List | Operation::Scan);
    let mut policies = case.policies.iter();
    lists && policies.any(|text| text.contains("list_scan_response_keys_filter_path"))
}
