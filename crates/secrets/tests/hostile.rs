//! Hostile input: every reader returns a bounded and clear result.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test is its assertion")]

use std::collections::BTreeMap;

use envlock_policy::lint::LintContext;
use envlock_policy::suite::TestSuite;
use envlock_policy::{Acl, Dialect, EvaluationContext, Identity, Operation, Policy, Request};
use envlock_report::document::Document;
use envlock_report::outcome::{Completion, LevelOverrides, apply_overrides};
use envlock_report::{AsFindings, secret_scan};
use envlock_secrets::manifest::{Manifest, ManifestLocation};

const MEGABYTES: usize = 10 * 1024 * 1024;

fn code_of(text: &str) -> &'static str {
    match Policy::parse("p", "p.hcl", text) {
        Ok(_) => "accepted",
        Err(error) => error.code().as_str(),
    }
}

fn manifest_code(text: &str) -> &'static str {
    match Manifest::parse("secrets.yml", text, ManifestLocation::OwnFile) {
        Ok(_) => "accepted",
        Err(error) => error.findings()[0].code.as_str(),
    }
}

#[test]
fn a_file_above_the_size_limit_is_refused_and_one_below_is_read() {
    let wildcards = format!("path \"{}\" {{ }}", "+/".repeat(MEGABYTES / 2));
    assert_eq!(code_of(&wildcards), "input-limit");
    let line = format!("version: {}", "1".repeat(MEGABYTES));
    assert_eq!(manifest_code(&line), "input-limit");
    assert!(TestSuite::parse("c.yml", &line).is_err());
}

#[test]
fn a_pattern_of_half_a_million_segments_is_matched() {
    let text = format!("path \"{}\" {{ capabilities = [\"read\"] }}", "+/".repeat(500_000));
    let policy = Policy::parse("p", "p.hcl", &text).unwrap();
    let identity = Identity::default();
    let context = EvaluationContext {
        dialect: Dialect::OpenBao,
        now: jiff::Timestamp::UNIX_EPOCH,
        identity: Some(&identity),
        token_namespace: "",
    };
    let acl = Acl::new(&[&policy], &context).unwrap();
    let path = "a/".repeat(500_000);
    assert!(acl.decide(&Request::new(Operation::Read, &path)).allowed);
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", "")] {
        let deep = open.repeat(100_000) + &close.repeat(100_000);
        assert_ne!(manifest_code(&deep), "accepted");
    }
    assert_eq!(code_of(&"a { ".repeat(100_000)), "input-limit");
    assert_eq!(code_of(&format!("a = {}", "[".repeat(100_000))), "input-limit");
    assert_eq!(code_of(&"{\"a\": ".repeat(100_000)), "input-limit");
}

#[test]
fn exploding_aliases_are_refused_before_they_are_expanded() {
    let mut bomb = String::from("a0: &a0 [x, x]\n");
    for level in 1..40 {
        let last = level - 1;
        bomb.push_str(&format!("a{level}: &a{level} [*a{last}, *a{last}, *a{last}]\n"));
    }
    assert_eq!(manifest_code(&bomb), "input-limit");
    let environment = format!("{bomb}secrets: *a39\n");
    let error = Manifest::parse("environment.yml", &environment, ManifestLocation::EnvironmentFile);
    assert_eq!(error.unwrap_err().findings()[0].code, "input-limit");
    assert!(TestSuite::parse("c.yml", &bomb).is_err());
}

#[test]
fn a_list_of_a_million_values_is_limited() {
    let list = format!("x = [{}]", "1,".repeat(2_000_000));
    assert_eq!(code_of(&list), "input-limit");
    let list = format!("needs: [{}]", "1,".repeat(2_000_000));
    assert_eq!(manifest_code(&list), "input-limit");
}

