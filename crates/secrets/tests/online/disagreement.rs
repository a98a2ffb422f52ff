//! The policies in the repository and the server say different things.

use crate::story::{DB, DB_RULE, Story, error, note, text_of};

#[test]
fn policies_that_allow_and_a_server_that_denies_disagree() {
    let story = || Story::of(DB).attached(DB_RULE).may("secret/data/ml/db_creds", &["deny"]);
    story().ends(
        &[error("disagreement")],
        1,
        &[
            "the policies in the repository allow read secret/data/ml/db_creds",
            "the server denies it",
            "the server is https://vault.example:8200",
            "on the token, but not attached: default",
            "compare `vault policy read ci-db`",
            "ci-db.hcl:1:6",
        ],
    );
    story().but(|online| online.token.policies = vec!["default".to_owned()]).ends(
        &[error("disagreement")],
        1,
        &["attached, but not on the token: ci-db", "give the role the policy ci-db"],
    );
    story().but(|online| online.token.policies.push("locked-down".to_owned())).ends(
        &[error("disagreement"), note("unattached-policy")],
        1,
        &["that isn't attached denies it, such as locked-down"],
    );
    // Servers write names in lower case; of a name that is only written otherwise nothing is said.
    let upper = story().but(|online| online.token.policies = vec!["CI-DB".to_owned()]);
    assert!(!text_of(&upper.outcome()).contains("but not"));
}

#[test]
fn a_server_that_allows_what_policies_deny_disagrees_too() {
    let nothing = "path \"secret/data/other\" {\n  capabilities = [\"deny\"]\n}\n";
    Story::of(DB).attached(nothing).ends(
        &[error("denied"), error("disagreement")],
        1,
        &["the server allows read secret/data/ml/db_creds", "`vault policy read default`"],
    );
}

#[test]
fn one_disagreement_names_every_request_of_a_need() {
    let writes = DB.replace("    path", "    capabilities: [update]\n    path");
    let rule = "path \"secret/data/ml/db_creds\" {\n  capabilities = [\"read\", \"create\", \"update\"]\n}\n";
    Story::of(&writes).attached(rule).may("secret/data/ml/db_creds", &["deny"]).ends(
        &[error("disagreement")],
        1,
        &["read secret/data/ml/db_creds and create", "and update", "the server denies them"],
    );
}

#[test]
fn a_condition_that_refuses_is_no_disagreement_with_the_capability_that_the_server_tells() {
    for condition in ["min_wrapping_ttl = \"10s\"", "required_parameters = [\"version\"]"] {
        let rule = format!(
            "path \"secret/data/ml/db_creds\" {{\n  capabilities = [\"read\"]\n  {condition}\n}}\n"
        );
        Story::of(DB).attached(rule.leak()).ends(&[error("denied")], 1, &[]);
    }
}

#[test]
fn a_policy_of_the_token_that_nobody_judged_is_told() {
    let with = |names: &'static [&str]| {
        let policies = || names.iter().map(|name| (*name).to_owned()).collect();
        Story::of(DB).attached(DB_RULE).but(move |online| online.token.policies = policies())
    };
    with(&["default", "CI-DB", "团队-管理"]).ends(
        &[note("unattached-policy")],
        0,
        &["nobody judged what they grant: 团队-管理"],
    );
    with(&["default", "ci-db"]).passes();
}
