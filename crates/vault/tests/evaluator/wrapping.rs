//! Times of wrapping, of two blocks that are united.

use envlock_policy::{Dialect, Identity, Operation};
use envlock_testkit::skip_test;
use serde_json::json;

use crate::ask::{Asked, let_through};
use crate::judge::{acl, named, upload};
use crate::release::server;
use crate::tally::Tally;

const TIMES: [&str; 4] = ["", "-5s", "60s", "90s"];
const SENT: [Option<u32>; 5] = [None, Some(30), Some(60), Some(75), Some(120)];

/// A policy of two blocks with these times, the lowest and highest of each.
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
fn every_pair_of_times_bounds_wrapping_as_on_the_server() {
    let what = "times of wrapping on a real server";
    let Some((bao, _, _)) = server() else { return skip_test(what) };
    bao.kv1("kv");
    bao.secret("kv", "a", json!({ "v": "1" }));
    let (mut tally, mut differences) = (Tally::default(), Vec::new());
    for number in 0..TIMES.len().pow(4) {
        let times = [0, 1, 2, 3].map(|place| TIMES[number >> (2 * place) & 3]);
        let (name, text) = (format!("times-{number}"), policy(times));
        let ours = named(&name, &text);
        let theirs = upload(&bao, &name, &text);
        assert_eq!(ours.is_ok(), theirs == 204, "{theirs}, ours: {ours:?}\n{text}");
        let Ok(policy) = ours else {
            tally.count("refused");
            continue;
        };
        let policies = [&policy];
        let acl = acl(&policies, Dialect::OpenBao, &Identity::default()).expect("it was taken");
        let options = json!({ "no_default_policy": true, "type": "batch" });
        let job = bao.with_token(bao.token(&[&name], options));
        for wrap_ttl in SENT {
            let asked = Asked { wrap_ttl, ..Asked::new(Operation::Read, "kv/a".to_owned()) };
            let ours = acl.decide(&asked.request("kv/a")).allowed;
            tally.count(if ours { "allowed" } else { "denied" });
            if let_through(asked.status(&job)) != Some(ours) {
                differences.push(format!("{times:?}, wrapped for {wrap_ttl:?}, ours: {ours}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    let enough = ["refused", "allowed", "denied"].iter().all(|what| tally.of(what) >= 80);
    assert!(enough, "{tally}");
}
