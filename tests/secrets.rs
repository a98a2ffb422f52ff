//! The secrets manifest with the program: every fixture of `fixtures/secrets`, the lock, the
//! policies, the formats.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use envlock_testkit::{Output, TestMirror};
use serde_json::Value;

use crate::support::{BINARY, Lab};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/secrets")
}

/// Runs the program in a fixture's directory, without this environment.
fn envlock(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(BINARY)
        .args(args)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn expected(folder: &Path) -> (BTreeSet<String>, i32) {
    let text = std::fs::read_to_string(folder.join("expected.yml")).unwrap();
    let line = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        line[key.len()..].trim_matches([' ', '[', ']', ':']).to_owned()
    };
    let codes = line("codes");
    let codes = codes.split(',').map(str::trim).filter(|code| !code.is_empty());
    (codes.map(str::to_owned).collect(), line("exit").parse().unwrap())
}

fn codes(json: &str) -> BTreeSet<String> {
    let document: Value = serde_json::from_str(json).unwrap();
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// The arguments for a fixture, by the file in its directory.
fn question(folder: &Path) -> Vec<&'static str> {
    let judged = ["check-secrets", "--offline", "--at", "2026-11-23T00:00:00Z", "--manifest"];
    for manifest in ["secrets.yml", "environment.yml"] {
        if folder.join(manifest).exists() {
            return judged.into_iter().chain([manifest]).collect();
        }
    }
    for policy in ["policy.hcl", "policy.json"] {
        if folder.join(policy).exists() {
            return vec!["policy", "lint", policy];
        }
    }
    vec!["policy", "test", "cases.yml"]
}

#[test]
fn every_fixture_has_its_codes_and_its_exit_code() {
    let mut count = 0;
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let folder = entry.unwrap().path();
        let (wanted, exit) = expected(&folder);
        let mut question = question(&folder);
        question.extend(["--format", "json"]);
        let (code, stdout, stderr) = envlock(&folder, &question);
        assert_eq!(code, exit, "{}: {stdout}{stderr}", folder.display());
        if question[1] != "test" {
            assert_eq!(codes(&stdout), wanted, "{}", folder.display());
        }
        count += 1;
    }
    assert!(count >= 60, "{count} fixtures");
}

#[test]
fn every_code_of_a_fixture_has_a_page() {
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        for code in expected(&entry.unwrap().path()).0 {
            let (exit, page, _) = envlock(&fixtures(), &["explain", &code]);
            assert!(exit == 0 && page.starts_with("# "), "{code}: {page}");
        }
    }
    let (exit, _, said) = envlock(&fixtures(), &["explain", "kv2-datapath"]);
    assert_eq!(exit, 2);
    assert!(said.contains("did you mean `kv2-data-path`?"), "{said}");
}

#[test]
fn a_finding_has_its_line_in_every_format() {
    let folder = fixtures().join("request-denied");
    let args = ["check-secrets", "--offline", "--manifest", "secrets.yml", "--format"];
    let form = |form: &str| envlock(&folder, &[&args[..], &[form]].concat());

    let (exit, _, human) = form("human");
    assert_eq!(exit, 1);
    assert!(human.contains("secrets.yml:"), "{human}");
    assert!(human.lines().all(|line| line.chars().count() <= 80), "{human}");

    let sarif: Value = serde_json::from_str(&form("sarif").1).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "request-denied");
    assert!(result["locations"][0]["physicalLocation"]["region"]["startLine"].is_u64());

    assert!(form("github").1.starts_with("::error file=secrets.yml,line="));
    let gitlab: Value = serde_json::from_str(&form("gitlab").1).unwrap();
    assert_eq!(gitlab[0]["check_name"], "request-denied");
}

#[test]
fn without_an_address_the_check_fails_instead_of_running_offline() {
    let (exit, _, said) = envlock(&fixtures().join("request-denied"), &["check-secrets"]);
    assert_eq!(exit, 2);
    assert!(
        said.contains("no secrets server is configured") && said.contains("--offline"),
        "{said}"
    );
}

#[test]
fn every_command_reports_its_findings_in_every_format() {
    let (exit, sarif, said) = envlock(&fixtures(), &["verify", "--format", "sarif"]);
    assert_eq!((exit, said.as_str()), (2, ""));
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "no-such-file");
}

