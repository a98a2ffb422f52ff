//! What a server does not tell.

use envlock_report::sink::DenyTarget;
use envlock_secrets::facts::{NeedFacts, ServerFacts, UnknownReason};

use crate::story::{DB, DB_RULE, KV1, Story, VERIFIER, WAREHOUSE, closed, error, note};

#[test]
fn a_path_that_the_answer_leaves_out_is_neither_allowed_nor_denied() {
    let left_out = |online: &mut ServerFacts| {
        online.capabilities.as_mut().expect("they were asked").clear();
    };
    let says = &["whether read secret/data/ml/db_creds is allowed", "left this path out"];
    Story::of(DB).attached(DB_RULE).but(left_out).ends(&[error("unverifiable")], 3, says);
}

#[test]
fn what_the_server_does_not_tell_is_no_yes() {
    let forbidden = |facts: &mut NeedFacts| {
        facts.presence = Err(UnknownReason::Forbidden);
        facts.fields = Err(UnknownReason::Forbidden);
    };
    let unknown = &[error("unverifiable")];
    Story::of(DB).need("db_creds", forbidden).ends(
        unknown,
        3,
        &[
            "whether secret/ml/db_creds is there, which fields it has",
            "path \"secret/metadata/ml/db_creds\" { capabilities = [\"read\"] }",
            "path \"secret/subkeys/ml/db_creds\" { capabilities = [\"read\"] }",
        ],
    );
    let no_mount = |facts: &mut NeedFacts| {
        facts.mount = Err(UnknownReason::Forbidden);
        facts.presence = Err(UnknownReason::NotRequested);
        facts.fields = Err(UnknownReason::NotRequested);
    };
    Story::of(DB).need("db_creds", no_mount).ends(
        unknown,
        3,
        &["which engine is mounted at secret", "a mount that isn't there", "the namespace"],
    );
    let unsupported =
        |online: &mut ServerFacts| online.capabilities = Err(UnknownReason::Unsupported);
    Story::of(DB).attached(DB_RULE).but(unsupported).ends(
        unknown,
        3,
        &["2.4.0, has no such request", "say `verify: offline`"],
    );
    let forbidden_rights =
        |online: &mut ServerFacts| online.capabilities = Err(UnknownReason::Forbidden);
    Story::of(DB).but(forbidden_rights).ends(unknown, 3, &["path \"sys/capabilities-self\""]);
    Story::of(DB).but(|online| online.needs.clear()).ends(unknown, 3, &["is there"]);
    let optional = DB.replace("    path", "    required: false\n    path");
    Story::of(&optional).need("db_creds", forbidden).ends(&[note("unverifiable")], 0, &[]);
    let offline = DB.replace("    path", "    verify: offline\n    path");
    Story::of(&offline).attached(DB_RULE).need("db_creds", forbidden).passes();
    Story::of(&offline).attached(DB_RULE).absent("db_creds").passes();
    // Its rights are known all the same, and may not contradict.
    let denied = Story::of(&offline).attached(DB_RULE).may("secret/data/ml/db_creds", &["deny"]);
    denied.ends(&[error("disagreement")], 1, &[]);
    // Names of fields are those of something that is there, whoever may read its metadata.
    let by_names = |facts: &mut NeedFacts| facts.presence = Err(UnknownReason::Forbidden);
    Story::of(DB).need("db_creds", by_names).passes();
    // An unknown mount matters only where it is the reason for something.
    let no_mount = |facts: &mut NeedFacts| facts.mount = Err(UnknownReason::Forbidden);
    Story::of(DB).need("db_creds", no_mount).passes();
}

#[test]
fn engines_without_a_safe_way_say_so() {
    Story::of(KV1).ends(&[note("unverifiable")], 0, &["which fields it has", "move it to kv2"]);
    Story::of(KV1).absent("legacy").ends(&[error("missing")], 1, &["kv/x/a isn't there"]);
    let cubbyhole = "  own: {engine: cubbyhole, mount: cubbyhole, path: x, fields: {a: A}}\n";
    let no_way = |facts: &mut NeedFacts| facts.presence = Err(UnknownReason::NoSafeRequest);
    Story::of(cubbyhole).need("own", no_way).ends(
        &[error("unverifiable")],
        3,
        &["could return a value", "verify: offline"],
    );
}

#[test]
fn what_is_wrong_weighs_more_than_what_is_unknown() {
    let unknown = |facts: &mut NeedFacts| facts.fields = Err(UnknownReason::Forbidden);
    let both = format!("{DB}{WAREHOUSE}");
    let story = || Story::of(&both).need("db_creds", unknown);
    story().absent("warehouse").ends(&[error("unverifiable"), error("missing")], 1, &[]);
    story().ends(&[error("unverifiable")], 3, &[]);
    let endless = |online: &mut ServerFacts| online.token.expires = None;
    let outcome = story().but(endless).outcome();
    let exits = [&[][..], &[DenyTarget::Warnings]].map(|deny| closed(&outcome, deny).exit.code());
    assert_eq!(exits, [3, 1]);
}

#[test]
fn a_verifier_proves_presence_and_the_policies_the_rights() {
    Story::of(DB).attached(DB_RULE).but(VERIFIER).passes();
    Story::of(DB).attached(DB_RULE).but(VERIFIER).absent("db_creds").ends(
        &[error("missing")],
        1,
        &[],
    );
    Story::of(DB).but(VERIFIER).ends(
        &[error("unverifiable")],
        3,
        &["no policies speak for the job", "add `attach: [POLICY, …]`"],
    );
}
