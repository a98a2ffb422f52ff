//! A process that dies at any moment of an install leaves the old environment or the new one,
//! and the next install ends what it left.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use envlock_install::verify;
use envlock_model::progress::{Event, NoProgress, Observer};

use crate::support::{Package, Request, World, install, names};

/// Tells the child where it is and when to die.
const ROOT: &str = "ENVLOCK_TEST_ROOT";
const MOMENT: &str = "ENVLOCK_TEST_MOMENT";

fn packages(world: &World, version: &str) -> Vec<Package> {
    let package = |name: String| {
        (0..10).fold(world.package(&name, version), |builder, file| {
            builder.file(&format!("share/{name}/{file}"), &format!("{version} {file}"))
        })
    };
    (0..8).map(|n| package(format!("p{n}")).done()).collect()
}

/// Dies at its nth event, with no chance to clean up.
struct Mortal(AtomicUsize);

impl Observer for Mortal {
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
    let text = std::fs::read_to_string(format!("{root}/wanted.json")).unwrap();
    let (prefix, records): (_, Vec<(_, _)>) = serde_json::from_str(&text).unwrap();
    let packages = records.into_iter().map(|(record, dir)| Package { record, dir }).collect();
    let mut wanted = World::new().wanted("", packages);
    wanted.prefix = prefix;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(wanted.install(&Mortal(AtomicUsize::new(moment)))).unwrap();
}

fn die(world: &World, wanted: &Request, moment: usize) -> bool {
    let records: Vec<_> =
        wanted.packages.iter().map(|package| (&package.record, &package.dir)).collect();
    let text = serde_json::to_string(&(&wanted.prefix, records)).unwrap();
    std::fs::write(world.root.path().join("wanted.json"), text).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kills::child", "--ignored"])
        .env(ROOT, world.root.path())
        .env(MOMENT, moment.to_string())
        .output()
        .unwrap();
    !output.status.success()
}

#[test]
fn whenever_it_dies_the_next_run_makes_it_right() {
    let mut deaths = 0;
    for moment in 0..24 {
        let world = World::new();
        install(&world.wanted("env", packages(&world, "1"))).unwrap();
        let next = world.wanted("env", packages(&world, "2"));
        deaths += usize::from(die(&world, &next, moment));
        assert_eq!(
            verify(&next.prefix, 2, &NoProgress).unwrap().differences,
            [],
            "whole after moment {moment}"
        );
        let mut last = next;
        last.stamp = "last".into();
        install(&last).unwrap();
        assert_eq!(
            verify(&last.prefix, 2, &NoProgress).unwrap().differences,
            [],
            "right after moment {moment}"
        );
        let paths = names(&world.root.path().join("envs"));
        assert_eq!(paths, [".env~lock", "env", "env~previous"]);
    }
    assert!(deaths >= 15, "only {deaths} deaths");
}
