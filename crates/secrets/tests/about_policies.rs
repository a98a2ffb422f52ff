//! A finding about a policy has its name in a field, which `allow:` matches.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test is its assertion")]

use std::collections::{BTreeMap, BTreeSet};

use envlock_report::outcome::{Completion, apply_overrides};
use envlock_report::{Finding, Level};
use envlock_secrets::checks::{Input, check};
use envlock_secrets::manifest::{Manifest, ManifestLocation};
use jiff::Timestamp;

const NEED: &str = "needs:\n  db: {engine: kv2, mount: secret, path: db}\n";
const READ: &str = "path \"secret/data/db\" { capabilities = [\"read\"] }\n";

/// The findings of a manifest whose profile attaches `job`; the policy `other` is only declared.
fn findings(job: &str, other: &str, allow: &str) -> Vec<Finding> {
    let text = format!(
        "version: 1\npolicies: {{job: {{file: job.hcl}}, other: {{file: other.hcl}}}}\n{NEED}\
         profiles: {{ci: {{attach: [job]}}}}\n{allow}"
    );
    let manifest =
        Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile).unwrap().unwrap();
    let files = [("job.hcl", job), ("other.hcl", other)];
    let files: BTreeMap<_, _> =
        files.into_iter().map(|(file, text)| (file.to_owned(), text.to_owned())).collect();
    let input = Input {
        manifest: &manifest,
        files: &files,
        profile: None,
        dialect: None,
        now: "2026-11-23T00:00:00Z".parse::<Timestamp>().unwrap(),
        horizon_days: 30,
        online: None,
    };
    let outcome = check(&input).unwrap();
    apply_overrides(outcome.findings, Completion::Complete, &outcome.overrides).findings
}

