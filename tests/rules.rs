//! `--deny`, `deny` and `allow:` mean the same in every command: in the summary, in the exit
//! code, in every format.

use envlock_testkit::TestMirror;

use crate::support::{Lab, json};

const YML: &str = "chanels: [x]\nchannels: [conda-forge]\ndependencies:\n  - app\n";

fn lab() -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    });
    Lab::new(world, YML)
}

const MANIFEST: &str = "\
version: 1
policies: {ci: {file: ci.hcl}, old: {file: old.hcl}}
needs:
  db: {engine: kv2, mount: secret, path: db, fields: {password: DB_PASSWORD}}
profiles:
  ci: {attach: [ci]}
";

/// A project whose policy `old` is attached to nothing.
fn with_manifest(rules: &str) -> Lab {
    let lab = lab();
    lab.project.write("secrets.yml", format!("{MANIFEST}{rules}"));
    lab.project.write("ci.hcl", "path \"secret/data/db\" { capabilities = [\"read\"] }\n");
    lab.project.write("old.hcl", "path \"secret/data/old\" { capabilities = [\"read\"] }\n");
    lab
}

const CHECK: &[&str] = &["check-secrets", "--offline", "--manifest", "secrets.yml"];

#[test]
fn a_denied_warning_is_an_error_in_every_command() {
    let lab = lab();
    let denied = lab.solve(&["--deny", "warnings", "--format", "json"]);
    let document = json(&denied.stdout);
    assert_eq!((denied.code, &document["exit"]), (Some(1), &"findings".into()));
    assert_eq!(document["summary"]["errors"], 1, "{document:#}");
    assert_eq!(document["summary"]["warnings"], 0);
    assert_eq!(document["result"]["written"], true);
    assert_eq!(lab.solve(&["--deny", "unused-policy"]).code, Some(0));

    let lab = with_manifest("");
    let denied = lab.envlock(&[CHECK, &["--deny", "unused-policy"]].concat());
    assert_eq!(denied.code, Some(1));
    assert!(denied.stderr.contains("error[unused-policy]"), "{}", denied.stderr);
    assert!(denied.stdout.ends_with("1 error, 0 warnings, 0 notes\n"), "{}", denied.stdout);
}

#[test]
fn an_unknown_code_can_not_be_denied() {
    let lab = lab();
    let wrong = lab.envlock(&["solve", "--deny", "unused-polcy"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("did you mean `unused-policy`?"), "{}", wrong.stderr);
    lab.project.write("envlock.toml", "deny = [\"warnigs\"]\n");
    for command in [&["solve"][..], &["verify"], CHECK] {
        let wrong = lab.envlock(command);
        assert_eq!(wrong.code, Some(2));
        assert!(wrong.stderr.contains("--> envlock.toml:1:9"), "{}", wrong.stderr);
        assert!(wrong.stderr.contains("`warnings`"), "{}", wrong.stderr);
    }
}

#[test]
fn envlock_toml_denies_for_every_command() {
    let lab = with_manifest("");
    lab.project.write("envlock.toml", "deny = [\"warnings\"]\n");
    let denied = lab.envlock(CHECK);
    assert_eq!(denied.code, Some(1));
    assert!(denied.stderr.contains("`deny` of envlock.toml makes this an error"));
    assert_eq!(lab.solve(&[]).code, Some(1));
}

#[test]
fn deny_of_the_manifest_is_counted_in_the_summary_too() {
    let lab =
        with_manifest("deny: [secret-in-variable]\n").env("DB_PASSWORD", "hvs.CAESIJ0123456789");
    let denied = lab.envlock(&[CHECK, &["--format", "json"]].concat());
    let document = json(&denied.stdout);
    assert_eq!((denied.code, &document["summary"]["errors"]), (Some(1), &1.into()));
}

#[test]
fn an_exception_for_a_policy_covers_its_finding_until_it_expires() {
    let allow = |until: &str| {
        format!(
            "allow:\n  - {{finding: unused-policy, policy: old, reason: soon, until: {until}}}\n"
        )
    };
    let ask =
        |until| with_manifest(&allow(until)).envlock(&[CHECK, &["--deny", "warnings"]].concat());
    let allowed = ask("2999-12-31");
    assert_eq!(allowed.code, Some(0), "{}", allowed.stderr);
    assert!(allowed.stderr.contains("note[unused-policy]"), "{}", allowed.stderr);
    let over = ask("2020-01-01");
    assert_eq!(over.code, Some(1));
    assert!(over.stderr.contains("it was accepted until 2020-01-01"), "{}", over.stderr);
}

#[test]
fn an_interrupted_run_and_a_wrong_command_line_have_the_same_envelope() {
    let lab = lab();
    let usage = json(&lab.envlock(&["solve", "--nonsense", "--format", "json"]).stdout).clone();
    let solved = json(&lab.solve(&["--format", "json"]).stdout).clone();
    let keys = |document: &serde_json::Value| {
        document.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&usage), keys(&solved));
}