const MANIFEST: &str = "\
version: 1
policies: {ci: {file: ci.hcl}}
needs:
  db_creds: {engine: kv2, mount: secret, path: ml/db_creds, fields: {password: DB_PASSWORD}}
profiles:
  ci:
    auth: {method: jwt, mount: jwt, role: ci, jwt: {env: CI_JWT}}
    attach: [ci]
";
const POLICY: &str = "path \"secret/data/ml/db_creds\" { capabilities = [\"read\"] }\n";

fn lab() -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("zlib 1.3 h0_0");
    });
    let lab = Lab::new(world, "name: t\nchannels: [conda-forge]\ndependencies: [zlib]\n");
    lab.project.write("secrets.yml", MANIFEST);
    lab.project.write("ci.hcl", POLICY);
    lab
}

fn failed_with(output: &Output, code: i32) {
    assert_eq!(output.code, Some(code), "{}{}", output.stdout, output.stderr);
}

#[test]
fn the_lock_contains_the_needs_and_is_stale_if_they_change() {
    let lab = lab();
    lab.solve(&[]).success();
    let lock = lab.project.read("envlock.lock");
    let block = lock.split_once("\nsecrets:\n").expect("a block of its own").1;
    assert!(block.contains("db_creds") && block.contains("DB_PASSWORD"), "{block}");
    assert!(!block.contains("ci.hcl") && !block.contains("jwt"), "needs alone: {block}");
    lab.envlock(&["solve", "--check"]).success();
    lab.envlock(&["check-secrets", "--offline"]).success();

    // A comment isn't a change, and another path is one.
    lab.project.write("secrets.yml", format!("# why\n{MANIFEST}"));
    lab.envlock(&["solve", "--check"]).success();
    lab.project.write("secrets.yml", MANIFEST.replace("ml/db_creds", "ml/other"));
    let stale = lab.envlock(&["solve", "--check"]);
    failed_with(&stale, 5);
    assert!(stale.stderr.contains("need db_creds"), "{}", stale.stderr);
    failed_with(&lab.install(&[]), 5);
    failed_with(&lab.envlock(&["check-secrets", "--offline"]), 5);
    lab.solve(&[]).success();
    failed_with(&lab.envlock(&["check-secrets", "--offline"]), 1);
}

#[test]
fn a_project_without_secrets_passes_and_a_lock_with_needs_is_stale() {
    let lab = lab();
    lab.solve(&[]).success();
    std::fs::remove_file(lab.project.path("secrets.yml")).unwrap();
    for args in [&["check-secrets"][..], &["check-secrets", "--offline", "--profile", "ci"]] {
        let stale = lab.envlock(args);
        failed_with(&stale, 5);
        let flat = stale.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("has no secrets manifest"), "{flat}");
    }
    lab.solve(&[]).success();
    for format in ["human", "json", "github", "gitlab"] {
        let args = ["check-secrets", "--profile", "ci", "--format", format];
        let passed = lab.envlock(&args);
        failed_with(&passed, 0);
        let printed = format!("{}{}", passed.stdout, passed.stderr);
        assert!(printed.contains("no needs") || format == "gitlab", "{printed}");
    }
    // A manifest that is named must exist, and a directory without a project isn't one.
    failed_with(&lab.envlock(&["check-secrets", "--manifest", "other.yml"]), 2);
    std::fs::remove_file(lab.project.path("environment.yml")).unwrap();
    failed_with(&lab.envlock(&["check-secrets", "--offline"]), 2);
}

#[test]
fn a_malformed_block_of_needs_is_an_error_at_its_line_in_every_command() {
    let lab = lab();
    lab.solve(&[]).success();
    let lock = lab.project.read("envlock.lock");
    let line_of = |lock: &str, word: &str| {
        let line = lock.lines().position(|line| line.contains(word)).expect("the line is there");
        format!("envlock.lock:{}:", line + 1)
    };
    for (from, to, marked) in [
        ("engine: kv2", "engine: kv3", "engine: kv3"),
        ("    mount: secret", "    mnt: secret", "mnt: secret"),
        ("secrets:\n  version: 1", "secrets:\n  version: 9", "version: 9"),
        ("secrets:\n  version: 1", "secrets:\n  versions: 1", "versions: 1"),
        ("    path: ml/db_creds", "    path: []", "path: []"),
    ] {
        let broken = lock.replacen(from, to, 1);
        assert_ne!(broken, lock, "{from}");
        lab.project.write("envlock.lock", &broken);
        for output in [
            lab.envlock(&["solve", "--check"]),
            lab.install(&[]),
            lab.envlock(&["check-secrets", "--offline"]),
        ] {
            failed_with(&output, 2);
            let place = line_of(&broken, marked);
            assert!(output.stderr.contains(&place), "{to}: {place} in\n{}", output.stderr);
        }
        // The list is made from the manifest; the lock isn't read.
        lab.envlock(&["secrets", "list"]).success();
    }
}