#[test]
fn every_finding_about_a_policy_names_the_policy() {
    let texts = [
        ("excess-rights", READ.to_owned() + "path \"a\" { capabilities = [\"read\"] }\n"),
        ("grants-nothing", READ.to_owned() + "path \"a\" { capabilities = [] }\n"),
        ("sudo-missing", READ.to_owned() + "path \"sys/seal\" { capabilities = [\"update\"] }\n"),
        ("sudo-without-capability", READ.to_owned() + "path \"a\" { capabilities = [\"sudo\"] }\n"),
        (
            "expired-block",
            READ.to_owned()
                + "path \"a\" { capabilities = [\"read\"] expiration = \"2020-01-01T00:00:00Z\" }\n",
        ),
        ("policy-shorthand", READ.to_owned() + "path \"a\" { policy = \"read\" }\n"),
        ("deny-discards", READ.to_owned() + "path \"a\" { capabilities = [\"deny\", \"read\"] }\n"),
        ("deny-leaves-parent", READ.to_owned() + "path \"a/*\" { capabilities = [\"deny\"] }\n"),
        (
            "literal-star-value",
            READ.to_owned()
                + "path \"a\" { capabilities = [\"update\"] allowed_parameters = { \"x\" = [\"*\"] } }\n",
        ),
        (
            "star-key-values",
            READ.to_owned()
                + "path \"a\" { capabilities = [\"update\"] allowed_parameters = { \"*\" = [\"x\"] } }\n",
        ),
        ("unlabelled-path", READ.to_owned() + "path { capabilities = [\"read\"] }\n"),
        ("second-label", READ.to_owned() + "path \"a\" \"b\" { capabilities = [\"read\"] }\n"),
        ("double-slash", READ.to_owned() + "path \"//a\" { capabilities = [\"read\"] }\n"),
        ("literal-wildcard", READ.to_owned() + "path \"a*b\" { capabilities = [\"read\"] }\n"),
        ("grants-everything", READ.to_owned() + "path \"*\" { capabilities = [\"read\"] }\n"),
        ("write-to-slash", READ.to_owned() + "path \"a/\" { capabilities = [\"update\"] }\n"),
        ("list-on-data", READ.to_owned() + "path \"s/data/x\" { capabilities = [\"list\"] }\n"),
        ("leading-slash", READ.to_owned() + "path \"/a\" { capabilities = [\"read\"] }\n"),
        ("ends-in-slash", READ.to_owned() + "path \"a/\" { capabilities = [\"read\"] }\n"),
        ("url-in-pattern", READ.to_owned() + "path \"v1/a\" { capabilities = [\"read\"] }\n"),
        (
            "placeholder-in-policy",
            READ.to_owned() + "path \"a/${b}\" { capabilities = [\"read\"] }\n",
        ),
        (
            "unknown-identity-template",
            READ.to_owned()
                + "path \"a/{{identity.entity.metadata}}\" { capabilities = [\"read\"] }\n",
        ),
        (
            "alternatives-in-pattern",
            READ.to_owned() + "path \"a/{b,c}\" { capabilities = [\"read\"] }\n",
        ),
        ("regular-expression", READ.to_owned() + "path \"a/[b]+\" { capabilities = [\"read\"] }\n"),
        (
            "never-decides",
            READ.to_owned()
                + "path \"a/*\" { capabilities = [\"read\"] }\n\
                   path \"a/+/b/*\" { capabilities = [\"deny\"] }\n",
        ),
        (
            "deny-overridden",
            READ.to_owned()
                + "path \"a/c/*\" { capabilities = [\"read\"] }\n\
                   path \"a/+/b/*\" { capabilities = [\"deny\"] }\n",
        ),
        (
            "ignored-parameters",
            READ.to_owned()
                + "path \"a\" { capabilities = [\"list\"] denied_parameters = { \"x\" = [] } }\n",
        ),
        (
            "parameters-on-read",
            READ.to_owned()
                + "path \"a\" { capabilities = [\"read\"] denied_parameters = { \"x\" = [] } }\n",
        ),
        ("policy-rejected", "path \"a\" { capabilities = [\"reed\"] }\n".to_owned()),
        ("policy-syntax", "path \"a\" {".to_owned()),
        ("duplicate-attribute", "path \"a\" { comment = \"x\" comment = \"y\" }\n".to_owned()),
        (
            "dialect-specific",
            "path \"a\" { capabilities = [\"read\"] pagination_limit = 5 }\n".to_owned(),
        ),
        (
            "json-lost-value",
            "{\"path\": {\"a\": {\"capabilities\": [\"update\"], \
             \"allowed_parameters\": {\"x\": [true]}}}}"
                .to_owned(),
        ),
        ("json-flattened", "{\"path\": {\"a\": {\"allowed_parameters\": {\"x\": {}}}}}".to_owned()),
        ("unused-policy", "path \"a\" { capabilities = [\"read\"] }\n".to_owned()),
    ];
    for (code, text) in texts {
        let mut seen = BTreeSet::new();
        for (job, other, policy) in [(text.as_str(), READ, "job"), (READ, text.as_str(), "other")] {
            let file = format!("{policy}.hcl");
            for finding in findings(job, other, "") {
                let here = finding.place.as_ref().is_some_and(|place| place.file == file);
                let about = finding.policy.as_deref() == Some(policy);
                assert!(about || !here, "{code}: {finding:?}");
                seen.extend(about.then(|| finding.code.to_string()));
            }
        }
        assert!(seen.contains(code), "{code} is not among {seen:?}");
    }
}

#[test]
fn a_rejection_by_one_server_names_the_attached_policy() {
    let text = READ.to_owned() + "path \"b\" { capabilities = [\"read\"] pagination_limit = 5 }\n";
    let found = findings(&text, READ, "");
    let refusal = found.iter().find(|finding| finding.code == "dialect-dependent").unwrap();
    assert_eq!(refusal.policy.as_deref(), Some("job"));
}

#[test]
fn an_exception_of_a_policy_matches_its_name_and_not_the_message() {
    let unused = |allow: &str| {
        let found = findings(READ, READ, allow);
        let mut unused = found.into_iter().filter(|finding| finding.code == "unused-policy");
        unused.next().unwrap().level
    };
    assert_eq!(unused(""), Level::Warning);
    let allow = |policy: &str| {
        format!(
            "allow: [{{finding: unused-policy, policy: {policy}, reason: x, until: 2027-01-01}}]\n"
        )
    };
    assert_eq!(unused(&allow("other")), Level::Note);
    assert_eq!(unused(&allow("job")), Level::Warning);
}
