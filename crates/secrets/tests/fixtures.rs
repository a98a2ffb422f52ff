//! Runs the fixtures: each directory of `fixtures/secrets` has an input, and in `expected.yml` the
//! exact set of codes, the exit code, and texts of the output.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use envlock_policy::lint::{LintContext, lint};
use envlock_policy::suite::TestSuite;
use envlock_report::document::Document;
use envlock_report::outcome::{Completion, FinalReport, LevelOverrides, apply_overrides};
use envlock_report::render::{self, Layout, SourceTexts};
use envlock_report::{AsFindings, Exit, Finding, secret_scan};
use envlock_secrets::checks::{Input, check, table};
use envlock_secrets::manifest::{Manifest, ManifestLocation};
use jiff::Timestamp;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    codes: BTreeSet<String>,
    exit: u8,
    contains: Vec<String>,
}

/// The output of a fixture.
struct Reported {
    codes: BTreeSet<String>,
    exit: u8,
    text: String,
}

impl Reported {
    fn findings(findings: Vec<Finding>, overrides: &LevelOverrides, head: &str) -> Self {
        Self::closed(&apply_overrides(findings, Completion::Complete, overrides), head)
    }

    fn closed(closed: &FinalReport, head: &str) -> Self {
        let FinalReport { exit, findings, summary } = closed;
        let output = render::human(findings, &SourceTexts::default(), Layout::PLAIN);
        Self {
            codes: findings.iter().map(|finding| finding.code.to_string()).collect(),
            exit: exit.code(),
            text: format!("{head}{output}{}", render::summary_line(*summary)),
        }
    }

    fn error(error: &impl AsFindings) -> Self {
        Self {
            exit: error.exit().code(),
            ..Self::findings(error.findings(), &LevelOverrides::default(), "")
        }
    }
}

fn now() -> Timestamp {
    "2026-11-23T00:00:00Z".parse().expect("a valid time")
}

fn texts(folder: &Path, names: &[&str]) -> BTreeMap<String, String> {
    let read =
        |name: &str| Some((name.to_owned(), std::fs::read_to_string(folder.join(name)).ok()?));
    names.iter().filter_map(|name| read(name)).collect()
}

fn check_manifest(folder: &Path, name: &str, notation: ManifestLocation) -> Reported {
    let bytes = std::fs::read(folder.join(name)).expect("the manifest exists");
    let text = match envlock_text::decode(name, bytes) {
        Ok(text) => text,
        Err(error) => return Reported::error(&error),
    };
    let manifest = match Manifest::parse(name, &text, notation) {
        Ok(manifest) => manifest.expect("the fixture has a manifest"),
        Err(error) => return Reported::error(&error),
    };
    let files = manifest.policy_files();
    let files = texts(folder, &files.iter().map(String::as_str).collect::<Vec<_>>());
    let input = Input {
        manifest: &manifest,
        files: &files,
        profile: None,
        dialect: None,
        now: now(),
        horizon_days: 30,
        online: None,
    };
    let outcome = match check(&input) {
        Ok(outcome) => outcome,
        Err(error) => return Reported::error(&error),
    };
    let mut findings = secret_scan::secrets_in_file(name, &text);
    findings.extend(outcome.findings);
    let closed = apply_overrides(findings, Completion::Complete, &outcome.overrides);
    let findings = &closed.findings;
    for format in [
        render::json(&Document::<()>::new("check-secrets", closed.clone(), None)),
        render::sarif(findings, "0.1.0", name),
        render::gitlab(findings, name),
    ] {
        serde_json::from_str::<serde_json::Value>(&format).expect("valid JSON");
    }
    assert_eq!(render::github(findings).is_empty(), findings.is_empty());
    Reported::closed(&closed, &table(&outcome.rows).render(render::WIDTH))
}

fn lint_policy(folder: &Path, name: &str) -> Reported {
    let text = std::fs::read_to_string(folder.join(name)).expect("the policy exists");
    Reported::findings(
        lint("policy", name, &text, &LintContext::portable(now())),
        &LevelOverrides::default(),
        "",
    )
}

fn run_suite(folder: &Path) -> Reported {
    let text = std::fs::read_to_string(folder.join("cases.yml")).expect("the cases exist");
    let suite = match TestSuite::parse("cases.yml", &text) {
        Ok(suite) => suite,
        Err(error) => return Reported::error(&error),
    };
    let files = texts(folder, &suite.files());
    let result = suite.run(&files, now()).expect("the policies exist");
    let exit = if result.failed > 0 { Exit::Findings } else { Exit::Success };
    Reported { codes: BTreeSet::new(), exit: exit.code(), text: result.to_text() }
}

