//! Policies by dice, uploaded, and what they let through.

use std::io::{self, Write as _};
use std::thread;

use envlock_policy::explain::explain;
use envlock_policy::{Acl, Dialect, Identity, Operation, Policy};
use envlock_testkit::{TestServer, VaultClient, skip_test};
use serde_json::{Value, json};

use crate::ask::{Asked, let_through};
use crate::bot;
use crate::dice::Dice;
use crate::generate::{Case, Ground};
use crate::judge::{acl, is_left_to_the_server, named, upload};
use crate::release::{Release, server};
use crate::tally::Tally;

/// What each of some clients does on mounts of its own.
const CLIENTS: u64 = 3;
const CASES: usize = 900;

/// Lets a token ask for its own capabilities. The evaluator gets it as well.
const ASKER: &str = r#"path "sys/capabilities-self" { capabilities = ["update"] }"#;

/// One client: its server, its mounts, and what it has found.
struct Client<'b> {
    root: &'b VaultClient,
    release: Release,
    bot: &'b Identity,
    ground: Ground,
    tally: Tally,
    differences: Vec<String>,
}

#[test]
fn what_generated_policies_let_through_is_what_the_evaluator_says() {
    let what = "generated policies on a real server";
    let Some((bao, version, release)) = server() else { return skip_test(what) };
    bao.policy("asker", ASKER);
    let bot = bot::new(&bao);
    let clients: Vec<_> = thread::scope(|scope| {
        let start = |number| {
            let (root, bot): (&VaultClient, _) = (&bao, &bot);
            scope.spawn(move || {
                let ground = Ground { kv1: format!("kv{number}"), kv2: format!("docs{number}") };
                let mut client = Client::new(root, release, bot, ground);
                let mut dice = Dice::new(number);
                for _ in 0..CASES {
                    let case = client.ground.case(&mut dice);
                    client.compare(&case);
                }
                client
            })
        };
        let running: Vec<_> = (1..=CLIENTS).map(start).collect();
        running.into_iter().map(|client| client.join().expect("it doesn't panic")).collect()
    });
    let mut tally = Tally::default();
    for client in &clients {
        tally.add(&client.tally);
    }
    // Past the capture of the test harness: it says what this test is worth.
    let _ = writeln!(io::stderr(), "compared with OpenBao {version}: {tally}");
    let differences: Vec<_> = clients.iter().flat_map(|client| &client.differences).collect();
    let shown: Vec<_> = differences.iter().take(8).map(|text| text.as_str()).collect();
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), shown.join("\n"));
    assert_worth(&tally, release);
}

/// Agreement on nothing but refusals would prove little.
fn assert_worth(tally: &Tally, release: Release) {
    let at_least = [
        ("policies taken", 5_000),
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
        ("by united blocks", 800),
        ("denied by parameters", 200),
        ("denied by wrapping", 100),
        ("allowed with conditions", 300),
        ("by templates", 150),
        ("as Vault 1.15 to 1.20", if release == Release::Earlier { 3_000 } else { 0 }),
    ];
    for (what, least) in at_least {
        let count = tally.of(what);
        assert!(count >= least, "{what}: {count}, and {least} would be worth something\n{tally}");
    }
}

impl<'b> Client<'b> {
    fn new(root: &'b VaultClient, release: Release, bot: &'b Identity, ground: Ground) -> Self {
        root.kv1(&ground.kv1);
        root.kv2(&ground.kv2);
        for name in Ground::present() {
            root.secret(&ground.kv1, &name, json!({ "v": TestServer::canary("kv1") }));
            root.secret(&ground.kv2, &name, json!({ "v": TestServer::canary("kv2") }));
        }
        Self { root, release, bot, ground, tally: Tally::default(), differences: Vec::new() }
    }

