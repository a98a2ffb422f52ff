//! Hostile manifests and policies: the checks end, their result is bounded, and their cost grows
//! with the size of the input. A cost that grows faster would not end within any test run.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test is its assertion")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use envlock_policy::Policy;
use envlock_policy::lint::LintContext;
use envlock_report::{AsFindings, Finding};
use envlock_secrets::checks::{CheckError, Input, Outcome, check};
use envlock_secrets::manifest::{Manifest, ManifestLocation};
use envlock_text::limits::{FINDING_BYTES, NEEDS_OF_PROFILES};
use jiff::Timestamp;

fn parse(text: &str) -> Result<Manifest, Vec<Finding>> {
    let manifest = Manifest::parse("secrets.yml", text, ManifestLocation::OwnFile);
    manifest.map(Option::unwrap).map_err(|error| error.findings())
}

/// A manifest with kv1 needs of one group, and `profiles` profiles that attach the policy `job`.
fn manifest(needs: usize, profiles: usize) -> String {
    let mut text =
        "version: 1\nserver: {dialect: openbao}\npolicies: {job: {file: job.hcl}}\nneeds:\n"
            .to_owned();
    for need in 0..needs {
        writeln!(
            text,
            "  n{need}: {{engine: kv1, mount: kv, path: a/n{need}, required: {{any_of: g}}}}"
        )
        .unwrap();
    }
    text.push_str("profiles:\n");
    for profile in 0..profiles {
        writeln!(text, "  p{profile}: {{attach: [job]}}").unwrap();
    }
    text
}

fn outcome(manifest: &Manifest, policy: &str) -> Result<Outcome, CheckError> {
    check(&Input {
        manifest,
        files: &BTreeMap::from([("job.hcl".to_owned(), policy.to_owned())]),
        profile: None,
        dialect: None,
        now: Timestamp::UNIX_EPOCH,
        horizon_days: 30,
        online: None,
    })
}

#[test]
fn two_thousand_denied_needs_of_one_group_are_checked() {
    let manifest = parse(&manifest(2000, 1)).unwrap();
    let outcome = outcome(&manifest, "path \"other\" { capabilities = [\"read\"] }").unwrap();
    let denied = outcome.findings.iter().filter(|finding| finding.code == "request-denied");
    assert_eq!(denied.count(), 2000);
}

#[test]
fn the_product_of_needs_and_profiles_is_limited() {
    assert!(parse(&manifest(NEEDS_OF_PROFILES / 100, 100)).is_ok());
    let findings = parse(&manifest(NEEDS_OF_PROFILES / 100 + 1, 100)).unwrap_err();
    assert_eq!(findings[0].code, "input-limit");
    assert!(findings[0].message.contains("needs in all profiles"), "{findings:?}");
}

#[test]
fn the_product_of_blocks_and_requests_is_limited() {
    let manifest = parse(&manifest(2000, 1)).unwrap();
    let block = "path \"kv/*\" { capabilities = [\"read\"] }\n";
    let error = outcome(&manifest, &block.repeat(20_000)).unwrap_err();
    let findings = error.findings();
    assert_eq!(findings[0].code, "input-limit");
    assert!(findings[0].place.is_some() && findings[0].help.is_some());
}

#[test]
fn ten_thousand_blocks_that_match_a_request_are_named_in_a_few_lines() {
    let manifest = parse(&manifest(1, 1)).unwrap();
    let mut policy = "path \"kv/a/n0\" { capabilities = [\"deny\"] }\n".repeat(5000);
    for length in 1.."kv/a/n0".len() {
        let prefix = &"kv/a/n0"[..length];
        writeln!(policy, "path \"{prefix}*\" {{ capabilities = [\"read\"] }}").unwrap();
    }
    let outcome = outcome(&manifest, &policy).unwrap();
    let denied = outcome.findings.iter().find(|finding| finding.code == "request-denied").unwrap();
    assert_eq!(denied.related.len(), 5, "{denied:?}");
    let overrides: Vec<_> = denied.notes.iter().filter(|note| note.contains("overrides")).collect();
    assert_eq!(overrides.len(), 6, "{overrides:?}");
    assert_eq!(overrides[5], "the deciding rule overrides 1 more rule");
}

#[test]
fn many_rules_in_excess_are_counted() {
    let manifest = parse(&manifest(1, 1)).unwrap();
    let mut policy = String::new();
    for rule in 0..5000 {
        writeln!(policy, "path \"x/{rule}\" {{ capabilities = [\"read\"] }}").unwrap();
    }
    let outcome = outcome(&manifest, &policy).unwrap();
    let excess: Vec<_> =
        outcome.findings.iter().filter(|finding| finding.code == "excess-rights").collect();
    assert_eq!(excess.len(), 501);
    assert!(excess.iter().any(|finding| finding.message.starts_with("4500 more rules")));
}

#[test]
fn a_message_about_a_long_text_is_short() {
    let long = "k".repeat(4_000_000);
    let policies = [
        format!("path \"a\" {{ {long} = 1 }}"),
        format!("path \"a\" {{ capabilities = [\"{long}\"] }}"),
        format!("path \"{long}+*\" {{ capabilities = [\"read\"] }}"),
        format!("path \"//{long}\" {{ capabilities = [\"read\"] }}"),
        format!("x = [{long}]"),
        format!("{{\"{long}\": 1}}"),
    ];
    for policy in policies {
        let findings = envlock_policy::lint::lint(
            "p",
            "p.hcl",
            &policy,
            &LintContext::portable(Timestamp::UNIX_EPOCH),
        );
        assert!(!findings.is_empty());
        for finding in &findings {
            let texts = finding.notes.iter().chain(&finding.help).chain([&finding.message]);
            assert!(texts.map(String::len).all(|length| length < FINDING_BYTES + 100));
        }
    }
    for manifest in [
        format!("version: 1\n{long}: x\nneeds: {{}}"),
        format!("version: 1\nneeds: {{a: {{engine: {long}}}}}"),
        format!("version: 1\nneeds: {{}}\nprofiles: {{ci: {{extends: {long}}}}}"),
    ] {
        for finding in parse(&manifest).unwrap_err() {
            assert!(finding.message.len() < FINDING_BYTES + 100);
        }
    }
}

#[test]
fn keys_that_json_repeats_are_limited() {
    let objects = vec!["\"a\":{}"; 100_000].join(",");
    let long = format!("{{\"path\": {{\"{}\": {{{objects}}}}}}}", "k".repeat(1_000_000));
    let error = Policy::parse("p", "p.json", &long).unwrap_err();
    assert_eq!(error.code(), envlock_report::Code::InputLimit);
}

#[test]
fn unknown_names_are_reported_in_a_few_findings() {
    let names = (0..20_000).map(|name| format!("x{name}")).collect::<Vec<_>>().join(", ");
    let mut text = manifest(1, 1).replace("attach: [job]", &format!("attach: [{names}]"));
    let policies = (0..1999).map(|policy| format!("p{policy}: {{file: a.hcl}}"));
    let policies = policies.collect::<Vec<_>>().join(", ");
    text = text.replace("{job: {file: job.hcl}}", &format!("{{{policies}}}"));
    let findings = parse(&text).unwrap_err();
    assert_eq!(findings.len(), 100);
    let help = findings[0].help.as_deref().unwrap_or_default();
    assert!(help.len() < 1000, "{help}");
}
