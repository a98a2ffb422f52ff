//! A build with two archives: which of them may be installed, and what is recorded about it.

use std::fs;

use envlock_testkit::{Fault, TestChannel, TestMirror, parse_package};
use serde_json::Value;

use crate::support::{Lab, json, one_line};

const YML: &str = "channels: [conda-forge]\nplatforms: [linux-64]\ndependencies: [app]\n";

/// Adds a build of `app` whose program prints a word.
fn add(c: &mut TestChannel, word: &str) {
    let script = format!("#!/bin/sh\necho {word}\n");
    c.package(&parse_package("app 1.0").executable("bin/app", script));
}

fn conda(c: &mut TestChannel) {
    c.conda();
    add(c, "good");
}

fn tar_bz2(c: &mut TestChannel, word: &str) {
    c.tar_bz2();
    add(c, word);
}

/// A mirror that has both archives of one build.
fn both() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        conda(c);
        tar_bz2(c, "good");
    })
}

/// The record of `app` in the prefix.
fn installed_record(lab: &Lab) -> Value {
    let path = lab.prefix().join("conda-meta/app-1.0-0.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The block of the other archives in a lock.
fn other_archives(lock: &str) -> serde_yaml::Value {
    let document: serde_yaml::Value = serde_yaml::from_str(lock).unwrap();
    document["envlock"]["other-archives"].clone()
}

#[test]
fn a_foreign_archive_is_not_installed_whatever_the_index_of_a_mirror_says() {
    let world = TestMirror::new().channel("conda-forge", conda);
    let mut lab = Lab::solved(world, YML);
    assert!(other_archives(&lab.lock()).is_null());
    // The mirror loses the locked archive, and lists it next to a foreign one of the same build.
    lab.world.update_channel("conda-forge", |c| tar_bz2(c, "EVIL"));
    lab.world.add_fault("*/app-1.0-0.conda", Fault::status(404));
    for command in ["install", "fetch"] {
        let output = lab.with_mirrors(command, &["-q"]);
        assert_eq!(output.code, Some(3), "{command}");
        assert!(one_line(&output.stderr).contains("404 not found"), "{command}: {}", output.stderr);
    }
    let output = lab.with_mirrors("bundle", &["-q", "-o", "bundle"]);
    assert_eq!(output.code, Some(3));
    assert!(lab.world.requests("*.tar.bz2").is_empty());
    assert!(!lab.prefix().exists() && !lab.project.path("bundle/linux-64/repodata.json").exists());

    // A foreign archive in the cache of another project changes nothing.
    let other = Lab::new(TestMirror::new().channel("conda-forge", |c| tar_bz2(c, "EVIL")), YML);
    let cache = lab.project.cache().display().to_string();
    let other = other.env("ENVLOCK_CACHE_DIR", cache);
    other.solve(&["-q"]).success();
    other.with_mirrors("fetch", &["-q"]).success();
    assert_eq!(lab.install(&["-q"]).code, Some(3));
    assert_eq!(lab.install(&["-q", "--offline"]).code, Some(3));
    assert!(!lab.prefix().exists());
}

#[test]
fn the_archive_that_served_is_recorded_and_every_install_that_uses_it_warns() {
    let lab = Lab::solved(both(), YML);
    let archives = other_archives(&lab.lock());
    assert_eq!(archives.as_mapping().unwrap().len(), 1, "{}", lab.lock());
    lab.world.add_fault("*/app-1.0-0.conda", Fault::status(404));
    lab.world.clear_requests();

    let output = lab.install(&["-q"]);
    let warning = "warning[other-archive-used]: app-1.0-0.tar.bz2 was used instead of";
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(one_line(&output.stderr).contains(warning), "{}", output.stderr);
    assert!(lab.world.requests("*repodata*").is_empty());
    assert_eq!(lab.envlock(&["run", "app"]).success(), "good\n");

    let record = installed_record(&lab);
    let locked = archives.as_mapping().unwrap().values().next().unwrap();
    assert_eq!(record["sha256"].as_str(), locked["sha256"].as_str());
    assert_eq!(record["size"].as_u64(), locked["size"].as_u64());
    assert_eq!(record["fn"], "app-1.0-0.tar.bz2");
    assert!(record["url"].as_str().unwrap().ends_with("/linux-64/app-1.0-0.tar.bz2"));
    lab.envlock(&["verify", "-q"]).success();

    // The prefix is what the lock describes: nothing is left to do.
    let again = json(&lab.install(&["-q", "--format", "json"]).stdout);
    assert_eq!(again["result"]["changed"], false, "{again}");
    let forced = json(&lab.install(&["-q", "--replace", "--offline", "--format", "json"]).stdout);
    let codes: Vec<_> = forced["findings"].as_array().unwrap().iter().map(|f| &f["code"]).collect();
    assert!(codes.contains(&&Value::from("other-archive-used")), "{forced}");
}

#[test]
fn a_bundle_with_the_other_archive_installs_without_a_network() {
    let lab = Lab::solved(both(), YML);
    lab.world.add_fault("*/app-1.0-0.conda", Fault::status(404));
    let output = lab.with_mirrors("bundle", &["-q", "-o", "bundle"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("other-archive-used"), "{}", output.stderr);
    let bundle = lab.project.path("bundle");
    assert!(bundle.join("linux-64/app-1.0-0.tar.bz2").is_file());
    assert!(!bundle.join("linux-64/app-1.0-0.conda").exists());
    fs::remove_dir_all(lab.project.cache()).unwrap();
    let mirror = format!("https://conda.anaconda.org/conda-forge/=file://{}/", bundle.display());
    lab.envlock(&["install", "-q", "--offline", "--mirror", &mirror]).success();
    assert_eq!(lab.envlock(&["run", "app"]).success(), "good\n");
}

#[test]
fn a_lock_without_other_archives_is_read_and_gets_them_at_the_next_solve() {
    let lab = Lab::solved(both(), YML);
    let whole = lab.lock();
    let start = whole.find("  other-archives:\n").unwrap();
    let without = whole[..start].to_owned();
    lab.project.write("envlock.lock", &without);
    lab.envlock(&["solve", "--check", "-q"]).success();
    lab.world.add_fault("*/app-1.0-0.conda", Fault::status(404));
    assert_eq!(lab.install(&["-q"]).code, Some(3));
    assert!(lab.world.requests("*.tar.bz2").is_empty());
    lab.world.clear_faults();
    lab.install(&["-q"]).success();
    lab.solve(&["-q"]).success();
    assert_eq!(lab.lock(), whole);
    lab.solve(&["-q"]).success();
    assert_eq!(lab.lock(), whole);
}

#[test]
fn a_solve_keeps_the_digest_that_the_lock_has_and_an_upgrade_takes_that_of_the_index() {
    let mut lab = Lab::solved(both(), YML);
    let before = other_archives(&lab.lock());
    lab.world.update_channel("conda-forge", |c| tar_bz2(c, "EVIL"));
    lab.solve(&["-q"]).success();
    assert_eq!(other_archives(&lab.lock()), before);
    lab.solve(&["-q", "--upgrade"]).success();
    assert_ne!(other_archives(&lab.lock()), before);
}

#[test]
fn malformed_other_archives_are_an_error_at_their_place() {
    let lab = Lab::solved(both(), YML);
    let whole = lab.lock();
    let start = whole.find("  other-archives:\n").unwrap();
    let (before, block) = whole.split_at(start);
    let sha256 = block.split("sha256: ").nth(1).unwrap().lines().next().unwrap();
    for (from, to, code) in [
        (sha256, "abc", "lock-malformed"),
        ("sha256: ", "sha-256: ", "lock-malformed"),
        ("    https:", "    - https:", "lock-malformed"),
        ("app-1.0-0.conda", "other-1.0-0.conda", "lock-inconsistent"),
    ] {
        let text = before.to_owned() + &block.replacen(from, to, 1);
        lab.project.write("envlock.lock", &text);
        let output = lab.envlock(&["solve", "--check", "-q"]);
        assert_eq!(output.code, Some(2), "{to}: {}", output.stderr);
        assert!(output.stderr.contains(&format!("error[{code}]")), "{to}: {}", output.stderr);
        assert!(output.stderr.contains("envlock.lock:"), "{to}: {}", output.stderr);
    }
}
