//! Compares values of parameters: each value of a rule with each value of a request.

use std::io::{self, Write as _};

use envlock_policy::{Acl, Identity, Operation, Policy};
use envlock_testkit::{VaultClient, skip_test};
use serde_json::{Map, Value, json};

use crate::counts::Counts;
use crate::generate::Block;
use crate::notation;
use crate::policies::{acl, is_not_modelled, named, upload};
use crate::release::server;
use crate::request::{TestRequest, is_allowed};
use envlock_testkit::SeededRandom;

/// The values of a rule. JSON can't write all of them.
fn listed() -> Vec<Value> {
    let mut values = ["", "1", "*", "**", "a*", "*a", "*a*", "a", "a,b", "true", "1.5", "密*"]
        .map(Value::from)
        .to_vec();
    values.extend([json!(1), json!(-1), json!(1.5), json!(1e3), json!(true), json!(false)]);
    values.extend([json!(["a", "b"]), json!([1]), json!([]), json!([["a"]]), json!([true])]);
    values.extend([json!({ "k": "v" }), json!({}), json!({ "k": { "l": "v" } })]);
    values.extend([json!({ "k": ["v"] }), json!({ "k": 1 }), json!([{ "k": "v" }])]);
    values
}

/// The values of a request.
fn sent() -> Vec<Value> {
    let more = [json!("ab"), json!("b a"), json!("A"), json!("密码"), json!(1.0), json!(1000)];
    let more = more.into_iter().chain([json!(null), json!(["b", "a"]), json!([["a", "b"]])]);
    listed().into_iter().chain(more).collect()
}

/// Writes a block for each value, each with a separate path.
fn blocks(key: &'static str) -> Vec<Block> {
    let block = |(number, value): (usize, &Value)| {
        let parameters = Map::from_iter([("x".to_owned(), json!([value]))]);
        let words = json!(["create", "update", "patch"]);
        let keys = vec![("capabilities", words), (key, Value::Object(parameters))];
        Block { pattern: format!("kv/{key}/{number}"), keys }
    };
    listed().iter().enumerate().map(block).collect()
}

/// Writes a block whose parameter is a label, if its value is an object.
fn labelled(key: &str, number: usize, path: &str) -> String {
    let words = "capabilities = [\"create\", \"update\", \"patch\"]";
    let keys = match listed()[number].as_object().map(|object| object.iter().next()) {
        Some(Some((name, value))) => format!("{key} \"X\" {{ \"{name}\" = {value} }}"),
        Some(None) => format!("{key} \"X\" {{ }}"),
        None => String::new(),
    };
    format!("path \"{path}\" {{\n{words}\n{keys}\n}}\n")
}

#[test]
fn every_value_is_compared_as_the_server_does() {
    let what = "values of parameters on a real server";
    let Some((bao, version, dialect)) = server() else { return skip_test(what) };
    bao.kv1("kv");
    let mut counts = Counts::default();
    let mut differences = Vec::new();
    for key in ["allowed_parameters", "denied_parameters"] {
        let mut compare = |policy: &Policy, job: &VaultClient, path: String| {
            let policies = [policy];
            let acl =
                acl(&policies, dialect, &Identity::default()).expect("the policy was accepted");
            let found = compare_values(&acl, job, &path, &mut counts);
            differences
                .extend(found.into_iter().map(|text| format!("{key} {} {text}", policy.name())));
        };
        for (number, block) in blocks(key).iter().enumerate() {
            let path = block.pattern.clone();
            let hcl = notation::hcl(&mut SeededRandom::new(3), block, 3);
            for (notation, text) in [
                ("labelled", labelled(key, number, &path)),
                ("hcl", hcl),
                ("json", notation::json(block)),
            ] {
                let name = format!("{key}-{number}-{notation}");
                let ours = named(&name, &text, dialect);
                let theirs = upload(&bao, &name, &text);
                match ours {
                    Ok(policy) if theirs == 204 => {
                        let options = json!({ "no_default_policy": true, "type": "batch" });
                        let job = bao.with_token(bao.token(&[&name], options));
                        compare(&policy, &job, path.clone());
                    }
                    Err(_) if theirs != 204 => {}
                    ours if is_not_modelled(&text, &ours) => {}
                    ours => panic!("{theirs}, ours: {ours:?}\n{text}"),
                }
            }
        }
    }
    // Not captured by the test harness: the counts show what the test covers.
    let _ = writeln!(io::stderr(), "values compared with OpenBao {version}: {counts}");
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
    assert!(counts.of("allowed") > 400 && counts.of("denied") > 400, "{counts}");
}

fn compare_values(
    acl: &Acl<'_>,
    job: &VaultClient,
    path: &str,
    counts: &mut Counts,
) -> Vec<String> {
    let mut differences = Vec::new();
    for value in sent() {
        // The required capability is the same whether the secret exists or not.
        let mut request = TestRequest::new(Operation::Update, path.to_owned());
        request.data = Some(Map::from_iter([("x".to_owned(), value.clone())]));
        let ours = acl.decide(&request.request(path)).allowed;
        let theirs = is_allowed(request.status(job));
        counts.count(if ours { "allowed" } else { "denied" });
        if theirs != Some(ours) {
            let number = path.rsplit('/').next().and_then(|number| number.parse::<usize>().ok());
            let listed = number.and_then(|number| listed().get(number).cloned());
            differences.push(format!("{listed:?}, sent {value}: {theirs:?}, ours: {ours}"));
        }
    }
    differences
}
