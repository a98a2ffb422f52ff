//! How it is told: the table, allowances, and names from elsewhere.

use std::collections::BTreeMap;

use envlock_secrets::checks::{Input, check};
use envlock_secrets::facts::{NeedFacts, Presence, UnknownReason};
use envlock_secrets::manifest::{Manifest, ManifestLocation};

use crate::story::{DB, DB_RULE, KV1, Story, VERIFIER, closed, no_names, note, now, text_of};

#[test]
fn an_allowance_accepts_what_a_server_leads_to_and_an_offline_run_keeps_it() {
    let until = "until: 2999-12-31";
    let allow = |code: &str| {
        format!("allow:\n  - {{finding: {code}, need: db_creds, reason: soon, {until}}}\n")
    };
    Story::of(DB).with(&allow("missing")).absent("db_creds").ends(
        &[note("missing")],
        0,
        &["accepted until 2999-12-31"],
    );
    let unknown = |facts: &mut NeedFacts| facts.fields = Err(UnknownReason::Forbidden);
    Story::of(DB).with(&allow("unverifiable")).need("db_creds", unknown).ends(
        &[note("unverifiable")],
        0,
        &[],
    );
    for (code, kept) in [("missing", true), ("excess", false)] {
        let text = Story::of(DB).with(&allow(code)).text;
        let manifest = Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile);
        let manifest = manifest.expect("the manifest is right").expect("it has needs");
        let input = Input {
            manifest: &manifest,
            files: &BTreeMap::new(),
            profile: None,
            dialect: None,
            now: now(),
            horizon_days: 30,
            online: None,
        };
        let findings = closed(&check(&input).expect("no policy is named"), &[]).findings;
        let unused = findings.iter().any(|finding| finding.code == "unused-allowance");
        assert_eq!(unused, !kept, "{code}");
    }
}

#[test]
fn the_table_has_both_answers_side_by_side() {
    let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
    let request = "read secret/data/ml/db_creds";
    let whole = "is there, with host, password";
    let story = || Story::of(DB).attached(DB_RULE);
    assert_eq!(
        story().table(),
        [row(["db_creds", request, "allowed", "allowed"]), row(["db_creds", whole, "-", "yes"])]
    );
    assert_eq!(
        story().but(VERIFIER).absent("db_creds").table(),
        [row(["db_creds", request, "allowed", "-"]), row(["db_creds", whole, "-", "no"])]
    );
    assert_eq!(
        Story::of(DB).may("secret/data/ml/db_creds", &["deny"]).need("db_creds", no_names).table(),
        [
            row(["db_creds", request, "-", "denied"]),
            row(["db_creds", whole, "-", "yes, fields unknown"])
        ]
    );
    let words = |presence: Presence| {
        let told = Story::of(DB).need("db_creds", move |f| f.presence = Ok(presence.clone()));
        told.table()[1][3].clone()
    };
    assert_eq!(words(Presence::Deleted), "deleted");
    assert_eq!(words(Presence::Destroyed), "destroyed");
    assert_eq!(Story::of(KV1).table()[1][1..], ["is there", "-", "yes"].map(str::to_owned));
}

#[test]
fn rows_are_data_for_scripts_too() {
    let rights = Story::of(DB).attached(DB_RULE).outcome().rights;
    let rows = serde_json::to_value(&rights).expect("rows are JSON");
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
fn what_a_server_calls_things_moves_no_cursor_and_adds_no_line() {
    let hostile = |facts: &mut NeedFacts| {
        facts.fields = Ok(["a\nerror[x]: y\u{1b}[2J".to_owned()].into());
    };
    let text = text_of(&Story::of(DB).need("db_creds", hostile).outcome());
    assert!(!text.contains('\u{1b}') && !text.contains("\nerror[x]"), "{text}");
}