    fn compare(&mut self, case: &Case) {
        let mut policies = vec![Policy::parse("asker", "asker.hcl", ASKER).expect("it is one")];
        let mut names = vec!["asker".to_owned()];
        for text in &case.policies {
            let name = format!("{}-{}", self.ground.kv1, self.tally.of("policies"));
            self.tally.count("policies");
            let ours = named(&name, text);
            let theirs = upload(self.root, &name, text);
            match ours {
                Ok(policy) if theirs == 204 => {
                    self.tally.count("policies taken");
                    policies.push(policy);
                    names.push(name);
                }
                Err(_) if theirs != 204 => self.tally.count("policies refused"),
                ours if is_left_to_the_server(text, &ours) => {
                    self.tally.count("policies left to the server");
                }
                ours => {
                    return self.differ(case, &format!("upload: {theirs}, ours: {ours:?}\n{text}"));
                }
            }
        }
        let policies: Vec<_> = policies.iter().collect();
        let legacy = acl(&policies, Dialect::VaultLegacy, self.bot);
        let legacy = legacy.ok().filter(|_| self.release == Release::Earlier);
        let acl = acl(&policies, Dialect::OpenBao, self.bot).expect("each was accepted");
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let job = self.root.with_token(bot::token(self.root, &names));
        self.compare_capabilities(case, &job, &acl, legacy.as_ref());
        for asked in &case.requests {
            self.compare_request(case, &job, asked, &acl, legacy.as_ref());
        }
    }

    fn compare_capabilities(
        &mut self,
        case: &Case,
        job: &VaultClient,
        acl: &Acl<'_>,
        legacy: Option<&Acl<'_>>,
    ) {
        let answer = job.post("sys/capabilities-self", json!({ "paths": case.paths }));
        for path in &case.paths {
            let theirs = &answer["data"][path.as_str()];
            let ours = self.release.capabilities(acl, path);
            self.tally.count("capabilities");
            if ours != ["deny"] {
                self.tally.count("capabilities granted");
            }
            if *theirs != Value::from(ours.clone()) {
                self.differ(case, &format!("capabilities of {path}: {theirs}, ours: {ours:?}"));
            }
            let Some(legacy) = legacy else { continue };
            self.tally.count("as Vault 1.15 to 1.20");
            let ours = legacy.capabilities(path, "");
            if *theirs != Value::from(ours.clone()) {
                let what = format!("capabilities of {path}: {theirs}, vault-legacy: {ours:?}");
                self.differ(case, &what);
            }
        }
    }

    fn compare_request(
        &mut self,
        case: &Case,
        job: &VaultClient,
        asked: &Asked,
        acl: &Acl<'_>,
        legacy: Option<&Acl<'_>>,
    ) {
        let path = asked.judged();
        let request = asked.request(&path);
        let protected = path.starts_with("sys/audit");
        let ours = self.release.allows(acl, &request, protected);
        let status = match asked.status(job) {
            // Before 2.6.0 the server fails where it has nothing to filter: it got that far.
            500 if self.release == Release::Earlier && filters(case, asked) => 200,
            status => status,
        };
        self.tally.count(format!("{} asked for", asked.operation.name()));
        self.tally.count_decision(ours, &explain(acl, &request));
        if let_through(status) != Some(ours) {
            self.differ(case, &format!("{asked:?}: {status}, ours: {}", explain(acl, &request)));
        }
        let legacy = legacy.filter(|_| asked.operation == Operation::List && !protected);
        if legacy.is_some_and(|acl| Some(acl.decide(&request).allowed) != let_through(status)) {
            self.differ(case, &format!("{asked:?}: {status}, and not so by vault-legacy"));
        }
        if asked.operation == Operation::Create && status == 204 {
            // For whoever is next it isn't there again.
            self.root.delete(&path);
        }
    }

    fn differ(&mut self, case: &Case, what: &str) {
        self.differences.push(format!("{what}\n{}\n", case.policies.join("----\n")));
    }
}

/// Whether the names that are listed may be filtered.
fn filters(case: &Case, asked: &Asked) -> bool {
    let lists = matches!(asked.operation, Operation::List | Operation::Scan);
    let mut policies = case.policies.iter();
    lists && policies.any(|text| text.contains("list_scan_response_keys_filter_path"))
}
