//! Compares the wrapping TTLs of two merged blocks.

use envlock_policy::{Identity, Operation};
use envlock_testkit::skip_test;
use serde_json::json;

use crate::counts::Counts;
use crate::policies::{acl, named, upload};
use crate::release::server;
use crate::request::{TestRequest, is_allowed};

const TIMES: [&str; 4] = ["", "-5s", "60s", "90s"];
const SENT: [Option<u32>; 5] = [None, Some(30), Some(60), Some(75), Some(120)];

/// A policy of two blocks with these minimal and maximal TTLs.
fn policy(times: [&str; 4]) -> String {
    let block = |[min, max]: [&str; 2]| {
        let key = |name, time: &str| match time {
            "" => String::new(),
            time => format!("  {name}_wrapping_ttl = \"{time}\"\n"),
        };
        let keys = key("min", min) + &key("max", max);
        format!("path \"kv/a\" {{\n  capabilities = [\"read\"]\n{keys}}}\n")
    };
    block([times[0], times[1]]) + &block([times[2], times[3]])
}

#[test]
fn every_pair_of_wrapping_ttls_is_merged_as_on_the_server() {
    let what = "wrapping TTLs on a real server";
    let Some((bao, _, dialect)) = server() else { return skip_test(what) };
    bao.kv1("kv");
    bao.secret("kv", "a", json!({ "v": "1" }));
    let (mut counts, mut differences) = (Counts::default(), Vec::new());
    for number in 0..TIMES.len().pow(4) {
        let times = [0, 1, 2, 3].map(|place| TIMES[number >> (2 * place) & 3]);
        let (name, text) = (format!("times-{number}"), policy(times));
        let ours = named(&name, &text, dialect);
        let theirs = upload(&bao, &name, &text);
        assert_eq!(ours.is_ok(), theirs == 204, "{theirs}, ours: {ours:?}\n{text}");
        let Ok(policy) = ours else {
            counts.count("refused");
            continue;
        };
        let policies = [&policy];
        let acl = acl(&policies, dialect, &Identity::default()).expect("the policy was accepted");
        let options = json!({ "no_default_policy": true, "type": "batch" });
        let job = bao.with_token(bao.token(&[&name], options));
        for wrap_ttl in SENT {
            let request =
                TestRequest { wrap_ttl, ..TestRequest::new(Operation::Read, "kv/a".to_owned()) };
            let ours = acl.decide(&request.request("kv/a")).allowed;
            counts.count(if ours { "allowed" } else { "denied" });
            if is_allowed(request.status(&job)) != Some(ours) {
                differences.push(format!("{times:?}, wrapped for {wrap_ttl:?}, ours: {ours}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let enough = ["refused", "allowed", "denied"].iter().all(|what| counts.of(what) >= 80);
    assert!(enough, "{counts}");
}
