//! What the token may do, and what it is.

use envlock_secrets::facts::ServerFacts;

use crate::story::{DB, DB_RULE, GROUP, Story, WAREHOUSE, error, warning};

#[test]
fn where_all_is_well_nothing_is_found() {
    Story::of(DB).attached(DB_RULE).passes();
    Story::of(&format!("{DB}{WAREHOUSE}{GROUP}")).passes();
    let chinese =
        DB.replace("db_creds", "数据库凭据").replace("ml/", "团队/").replace("host", "主机");
    Story::of(&chinese).passes();
}

#[test]
fn what_both_deny_is_told_once() {
    Story::of(DB)
        .attached("path \"secret/data/x\" {\n  capabilities = [\"deny\"]\n}\n")
        .may("secret/data/ml/db_creds", &["deny"])
        .ends(&[error("denied")], 1, &["add to the policy ci-db (ci-db.hcl)"]);
}

#[test]
fn what_the_server_denies_is_denied_where_nothing_is_attached() {
    let path = "secret/data/ml/db_creds";
    for granted in [&["deny"][..], &[], &["list", "update"], &["subscribe"], &["deny", "read"]] {
        Story::of(DB).may(path, granted).ends(
            &[error("denied")],
            1,
            &["denied by the server", "policies are ci-db, default", "add to the policy ci-db"],
        );
    }
    for granted in [&["root"][..], &["read"], &["read", "list", "unheard-of"]] {
        Story::of(DB).may(path, granted).passes();
    }
    let fix = Story::of(DB).may(path, &["list"]).outcome().findings[0].fix.clone();
    let rule = "path \"secret/data/ml/db_creds\" {\n  capabilities = [\"list\", \"read\"]\n}\n";
    assert_eq!(fix.as_deref(), Some(rule));
}

#[test]
fn an_optional_need_that_is_denied_stays_an_error_and_chinese_names_are_kept() {
    let needs =
        "  令牌: {engine: kv2, mount: 密钥, path: 团队/令牌, required: false, why: 下载模型}\n";
    Story::of(needs).may("密钥/data/团队/令牌", &["deny"]).ends(
        &[error("denied")],
        1,
        &["read 密钥/data/团队/令牌", "denied isn't absent", "令牌 is for: 下载模型"],
    );
}

#[test]
fn a_write_takes_create_and_update_and_sudo_comes_on_top() {
    let writes = DB.replace("    path", "    capabilities: [update]\n    path");
    let path = "secret/data/ml/db_creds";
    Story::of(&writes).passes();
    Story::of(&writes).may(path, &["read", "update"]).ends(
        &[error("denied")],
        1,
        &["create secret/data"],
    );
    let sudo = DB.replace("    path", "    capabilities: [sudo]\n    path");
    Story::of(&sudo).ends(&[error("denied")], 1, &["has only read there"]);
    Story::of(&sudo).may(path, &["read", "sudo"]).passes();
}

#[test]
fn what_policies_leave_open_the_server_settles() {
    let templated = "path \"secret/data/{{identity.entity.name}}/db_creds\" {\n  capabilities = [\"read\"]\n}\n";
    let story = || Story::of(DB).attached(templated);
    story().ends(&[error("depends-on-identity")], 1, &[]);
    story().may("secret/data/ml/db_creds", &["deny"]).ends(
        &[error("denied"), error("depends-on-identity")],
        1,
        &["denied by the server"],
    );
}

#[test]
fn a_root_token_is_an_error_but_on_a_development_server() {
    let root = |online: &mut ServerFacts| {
        online.token.policies = vec!["root".to_owned()];
        online.token.expires = None;
    };
    let dev = "    allow_plaintext_loopback: true\n";
    let forbids = "    token: {forbid: [root]}\n";
    let says = &["has the policy root", "proves nothing"];
    Story::of(DB).but(root).ends(&[error("root-token")], 1, says);
    Story::of(DB).with(dev).but(root).ends(&[warning("root-token")], 0, says);
    Story::of(DB).with(dev).with(forbids).but(root).ends(&[error("root-token")], 1, says);
    Story::of(DB).with("    attach: [root]\n").but(root).ends(
        &[error("root-token")],
        1,
        &["attaches the policy root"],
    );
    // What a server allows to root is no disagreement.
    let nothing = "path \"x\" {\n  capabilities = [\"deny\"]\n}\n";
    Story::of(DB).attached(nothing).but(root).ends(&[error("denied"), error("root-token")], 1, &[]);
}
