//! The rights and the kind of the token.

use envlock_secrets::facts::ServerFacts;

use crate::scenario::{DB, DB_RULE, GROUP, Scenario, WAREHOUSE, error, warning};

#[test]
fn a_healthy_server_causes_no_findings() {
    Scenario::with_needs(DB).with_policy(DB_RULE).expect_no_findings();
    Scenario::with_needs(&format!("{DB}{WAREHOUSE}{GROUP}")).expect_no_findings();
    let chinese =
        DB.replace("db_creds", "数据库凭据").replace("ml/", "团队/").replace("host", "主机");
    Scenario::with_needs(&chinese).expect_no_findings();
}

#[test]
fn a_denial_by_policies_and_server_is_reported_once() {
    Scenario::with_needs(DB)
        .with_policy("path \"secret/data/x\" {\n  capabilities = [\"deny\"]\n}\n")
        .with_capabilities("secret/data/ml/db_creds", &["deny"])
        .expect_findings(&[error("request-denied")], 1, &["add to the policy ci-db (ci-db.hcl)"]);
}

#[test]
fn a_denial_by_the_server_is_reported_if_no_policies_are_attached() {
    let path = "secret/data/ml/db_creds";
    for granted in [&["deny"][..], &[], &["list", "update"], &["subscribe"], &["deny", "read"]] {
        Scenario::with_needs(DB).with_capabilities(path, granted).expect_findings(
            &[error("request-denied")],
            1,
            &["denied by the server", "policies are ci-db, default", "add to the policy ci-db"],
        );
    }
    for granted in [&["root"][..], &["read"], &["read", "list", "unheard-of"]] {
        Scenario::with_needs(DB).with_capabilities(path, granted).expect_no_findings();
    }
    let fix = Scenario::with_needs(DB).with_capabilities(path, &["list"]).outcome().findings[0]
        .fix
        .clone();
    let rule = "path \"secret/data/ml/db_creds\" {\n  capabilities = [\"list\", \"read\"]\n}\n";
    assert_eq!(fix.as_deref(), Some(rule));
}

#[test]
fn a_denied_optional_need_is_an_error_and_chinese_names_are_kept() {
    let needs =
        "  令牌: {engine: kv2, mount: 密钥, path: 团队/令牌, required: false, why: 下载模型}\n";
    Scenario::with_needs(needs)
        .with_capabilities("密钥/data/团队/令牌", &["deny"])
        .expect_findings(
            &[error("request-denied")],
            1,
            &["read 密钥/data/团队/令牌", "a denied need can't be read", "令牌 is for: 下载模型"],
        );
}

#[test]
fn a_write_requires_create_and_update_and_a_protected_endpoint_also_sudo() {
    let writes = DB.replace("    path", "    capabilities: [update]\n    path");
    let path = "secret/data/ml/db_creds";
    Scenario::with_needs(&writes).expect_no_findings();
    Scenario::with_needs(&writes).with_capabilities(path, &["read", "update"]).expect_findings(
        &[error("request-denied")],
        1,
        &["create secret/data"],
    );
    let sudo = DB.replace("    path", "    capabilities: [sudo]\n    path");
    Scenario::with_needs(&sudo).expect_findings(
        &[error("request-denied")],
        1,
        &["has only read there"],
    );
    Scenario::with_needs(&sudo).with_capabilities(path, &["read", "sudo"]).expect_no_findings();
}

#[test]
fn the_server_decides_if_the_policies_depend_on_the_identity() {
    let templated = "path \"secret/data/{{identity.entity.name}}/db_creds\" {\n  capabilities = [\"read\"]\n}\n";
    let scenario = || Scenario::with_needs(DB).with_policy(templated);
    scenario().expect_findings(&[error("depends-on-identity")], 1, &[]);
    scenario().with_capabilities("secret/data/ml/db_creds", &["deny"]).expect_findings(
        &[error("depends-on-identity"), error("request-denied")],
        1,
        &["denied by the server"],
    );
}

#[test]
fn a_root_token_is_an_error_and_on_a_development_server_a_warning() {
    let root = |online: &mut ServerFacts| {
        online.token.policies = vec!["root".to_owned()];
        online.token.expires = None;
    };
    let dev = "    allow_plaintext_loopback: true\n";
    let forbids = "    token: {forbid: [root]}\n";
    let texts = &["has the policy root", "proves nothing"];
    Scenario::with_needs(DB).with_facts(root).expect_findings(&[error("root-token")], 1, texts);
    Scenario::with_needs(DB).with_lines(dev).with_facts(root).expect_findings(
        &[warning("root-token")],
        0,
        texts,
    );
    Scenario::with_needs(DB).with_lines(dev).with_lines(forbids).with_facts(root).expect_findings(
        &[error("root-token")],
        1,
        texts,
    );
    Scenario::with_needs(DB).with_lines("    attach: [root]\n").with_facts(root).expect_findings(
        &[error("root-token")],
        1,
        &["attaches the policy root"],
    );
    // What a server allows to root isn't a disagreement.
    let nothing = "path \"x\" {\n  capabilities = [\"deny\"]\n}\n";
    Scenario::with_needs(DB).with_policy(nothing).with_facts(root).expect_findings(
        &[error("request-denied"), error("root-token")],
        1,
        &[],
    );
}