#[test]
fn an_install_names_the_needs_and_the_next_command() {
    let lab = lab();
    lab.solve(&[]).success();
    let said = lab.install(&[]).success();
    assert!(said.contains("it needs 1 secret") && said.contains("DB_PASSWORD"), "{said}");
    assert!(said.contains("next: envlock check-secrets --offline"), "{said}");
}

#[test]
fn two_manifests_are_an_error() {
    let lab = lab();
    lab.write_environment("name: t\nchannels: [conda-forge]\ndependencies: [zlib]\nsecrets: {version: 1, needs: {}}\n");
    let output = lab.solve(&[]);
    failed_with(&output, 2);
    assert!(output.stderr.contains("both secrets.yml and environment.yml"), "{}", output.stderr);
}

#[test]
fn the_check_accepts_the_generated_policy() {
    let lab = lab();
    lab.solve(&[]).success();
    let hcl = lab.envlock(&["policy", "generate"]).success();
    lab.project.write("ci.hcl", &hcl);
    let checked = lab.envlock(&["check-secrets", "--offline", "--deny", "warnings"]).success();
    assert!(checked.contains("0 errors, 0 warnings"), "{checked}");
    let presence = lab.envlock(&["policy", "generate", "--for", "verifier"]).success();
    assert!(presence.contains("secret/metadata/ml/db_creds"), "{presence}");
    assert!(!presence.contains("secret/data/"), "a presence check reads no value: {presence}");
}

#[test]
fn explain_names_the_deciding_rule() {
    let lab = lab();
    let ask = |operation: &str| {
        let path = ["--path", "secret/data/ml/db_creds", "--operation", operation];
        lab.envlock(&[&["policy", "explain", "--policy", "ci.hcl"][..], &path].concat())
    };
    let allowed = ask("read").success();
    assert!(allowed.contains("ci.hcl:1:6"), "{allowed}");
    failed_with(&ask("delete"), 1);
    let wrong = ask("raed");
    failed_with(&wrong, 2);
    assert!(wrong.stderr.contains("did you mean `read`?"), "{}", wrong.stderr);
}

#[test]
fn a_secret_in_the_manifest_or_a_variable_is_named_and_never_shown() {
    const CANARY: &str = "hvs.CAESIJcanary0123456789abcdef";
    let lab = lab().env("DB_PASSWORD", CANARY);
    lab.project.write("secrets.yml", format!("# {CANARY}\n{MANIFEST}"));
    for form in ["human", "json", "sarif", "github", "gitlab"] {
        let args = ["check-secrets", "--offline", "--manifest", "secrets.yml", "--format", form];
        let output = lab.envlock(&args);
        failed_with(&output, 1);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(said.contains("secret-in-file"), "{form}: {said}");
        assert!(!said.contains(CANARY), "{form}");
    }
}

#[test]
fn the_shared_vectors_pass() {
    for (file, passed) in [("vectors.json", 152), ("measured.json", 28)] {
        let Some(vectors) = envlock_testkit::shared_data(&format!("acl-vectors/{file}")) else {
            continue;
        };
        let vectors = vectors.display().to_string();
        let (exit, said, _) = envlock(&fixtures(), &["policy", "test", &vectors]);
        assert_eq!((exit, said.trim_end()), (0, format!("{passed} passed, 0 failed").as_str()));
    }
}

#[test]
fn the_projects_own_cases_of_servers_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy/tests/servers");
    let files = ["lists", "duplicates", "control-groups", "texts", "parameters"];
    let files = files.map(|name| folder.join(format!("{name}.yml")).display().to_string());
    for file in &files {
        let (exit, said, _) = envlock(&fixtures(), &["policy", "test", file]);
        assert_eq!(exit, 0, "{said}");
        assert!(said.contains(" passed, 0 failed"), "{said}");
    }
}
