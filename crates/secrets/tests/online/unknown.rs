//! Facts that a server doesn't report.

use envlock_policy::Product;
use envlock_report::outcome::DenyTarget;
use envlock_secrets::facts::{NeedFacts, ServerFacts, UnknownReason};

use crate::scenario::{
    DB, DB_RULE, KV1, Scenario, VERIFIER, WAREHOUSE, error, final_report, note, warning,
};

#[test]
fn a_path_that_is_missing_in_the_answer_is_neither_allowed_nor_denied() {
    let left_out = |online: &mut ServerFacts| {
        online.capabilities.as_mut().expect("the capabilities were requested").clear();
    };
    let texts = &["whether read secret/data/ml/db_creds is allowed", "doesn't contain this path"];
    Scenario::with_needs(DB).with_policy(DB_RULE).with_facts(left_out).expect_findings(
        &[error("unverifiable")],
        3,
        texts,
    );
}

#[test]
fn an_unknown_fact_is_not_a_success() {
    let forbidden = |facts: &mut NeedFacts| {
        facts.presence = Err(UnknownReason::Forbidden);
        facts.fields = Err(UnknownReason::Forbidden);
    };
    let unknown = &[error("unverifiable")];
    Scenario::with_needs(DB).with_need_facts("db_creds", forbidden).expect_findings(
        unknown,
        3,
        &[
            "whether secret/ml/db_creds exists, which fields it has",
            "path \"secret/metadata/ml/db_creds\" { capabilities = [\"read\"] }",
            "path \"secret/subkeys/ml/db_creds\" { capabilities = [\"read\"] }",
        ],
    );
    let no_mount = |facts: &mut NeedFacts| {
        facts.mount = Err(UnknownReason::Forbidden);
        facts.presence = Err(UnknownReason::NotRequested);
        facts.fields = Err(UnknownReason::NotRequested);
    };
    Scenario::with_needs(DB).with_need_facts("db_creds", no_mount).expect_findings(
        unknown,
        3,
        &["which engine is mounted at secret", "a mount that doesn't exist", "the namespace"],
    );
    let unsupported =
        |online: &mut ServerFacts| online.capabilities = Err(UnknownReason::Unsupported);
    Scenario::with_needs(DB).with_policy(DB_RULE).with_facts(unsupported).expect_findings(
        unknown,
        3,
        &["2.4.0, doesn't support the request", "write `verify: offline`"],
    );
    let forbidden_rights =
        |online: &mut ServerFacts| online.capabilities = Err(UnknownReason::Forbidden);
    Scenario::with_needs(DB).with_facts(forbidden_rights).expect_findings(
        unknown,
        3,
        &["path \"sys/capabilities-self\""],
    );
    Scenario::with_needs(DB).with_facts(|online| online.needs.clear()).expect_findings(
        unknown,
        3,
        &["exists"],
    );
    let optional = DB.replace("    path", "    required: false\n    path");
    Scenario::with_needs(&optional).with_need_facts("db_creds", forbidden).expect_findings(
        &[note("unverifiable")],
        0,
        &[],
    );
    let offline = DB.replace("    path", "    verify: offline\n    path");
    Scenario::with_needs(&offline)
        .with_policy(DB_RULE)
        .with_need_facts("db_creds", forbidden)
        .expect_no_findings();
    Scenario::with_needs(&offline)
        .with_policy(DB_RULE)
        .with_absent("db_creds")
        .expect_no_findings();
    // Its rights are known, and must not contradict the policies.
    let denied = Scenario::with_needs(&offline)
        .with_policy(DB_RULE)
        .with_capabilities("secret/data/ml/db_creds", &["deny"]);
    denied.expect_findings(&[error("server-disagrees")], 1, &[]);
    // A secret with field names exists, even if its metadata can't be read.
    let by_names = |facts: &mut NeedFacts| facts.presence = Err(UnknownReason::Forbidden);
    Scenario::with_needs(DB).with_need_facts("db_creds", by_names).expect_no_findings();
    // An unknown mount is reported only if another fact depends on it.
    let no_mount = |facts: &mut NeedFacts| facts.mount = Err(UnknownReason::Forbidden);
    Scenario::with_needs(DB).with_need_facts("db_creds", no_mount).expect_no_findings();
}

