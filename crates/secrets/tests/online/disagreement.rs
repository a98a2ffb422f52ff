//! The policies in the repository and the server give different answers.

use crate::scenario::{DB, DB_RULE, Scenario, error, note, text_of};

#[test]
fn policies_that_allow_and_a_server_that_denies_disagree() {
    let scenario = || {
        Scenario::with_needs(DB)
            .with_policy(DB_RULE)
            .with_capabilities("secret/data/ml/db_creds", &["deny"])
    };
    scenario().expect_findings(
        &[error("server-disagrees")],
        1,
        &[
            "the policies in the repository allow read secret/data/ml/db_creds",
            "the server denies it",
            "the server is https://vault.example:8200",
            "on the token, but not attached: default",
            "compare `bao policy read ci-db`",
            "ci-db.hcl:1:6",
        ],
    );
    scenario()
        .with_facts(|online| online.token.policies = vec!["default".to_owned()])
        .expect_findings(
            &[error("server-disagrees")],
            1,
            &["attached, but not on the token: ci-db", "give the role the policy ci-db"],
        );
    scenario()
        .with_facts(|online| online.token.policies.push("locked-down".to_owned()))
        .expect_findings(
            &[error("server-disagrees"), note("unattached-policy")],
            1,
            &["that isn't attached denies it, such as locked-down"],
        );
    // Servers convert names to lower case: a name that differs only in case isn't reported.
    let upper = scenario().with_facts(|online| online.token.policies = vec!["CI-DB".to_owned()]);
    assert!(!text_of(&upper.outcome()).contains("but not"));
}

#[test]
fn a_server_that_allows_what_policies_deny_disagrees_too() {
    let nothing = "path \"secret/data/other\" {\n  capabilities = [\"deny\"]\n}\n";
    Scenario::with_needs(DB).with_policy(nothing).expect_findings(
        &[error("request-denied"), error("server-disagrees")],
        1,
        &["the server allows read secret/data/ml/db_creds", "`bao policy read default`"],
    );
}

#[test]
fn a_disagreement_names_every_request_of_a_need() {
    let writes = DB.replace("    path", "    capabilities: [update]\n    path");
    let rule = "path \"secret/data/ml/db_creds\" {\n  capabilities = [\"read\", \"create\", \"update\"]\n}\n";
    Scenario::with_needs(&writes)
        .with_policy(rule)
        .with_capabilities("secret/data/ml/db_creds", &["deny"])
        .expect_findings(
            &[error("server-disagrees")],
            1,
            &["read secret/data/ml/db_creds and create", "and update", "the server denies them"],
        );
}

#[test]
fn a_condition_of_a_rule_that_denies_is_not_a_disagreement_with_the_servers_capabilities() {
    for condition in ["min_wrapping_ttl = \"10s\"", "required_parameters = [\"version\"]"] {
        let rule = format!(
            "path \"secret/data/ml/db_creds\" {{\n  capabilities = [\"read\"]\n  {condition}\n}}\n"
        );
        Scenario::with_needs(DB).with_policy(rule.leak()).expect_findings(
            &[error("request-denied")],
            1,
            &[],
        );
    }
}

#[test]
fn a_policy_of_the_token_that_was_not_checked_is_reported() {
    let with = |names: &'static [&str]| {
        let policies = || names.iter().map(|name| (*name).to_owned()).collect();
        Scenario::with_needs(DB)
            .with_policy(DB_RULE)
            .with_facts(move |online| online.token.policies = policies())
    };
    with(&["default", "CI-DB", "团队-管理"]).expect_findings(
        &[note("unattached-policy")],
        0,
        &["what they grant wasn't checked: 团队-管理"],
    );
    with(&["default", "ci-db"]).expect_no_findings();
}
