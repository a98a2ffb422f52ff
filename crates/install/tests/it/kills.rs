//! A process that dies at any moment of an install leaves the old environment or the new one,
//! and the next install ends what it left.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use envlock_install::verify;
use envlock_model::progress::{Event, NoProgress, Observer};

use crate::support::{Package, Request, TestCache, install, names};

/// Tells the child where it is and when to die.
const ROOT: &str = "ENVLOCK_TEST_ROOT";
const MOMENT: &str = "ENVLOCK_TEST_MOMENT";

fn packages(cache: &TestCache, version: &str) -> Vec<Package> {
    let package = |name: String| {
        (0..10).fold(cache.package(&name, version), |builder, file| {
            builder.file(&format!("share/{name}/{file}"), &format!("{version} {file}"))
        })
    };
    (0..8).map(|n| package(format!("p{n}")).build()).collect()
}

/// Dies at its nth event, with no chance to clean up.
struct Failing(AtomicUsize);

impl Observer for Failing {
    fn observe(&self, _: Event) {
        if self.0.fetch_sub(1, Ordering::Relaxed) == 0 {
            std::process::abort();
        }
    }
}

#[test]
#[ignore = "the child of the test below"]
fn child() {
    let Ok(root) = std::env::var(ROOT) else { return };
    let moment = std::env::var(MOMENT).unwrap().parse().unwrap();
    let text = std::fs::read_to_string(format!("{root}/request.json")).unwrap();
    let (prefix, records): (_, Vec<(_, _)>) = serde_json::from_str(&text).unwrap();
    let packages = records.into_iter().map(|(record, dir)| Package { record, dir }).collect();
    let mut request = TestCache::new().request("", packages);
    request.prefix = prefix;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(request.install(&Failing(AtomicUsize::new(moment)))).unwrap();
}

fn die(cache: &TestCache, request: &Request, moment: usize) -> bool {
    let records: Vec<_> =
        request.packages.iter().map(|package| (&package.record, &package.dir)).collect();
    let text = serde_json::to_string(&(&request.prefix, records)).unwrap();
    std::fs::write(cache.root.path().join("request.json"), text).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::child", "--ignored"])
        .env(ROOT, cache.root.path())
        .env(MOMENT, moment.to_string())
        .output()
        .unwrap();
    !output.status.success()
}

#[test]
fn whenever_it_is_killed_the_next_run_completes_or_reverts_it() {
    let mut deaths = 0;
    for moment in 0..24 {
        let cache = TestCache::new();
        install(&cache.request("env", packages(&cache, "1"))).unwrap();
        let next = cache.request("env", packages(&cache, "2"));
        deaths += usize::from(die(&cache, &next, moment));
        assert_eq!(
            verify(&next.prefix, 2, &NoProgress).unwrap().differences,
            [],
            "whole after moment {moment}"
        );
        let mut last = next;
        last.lock_digest = "last".into();
        install(&last).unwrap();
        assert_eq!(
            verify(&last.prefix, 2, &NoProgress).unwrap().differences,
            [],
            "right after moment {moment}"
        );
        let paths = names(&cache.root.path().join("envs"));
        assert_eq!(paths, [".env~lock", "env", "env~previous"]);
    }
    assert!(deaths >= 15, "only {deaths} deaths");
}