#[test]
fn no_message_about_a_policy_or_a_manifest_shows_a_token() {
    let token = "hvs.CANARYcanary0123456789";
    let texts = [
        format!("path \"a\" {{ {token} = 1 }}"),
        format!("path \"a\" {{ capabilities = [\"{token}\"] }}"),
        format!("path \"{token}+*\" {{ capabilities = [\"read\"] }}"),
        format!("path \"{token}}}}}\" {{ capabilities = [\"read\"] }}"),
        format!("x = [{token}]"),
        format!("{token} \"a\" = 3"),
        format!("{{\"{token}\": 1}}"),
    ];
    for text in texts {
        let findings = envlock_policy::lint::lint(
            "p",
            "p.hcl",
            &text,
            &LintContext::portable(jiff::Timestamp::UNIX_EPOCH),
        );
        assert!(!findings.is_empty());
        let output = format!("{findings:?}")
            + &envlock_report::render::json(&Document::<()>::new(
                "policy lint",
                apply_overrides(findings, Completion::Complete, &LevelOverrides::default()),
                None,
            ));
        assert!(!output.contains("CANARYcanary"), "{output}");
    }
    for text in [
        format!("version: 1\n{token}: x\nneeds: {{}}"),
        format!("version: {token}\nneeds: {{}}"),
        format!("version: 1\nneeds: {{{token}: 1}}"),
        format!("version: 1\nneeds: {{a: {{engine: {token}}}}}"),
        format!(
            "version: 1\nneeds: {{}}\nprofiles: {{ci: {{auth: {{method: jwt, jwt: {token}}}}}}}"
        ),
        format!(
            "version: 1\nneeds: {{}}\nprofiles: {{ci: {{extends: {token}, attach: [{token}]}}}}"
        ),
    ] {
        let error = Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile).unwrap_err();
        let output = format!("{:?}", error.findings());
        assert!(!output.contains("CANARYcanary"), "{output}");
    }
    let output = format!("{:?}", secret_scan::secrets_in_variables([("CI_JWT_FILE", token)]));
    assert!(output.contains("CI_JWT_FILE") && !output.contains("CANARYcanary"), "{output}");
    let cases = format!(
        "cases: [{{id: {token}, policies: [], request: {{}}, expect: {{vault: {{allowed: true}}}}}}]"
    );
    let suite = TestSuite::parse("c.yml", &cases).unwrap();
    let result = suite.run(&BTreeMap::new(), jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert!(!result.to_text().contains("CANARYcanary"));
}

/// A manifest with `number` profiles, each extending the next.
fn chain(profiles: usize) -> String {
    let lines = (0..profiles).map(|at| format!("  p{at}: {{extends: p{}}}", at + 1));
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("version: 1\nneeds: {{}}\nprofiles:\n{lines}\n  p{profiles}: {{}}\n")
}

#[test]
fn long_chains_of_profiles_and_thousands_of_profiles_are_refused_with_few_findings() {
    assert_eq!(manifest_code(&chain(100)), "extends-itself");
    assert_eq!(manifest_code(&chain(5000)), "input-limit");
    let keys = (0..10_000).map(|at| format!("k{at}: 1")).collect::<Vec<_>>().join("\n");
    let error = Manifest::parse("secrets.yml", &keys, ManifestLocation::OwnFile).unwrap_err();
    let findings = error.findings();
    assert_eq!(findings.len(), 100);
    assert!(findings[99].notes[0].starts_with("and 99"), "{:?}", findings[99]);
}

#[test]
fn a_block_of_eighty_thousand_attributes_or_denies_is_read() {
    let attributes = format!("path \"a\" {{\n{}}}", "comment = 1\n".repeat(80_000));
    let policy = Policy::parse("p", "p.hcl", &attributes).unwrap();
    assert!(policy.error_for(Dialect::Vault, jiff::Timestamp::UNIX_EPOCH).is_some());
    assert!(policy.error_for(Dialect::OpenBao, jiff::Timestamp::UNIX_EPOCH).is_none());
    let denies = "path \"a/+/b/*\" { capabilities = [\"deny\"] }\n".repeat(20_000);
    let now = jiff::Timestamp::UNIX_EPOCH;
    assert_eq!(
        envlock_policy::lint::lint("p", "p.hcl", &denies, &LintContext::portable(now)).len(),
        1000
    );
}
