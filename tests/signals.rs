//! Signals: an interrupted run prints its document, and an ignored signal stays ignored.
//!
//! The settings of signals are read from `/proc`.

use std::process::{Child, Command, Stdio};

use envlock_depot::Fault;
use envlock_testkit::{Output, TestMirror};

use crate::support::{BINARY, Lab, json};

/// A project whose index never arrives.
fn lab() -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    });
    let world = world.with_fault("*repodata*", Fault::Hang);
    Lab::new(world, "channels: [conda-forge]\ndependencies: [app]\n")
}

/// Whether a mask of signals in the status of a process has SIGINT.
fn has_interrupt(process: &Child, mask: &str) -> bool {
    let status = fs_err::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(mask)).unwrap();
    u64::from_str_radix(line.trim_start_matches(':').trim(), 16).unwrap() & 0b10 != 0
}

/// Starts a solve in a shell that first runs `before`, and waits for its request.
fn waiting(lab: &Lab, before: &str, args: &[&str]) -> Child {
    let envlock = lab.project.command([""; 0]);
    let variables = envlock.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mirrors = lab.world.mirror_args();
    let child = Command::new("sh")
        .args(["-c", &format!("{before}; exec \"$@\""), "sh", BINARY, "solve"])
        .args(mirrors)
        .args(args)
        .env_clear()
        .envs(variables)
        .current_dir(lab.project.root())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while lab.world.requests("*repodata*").is_empty() {
        std::thread::yield_now();
    }
    child
}

/// A solve that is interrupted while it waits.
pub(crate) fn interrupted(args: &[&str]) -> Output {
    let lab = lab();
    let child = waiting(&lab, ":", args);
    while !has_interrupt(&child, "SigCgt") {
        std::thread::yield_now();
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    child.wait_with_output().unwrap().into()
}

#[test]
fn an_interrupted_run_is_a_document_in_every_format() {
    for format in ["json", "sarif", "github", "gitlab"] {
        let output = interrupted(&["--format", format]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(130), ""), "{format}");
        match format {
            "json" => assert_eq!(json(&output.stdout)["exit"], "interrupted"),
            "sarif" => {
                let results = &json(&output.stdout)["runs"][0]["results"];
                assert_eq!(results[0]["ruleId"], "interrupted");
            }
            "github" => {
                assert!(output.stdout.starts_with("::error title=interrupted::"), "{output:?}");
            }
            _ => assert_eq!(json(&output.stdout)[0]["check_name"], "interrupted"),
        }
    }
    let output = interrupted(&[]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(130), ""));
    assert!(output.stderr.contains("error[interrupted]"), "{}", output.stderr);
}

#[test]
fn a_signal_that_the_parent_ignores_stays_ignored() {
    let lab = lab();
    let mut child = waiting(&lab, "trap '' INT", &["-q"]);
    assert!(has_interrupt(&child, "SigIgn"));
    assert!(!has_interrupt(&child, "SigCgt"));
    child.kill().unwrap();
    child.wait().unwrap();
}
