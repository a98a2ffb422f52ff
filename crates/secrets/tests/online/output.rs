//! The output: the table, exceptions, and names from a server.

use std::collections::BTreeMap;

use envlock_secrets::checks::{Input, check};
use envlock_secrets::facts::{NeedFacts, Presence, UnknownReason};
use envlock_secrets::manifest::{Manifest, ManifestLocation};

use crate::scenario::{
    DB, DB_RULE, KV1, Scenario, VERIFIER, final_report, note, now, text_of, without_field_names,
};

#[test]
fn an_exception_of_a_server_code_applies_online_and_is_not_unused_offline() {
    let until = "until: 2999-12-31";
    let allow = |code: &str| {
        format!("allow:\n  - {{finding: {code}, need: db_creds, reason: soon, {until}}}\n")
    };
    Scenario::with_needs(DB)
        .with_lines(&allow("secret-missing"))
        .with_absent("db_creds")
        .expect_findings(&[note("secret-missing")], 0, &["accepted until 2999-12-31"]);
    let unknown = |facts: &mut NeedFacts| facts.fields = Err(UnknownReason::Forbidden);
    Scenario::with_needs(DB)
        .with_lines(&allow("unverifiable"))
        .with_need_facts("db_creds", unknown)
        .expect_findings(&[note("unverifiable")], 0, &[]);
    for (code, kept) in [("secret-missing", true), ("excess-rights", false)] {
        let text = Scenario::with_needs(DB).with_lines(&allow(code)).text;
        let manifest = Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile);
        let manifest = manifest.expect("a valid manifest").expect("a manifest with needs");
        let input = Input {
            manifest: &manifest,
            files: &BTreeMap::new(),
            profile: None,
            dialect: None,
            now: now(),
            horizon_days: 30,
            online: None,
        };
        let findings = final_report(&check(&input).expect("no policy is required"), &[]).findings;
        let unused = findings.iter().any(|finding| finding.code == "unused-exception");
        assert_eq!(unused, !kept, "{code}");
    }
}

#[test]
fn the_table_has_a_column_for_the_policies_and_one_for_the_server() {
    let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
    let request = "read secret/data/ml/db_creds";
    let whole = "exists, with host, password";
    let scenario = || Scenario::with_needs(DB).with_policy(DB_RULE);
    assert_eq!(
        scenario().table(),
        [row(["db_creds", request, "allowed", "allowed"]), row(["db_creds", whole, "-", "yes"])]
    );
    assert_eq!(
        scenario().with_facts(VERIFIER).with_absent("db_creds").table(),
        [row(["db_creds", request, "allowed", "-"]), row(["db_creds", whole, "-", "no"])]
    );
    assert_eq!(
        Scenario::with_needs(DB)
            .with_capabilities("secret/data/ml/db_creds", &["deny"])
            .with_need_facts("db_creds", without_field_names)
            .table(),
        [
            row(["db_creds", request, "-", "denied"]),
            row(["db_creds", whole, "-", "yes, fields unknown"])
        ]
    );
    let server_text = |presence: Presence| {
        let scenario = Scenario::with_needs(DB)
            .with_need_facts("db_creds", move |f| f.presence = Ok(presence.clone()));
        scenario.table()[1][3].clone()
    };
    assert_eq!(server_text(Presence::Deleted), "deleted");
    assert_eq!(server_text(Presence::Destroyed), "destroyed");
    assert_eq!(
        Scenario::with_needs(KV1).table()[1][1..],
        ["exists", "-", "yes"].map(str::to_owned)
    );
}

#[test]
fn rows_are_serialised_for_scripts() {
    let rows = Scenario::with_needs(DB).with_policy(DB_RULE).outcome().rows;
    let rows = serde_json::to_value(&rows).expect("the rows are JSON");
    let expected = serde_json::json!([
        {
            "need": "db_creds", "profiles": ["ci"], "question": "request", "operation": "read",
            "path": "secret/data/ml/db_creds", "policies": "allowed", "server": "allowed"
        },
        {
            "need": "db_creds", "profiles": ["ci"], "question": "presence",
            "fields": ["host", "password"], "policies": null, "server": "yes"
        }
    ]);
    assert_eq!(rows, expected);
}

#[test]
fn names_from_a_server_contain_no_control_characters_and_no_line_breaks_in_the_output() {
    let hostile = |facts: &mut NeedFacts| {
        facts.fields = Ok(["a\nerror[x]: y\u{1b}[2J".to_owned()].into());
    };
    let text = text_of(&Scenario::with_needs(DB).with_need_facts("db_creds", hostile).outcome());
    assert!(!text.contains('\u{1b}') && !text.contains("\nerror[x]"), "{text}");
}