fn run(folder: &Path) -> Reported {
    for (name, notation) in [
        ("secrets.yml", ManifestLocation::OwnFile),
        ("environment.yml", ManifestLocation::EnvironmentFile),
    ] {
        if folder.join(name).exists() {
            return check_manifest(folder, name, notation);
        }
    }
    for name in ["policy.hcl", "policy.json"] {
        if folder.join(name).exists() {
            return lint_policy(folder, name);
        }
    }
    run_suite(folder)
}

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/secrets");
    let entries = std::fs::read_dir(root).expect("the fixtures exist");
    let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

#[test]
fn every_fixture_has_the_expected_codes_exit_code_and_texts() {
    let mut wrong = Vec::new();
    for folder in fixtures() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let expected = std::fs::read_to_string(folder.join("expected.yml"))
            .expect("the fixture has expected.yml");
        let expected: Expected = serde_yaml::from_str(&expected).expect("expected.yml is valid");
        let reported = run(&folder);
        // Messages are wrapped, so they are compared as one line.
        let flat = reported.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let missing: Vec<_> =
            expected.contains.iter().filter(|words| !flat.contains(*words)).collect();
        let hides =
            ["CANARYCANARY", "AKIAIOSFODNN7EXAMPLE"].iter().all(|token| !flat.contains(token));
        if reported.codes != expected.codes
            || reported.exit != expected.exit
            || !missing.is_empty()
            || !hides
        {
            wrong.push(format!(
                "{name}: {:?} (exit {}), expected {:?} (exit {}), missing texts: {missing:?}\n{}",
                reported.codes, reported.exit, expected.codes, expected.exit, reported.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}

#[test]
fn no_line_but_text_to_copy_is_wider_than_eighty_columns() {
    for folder in fixtures() {
        for line in run(&folder).text.lines().filter(|line| !line.starts_with("      ")) {
            let words = line.split_whitespace().count();
            assert!(line.chars().count() <= 80 || words <= 2, "{}: {line}", folder.display());
        }
    }
}

/// The codes of the manifest, of policies and of the offline check.
const CODES: [&str; 74] = [
    "api-path",
    "policy-namespace",
    "address-in-manifest",
    "request-denied",
    "deny-discards",
    "deny-leaves-parent",
    "depends-on-identity",
    "depends-on-parameters",
    "dialect-dependent",
    "dialect-specific",
    "double-slash",
    "duplicate-attribute",
    "duplicate-key",
    "excess-rights",
    "expired-block",
    "expires-soon",
    "extends-itself",
    "grants-everything",
    "grants-nothing",
    "input-limit",
    "approval-required",
    "json-flattened",
    "json-lost-value",
    "kv2-data-path",
    "list-on-data",
    "literal-wildcard",
    "literal-star-value",
    "missing-key",
    "mixed-group",
    "not-utf8",
    "no-policies-attached",
    "number-never-equal",
    "parameter-spellings",
    "no-expectation",
    "one-of-ambiguous",
    "policy-file-unreadable",
    "policy-rejected",
    "policy-shorthand",
    "policy-syntax",
    "root-token",
    "second-document",
    "second-label",
    "secret-in-file",
    "star-key-values",
    "sudo-missing",
    "sudo-without-capability",
    "syntax-error",
    "unknown-alias",
    "unknown-field",
    "unknown-key",
    "unknown-name",
    "unknown-parameter",
    "unknown-version",
    "unknown-value",
    "unlabelled-path",
    "unused-exception",
    "unused-policy",
    "value-in-manifest",
    "duplicate-variable",
    "write-to-slash",
    "key-not-of-engine",
    "wrong-type",
    "invalid-text",
    "alternatives-in-pattern",
    "ends-in-slash",
    "ignored-parameters",
    "leading-slash",
    "deny-overridden",
    "never-decides",
    "placeholder-in-policy",
    "regular-expression",
    "parameters-on-read",
    "unknown-identity-template",
    "url-in-pattern",
];

#[test]
fn every_code_has_a_fixture() {
    let reported: BTreeSet<String> =
        fixtures().iter().flat_map(|folder| run(folder).codes).collect();
    for code in CODES {
        assert!(reported.contains(code), "no fixture reports {code}");
    }
}
