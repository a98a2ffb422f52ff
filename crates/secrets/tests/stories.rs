//! Every folder of `fixtures/secrets` is a story: what is in it, and in `expected.yml` the
//! codes that must come out (all of them, no other), how the program ends, and its words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use envlock_policy::lint::lint;
use envlock_policy::suite::TestSuite;
use envlock_report::document::Document;
use envlock_report::render::{self, Layout, SourceTexts};
use envlock_report::sink::{Completion, FinalReport, Rules, apply_rules};
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
    says: Vec<String>,
}

/// What came out of a story.
struct Told {
    codes: BTreeSet<String>,
    exit: u8,
    text: String,
}

impl Told {
    fn findings(findings: Vec<Finding>, rules: &Rules, head: &str) -> Self {
        Self::closed(&apply_rules(findings, Completion::Complete, rules), head)
    }

    fn closed(closed: &FinalReport, head: &str) -> Self {
        let FinalReport { exit, findings, summary } = closed;
        let said = render::human(findings, &SourceTexts::default(), Layout::PLAIN);
        Self {
            codes: findings.iter().map(|finding| finding.code.to_string()).collect(),
            exit: exit.code(),
            text: format!("{head}{said}{}", render::summary_line(*summary)),
        }
    }

    fn error(error: &impl AsFindings) -> Self {
        Self {
            exit: error.exit().code(),
            ..Self::findings(error.findings(), &Rules::default(), "")
        }
    }
}

fn now() -> Timestamp {
    "2026-11-23T00:00:00Z".parse().expect("it is a time")
}

fn texts(folder: &Path, names: &[&str]) -> BTreeMap<String, String> {
    let read =
        |name: &str| Some((name.to_owned(), std::fs::read_to_string(folder.join(name)).ok()?));
    names.iter().filter_map(|name| read(name)).collect()
}

fn manifest_story(folder: &Path, name: &str, notation: ManifestLocation) -> Told {
    let bytes = std::fs::read(folder.join(name)).expect("the manifest is there");
    let text = match envlock_text::decode(name, bytes) {
        Ok(text) => text,
        Err(error) => return Told::error(&error),
    };
    let manifest = match Manifest::parse(name, &text, notation) {
        Ok(manifest) => manifest.expect("the story has a manifest"),
        Err(error) => return Told::error(&error),
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
        Err(error) => return Told::error(&error),
    };
    let mut findings = secret_scan::secrets_in_file(name, &text);
    findings.extend(outcome.findings);
    let closed = apply_rules(findings, Completion::Complete, &outcome.rules);
    let findings = &closed.findings;
    for format in [
        render::json(&Document::<()>::new("check-secrets", closed.clone(), None)),
        render::sarif(findings, "0.1.0", name),
        render::gitlab(findings, name),
    ] {
        serde_json::from_str::<serde_json::Value>(&format).expect("it is JSON");
    }
    assert_eq!(render::github(findings).is_empty(), findings.is_empty());
    Told::closed(&closed, &table(&outcome.rights).render(render::WIDTH))
}

fn policy_story(folder: &Path, name: &str) -> Told {
    let text = std::fs::read_to_string(folder.join(name)).expect("the policy is there");
    Told::findings(lint("policy", name, &text, now()), &Rules::default(), "")
}

fn suite_story(folder: &Path) -> Told {
    let text = std::fs::read_to_string(folder.join("cases.yml")).expect("the cases are there");
    let suite = match TestSuite::parse("cases.yml", &text) {
        Ok(suite) => suite,
        Err(error) => return Told::error(&error),
    };
    let files = texts(folder, &suite.files());
    let result = suite.run(&files, now()).expect("the policies are there");
    let exit = if result.failed > 0 { Exit::Findings } else { Exit::Success };
    Told { codes: BTreeSet::new(), exit: exit.code(), text: result.to_text() }
}

fn tell(folder: &Path) -> Told {
    for (name, notation) in [
        ("secrets.yml", ManifestLocation::OwnFile),
        ("environment.yml", ManifestLocation::EnvironmentFile),
    ] {
        if folder.join(name).exists() {
            return manifest_story(folder, name, notation);
        }
    }
    for name in ["policy.hcl", "policy.json"] {
        if folder.join(name).exists() {
            return policy_story(folder, name);
        }
    }
    suite_story(folder)
}

fn stories() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/secrets");
    let entries = std::fs::read_dir(root).expect("the stories are there");
    let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

#[test]
fn every_story_ends_as_it_says() {
    let mut wrong = Vec::new();
    for folder in stories() {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let expected = std::fs::read_to_string(folder.join("expected.yml")).expect("it has an end");
        let expected: Expected = serde_yaml::from_str(&expected).expect("its end is readable");
        let told = tell(&folder);
        // Sentences are wrapped for people; words are compared as one line.
        let flat = told.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let missing: Vec<_> = expected.says.iter().filter(|words| !flat.contains(*words)).collect();
        let hides =
            ["CANARYCANARY", "AKIAIOSFODNN7EXAMPLE"].iter().all(|token| !flat.contains(token));
        if told.codes != expected.codes
            || told.exit != expected.exit
            || !missing.is_empty()
            || !hides
        {
            wrong.push(format!(
                "{name}: {:?} (exit {}), expected {:?} (exit {}), not said: {missing:?}\n{}",
                told.codes, told.exit, expected.codes, expected.exit, told.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n----\n"));
}

#[test]
fn no_line_for_people_is_wider_than_eighty_columns_but_text_to_copy() {
    for folder in stories() {
        for line in tell(&folder).text.lines().filter(|line| !line.starts_with("      ")) {
            let words = line.split_whitespace().count();
            assert!(line.chars().count() <= 80 || words <= 2, "{}: {line}", folder.display());
        }
    }
}

/// Codes of the manifest, of policies and of the offline proof.
const CODES: [&str; 56] = [
    "address-in-manifest",
    "denied",
    "deny-discards",
    "deny-leaves-parent",
    "depends-on-identity",
    "dialect-dependent",
    "dialect-only",
    "double-slash",
    "duplicate-attribute",
    "duplicate-key",
    "excess",
    "expired-block",
    "expiring",
    "extends-itself",
    "grants-everything",
    "grants-nothing",
    "input-limit",
    "interactive",
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
    "no-expectation",
    "one-of-several",
    "policy-file",
    "policy-rejected",
    "policy-shorthand",
    "policy-syntax",
    "root-token",
    "second-document",
    "second-label",
    "secret-in-file",
    "star-key-values",
    "sudo-without-capability",
    "syntax-error",
    "unknown-alias",
    "unknown-field",
    "unknown-key",
    "unknown-name",
    "unknown-version",
    "unknown-value",
    "unlabelled-path",
    "unused-allowance",
    "unused-policy",
    "value-in-manifest",
    "duplicate-variable",
    "write-to-slash",
    "wrong-key",
    "wrong-type",
    "invalid-text",
];

#[test]
fn every_code_has_a_story() {
    let told: BTreeSet<String> = stories().iter().flat_map(|folder| tell(folder).codes).collect();
    for code in CODES {
        assert!(told.contains(code), "no story ends with {code}");
    }
}
