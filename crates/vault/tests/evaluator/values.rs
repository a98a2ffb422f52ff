//! Values of parameters: each that a rule may list against each that a request may send.

use std::io::{self, Write as _};

use envlock_policy::{Acl, Dialect, Identity, Operation, Policy};
use envlock_testkit::{VaultClient, skip_test};
use serde_json::{Map, Value, json};

use crate::ask::{Asked, let_through};
use crate::dice::Dice;
use crate::generate::Block;
use crate::judge::{acl, is_left_to_the_server, named, upload};
use crate::release::server;
use crate::tally::Tally;
use crate::text;

/// What a rule lists. JSON can't list all of it.
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

/// What a request sends.
fn sent() -> Vec<Value> {
    let more = [json!("ab"), json!("b a"), json!("A"), json!("密码"), json!(1.0), json!(1000)];
    let more = more.into_iter().chain([json!(null), json!(["b", "a"]), json!([["a", "b"]])]);
    listed().into_iter().chain(more).collect()
}

/// A block for each listed value, at a path of its own.
fn blocks(key: &'static str) -> Vec<Block> {
    let block = |(number, value): (usize, &Value)| {
        let parameters = Map::from_iter([("x".to_owned(), json!([value]))]);
        let words = json!(["create", "update", "patch"]);
        let keys = vec![("capabilities", words), (key, Value::Object(parameters))];
        Block { pattern: format!("kv/{key}/{number}"), keys }
    };
    listed().iter().enumerate().map(block).collect()
}

/// A block whose parameter is written as a label, where its value is an object.
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
    let Some((bao, version, _)) = server() else { return skip_test(what) };
    bao.kv1("kv");
    let mut tally = Tally::default();
    let mut differences = Vec::new();
    for key in ["allowed_parameters", "denied_parameters"] {
        let mut compare = |policy: &Policy, job: &VaultClient, path: String| {
            let policies = [policy];
            let acl = acl(&policies, Dialect::OpenBao, &Identity::default()).expect("it was taken");
            let found = compare_values(&acl, job, &path, &mut tally);
            differences
                .extend(found.into_iter().map(|text| format!("{key} {} {text}", policy.name())));
        };
        for (number, block) in blocks(key).iter().enumerate() {
            let path = block.pattern.clone();
            let hcl = text::hcl(&mut Dice::new(3), block, 3);
            for (notation, text) in [
                ("labelled", labelled(key, number, &path)),
                ("hcl", hcl),
                ("json", text::json(block)),
            ] {
                let name = format!("{key}-{number}-{notation}");
                let ours = named(&name, &text);
                let theirs = upload(&bao, &name, &text);
                match ours {
                    Ok(policy) if theirs == 204 => {
                        let options = json!({ "no_default_policy": true, "type": "batch" });
                        let job = bao.with_token(bao.token(&[&name], options));
                        compare(&policy, &job, path.clone());
                    }
                    Err(_) if theirs != 204 => {}
                    ours if is_left_to_the_server(&text, &ours) => {}
                    ours => panic!("{theirs}, ours: {ours:?}\n{text}"),
                }
            }
        }
    }
    // Past the capture of the test harness: it says what this test is worth.
    let _ = writeln!(io::stderr(), "values compared with OpenBao {version}: {tally}");
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences.join("\n"));
    assert!(tally.of("let through") > 400 && tally.of("refused") > 400, "{tally}");
}

fn compare_values(acl: &Acl<'_>, job: &VaultClient, path: &str, tally: &mut Tally) -> Vec<String> {
    let mut differences = Vec::new();
    for value in sent() {
        // It takes the same there whether the secret is there or not.
        let mut asked = Asked::new(Operation::Update, path.to_owned());
        asked.data = Some(Map::from_iter([("x".to_owned(), value.clone())]));
        let ours = acl.decide(&asked.request(path)).allowed;
        let theirs = let_through(asked.status(job));
        tally.count(if ours { "let through" } else { "refused" });
        if theirs != Some(ours) {
            let number = path.rsplit('/').next().and_then(|number| number.parse::<usize>().ok());
            let listed = number.and_then(|number| listed().get(number).cloned());
            differences.push(format!("{listed:?}, sent {value}: {theirs:?}, ours: {ours}"));
        }
    }
    differences
}
