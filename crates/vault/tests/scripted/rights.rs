//! The capabilities of a token, as the server returns them.

use std::collections::{BTreeMap, BTreeSet};

use envlock_secrets::facts::{Fact, UnknownReason};
use envlock_testkit::ScriptedAnswer;
use serde_json::{Value, json};

use crate::support::{CAPABILITIES, DB, TestJob, count, server};

const DB_PATH: &str = "secret/data/ml/db";

fn rights(answer: ScriptedAnswer) -> Fact<BTreeMap<String, BTreeSet<String>>> {
    let script = server("imitates a server with rights of its own").answer_on(
        "POST",
        "sys/capabilities-self",
        answer,
    );
    let facts = TestJob::on(&script).facts();
    assert_eq!(count(&script, CAPABILITIES), 1);
    facts.capabilities
}

fn of(path: &str, names: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    [(path.to_owned(), names.iter().map(|name| (*name).to_owned()).collect())].into()
}

#[test]
fn unknown_capabilities_are_kept() {
    for names in [vec!["read", "recover", "subscribe"], vec!["deny"], vec!["root"], vec![]] {
        let answer = ScriptedAnswer::data(json!({ DB_PATH: names }));
        assert_eq!(rights(answer), Ok(of(DB_PATH, &names)));
    }
}

#[test]
fn a_missing_path_has_no_rights_and_other_paths_are_ignored() {
    let other = json!({ "secret/data/other": ["read"], "capabilities": ["read"] });
    assert_eq!(rights(ScriptedAnswer::data(other)), Ok(BTreeMap::new()));
    let with_slash = json!({ "/secret/data/ml/db": ["root"], "secret/data/ml/db/": ["root"] });
    assert_eq!(rights(ScriptedAnswer::data(with_slash)), Ok(BTreeMap::new()));
}

#[test]
fn other_keys_of_the_answer_are_ignored_and_grant_nothing() {
    let junk = json!({
        DB_PATH: ["read"],
        "request_id": "canary",
        "number": 7,
        "nested": { "a": ["canary"] },
        "empty": Value::Null,
    });
    assert_eq!(rights(ScriptedAnswer::data(junk)), Ok(of(DB_PATH, &["read"])));
    for right in [json!("read"), json!({ "read": true }), json!([7]), json!(true), Value::Null] {
        assert_eq!(rights(ScriptedAnswer::data(json!({ DB_PATH: right }))), Ok(BTreeMap::new()));
    }
}

#[test]
fn without_an_answer_about_capabilities_nothing_is_allowed() {
    for (answer, unknown) in [
        (ScriptedAnswer::errors(403, &["permission denied"]), UnknownReason::Forbidden),
        (ScriptedAnswer::errors(404, &[]), UnknownReason::Unsupported),
        (ScriptedAnswer::errors(405, &["unsupported operation"]), UnknownReason::Unsupported),
        (ScriptedAnswer::errors(400, &["paths must be supplied"]), UnknownReason::Unsupported),
    ] {
        assert_eq!(rights(answer), Err(unknown));
    }
}

#[test]
fn the_paths_of_a_profile_are_sent_in_as_few_requests_as_possible() {
    let needs: Vec<_> = (0..250).map(|at| (format!("n{at}"), format!("ml/n{at}"))).collect();
    let needs: Vec<_> = needs
        .iter()
        .map(|(name, path)| {
            (name.as_str(), format!("{{engine: kv2, mount: secret, path: {path}}}"))
        })
        .collect();
    let needs: Vec<_> = needs.iter().map(|(name, need)| (*name, need.as_str())).collect();
    let script = server("imitates a server in development");
    let facts = TestJob::on(&script).with_needs(&needs).facts();
    assert_eq!(facts.capabilities.unwrap().len(), 250);
    assert_eq!((count(&script, CAPABILITIES), facts.needs.len()), (2, 250));
    assert_eq!(count(&script, crate::support::MOUNT), 1);
}

#[test]
fn every_path_is_sent_as_the_job_would_request_it() {
    let script = server("imitates a server in development");
    let listing = DB.replace("path: ml/db", "path: ml/db, capabilities: [list]");
    let leased = "{engine: database, mount: database, role: ro, ttl: {renew: until 12h}}";
    TestJob::on(&script).with_needs(&[("db", &listing), ("lease", leased)]).facts();
    let request =
        script.requests().into_iter().find(|r| r.path == "sys/capabilities-self").unwrap();
    assert_eq!(
        request.body["paths"],
        json!(["database/creds/ro", DB_PATH, "secret/metadata/ml/db/", "sys/leases/renew"])
    );
}