#[test]
fn engines_without_a_safe_request_are_reported() {
    Scenario::with_needs(KV1).expect_findings(
        &[note("unverifiable")],
        0,
        &["which fields it has", "move it to kv2"],
    );
    Scenario::with_needs(KV1).with_absent("legacy").expect_findings(
        &[error("secret-missing")],
        1,
        &["kv/x/a doesn't exist"],
    );
    let cubbyhole = "  own: {engine: cubbyhole, mount: cubbyhole, path: x, fields: {a: A}}\n";
    let no_way = |facts: &mut NeedFacts| facts.presence = Err(UnknownReason::NoSafeRequest);
    Scenario::with_needs(cubbyhole).with_need_facts("own", no_way).expect_findings(
        &[error("unverifiable")],
        3,
        &["could return a value", "verify: offline"],
    );
}

#[test]
fn an_error_decides_the_exit_code_before_an_unknown_fact() {
    let unknown = |facts: &mut NeedFacts| facts.fields = Err(UnknownReason::Forbidden);
    let both = format!("{DB}{WAREHOUSE}");
    let scenario = || Scenario::with_needs(&both).with_need_facts("db_creds", unknown);
    scenario().with_absent("warehouse").expect_findings(
        &[error("unverifiable"), error("secret-missing")],
        1,
        &[],
    );
    scenario().expect_findings(&[error("unverifiable")], 3, &[]);
    let endless = |online: &mut ServerFacts| online.token.expires = None;
    let outcome = scenario().with_facts(endless).outcome();
    let exits =
        [&[][..], &[DenyTarget::Warnings]].map(|deny| final_report(&outcome, deny).exit.code());
    assert_eq!(exits, [3, 1]);
}

#[test]
fn with_a_presence_check_the_server_proves_presence_and_the_policies_prove_rights() {
    Scenario::with_needs(DB).with_policy(DB_RULE).with_facts(VERIFIER).expect_no_findings();
    Scenario::with_needs(DB)
        .with_policy(DB_RULE)
        .with_facts(VERIFIER)
        .with_absent("db_creds")
        .expect_findings(&[error("secret-missing")], 1, &[]);
    Scenario::with_needs(DB).with_facts(VERIFIER).expect_findings(
        &[error("unverifiable")],
        3,
        &["no policies are attached for the job", "add `attach: [POLICY, …]`"],
    );
}

#[test]
fn a_profile_with_a_namespace_is_told_that_the_server_has_none() {
    let scenario = |has_namespaces: Option<bool>| {
        Scenario::with_needs(DB)
            .with_lines("    namespace: {env: TEAM}\n")
            .in_namespace("admin/team-a")
            .with_facts(move |online| online.server.has_namespaces = has_namespaces)
    };
    let ignored = &[warning("namespace-ignored")];
    scenario(Some(false)).expect_findings(ignored, 0, &["it ignores admin/team-a"]);
    scenario(Some(true)).expect_no_findings();
    scenario(None).expect_no_findings();
    let none = |online: &mut ServerFacts| online.server.has_namespaces = Some(false);
    Scenario::with_needs(DB).with_facts(none).expect_no_findings();
}

#[test]
fn help_names_the_program_of_the_server() {
    let product = |product: Product| {
        let mut scenario = Scenario::with_needs(DB).with_facts(move |online| {
            online.server.product = Some(product);
            online.token.expires = None;
        });
        scenario.text = scenario.text.replace("server: {product: openbao}\n", "");
        scenario
    };
    let endless = &[warning("non-expiring-token")];
    product(Product::OpenBao).expect_findings(endless, 0, &["`bao token create -ttl=1h`"]);
    product(Product::Vault).expect_findings(endless, 0, &["`vault token create -ttl=1h`"]);
}
