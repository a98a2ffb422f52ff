//! The properties of a token, and its remaining uses.

use envlock_report::{AsFindings as _, Exit};
use envlock_testkit::ScriptedAnswer;
use envlock_vault::ProbeError;
use serde_json::json;

use crate::support::{
    DB, HEALTH, JWT_LOGIN, LOOKUP, REVOKE, TOKEN, TestJob, finding_of, login, requests_of, server,
    token,
};

#[test]
fn a_supplied_token_that_is_denied_lookup_self_is_refused() {
    let script = server("imitates a server that doesn't know the token").answer_on(
        "GET",
        "auth/token/lookup-self",
        ScriptedAnswer::errors(403, &["permission denied"]),
    );
    let failure = TestJob::on(&script).with_auth(TOKEN).failure();
    assert_eq!(failure, ProbeError::TokenRefused);
    assert_eq!(
        (finding_of(&failure).code.as_str(), failure.exit()),
        ("token-refused", Exit::LoginRefused)
    );
    assert_eq!(
        finding_of(&failure).help.as_deref(),
        Some("get a new one: `bao login` or `vault login`")
    );
    assert_eq!(requests_of(&script), [HEALTH, LOOKUP]);
}

#[test]
fn the_answer_of_the_login_is_used_if_lookup_self_is_denied() {
    let granted = json!({ "policies": ["default", "ml"], "lease_duration": 900, "num_uses": 50 });
    let script = server("imitates a role without the policy default")
        .answer_on("POST", "auth/jwt/login", login(&granted))
        .answer_on(
            "GET",
            "auth/token/lookup-self",
            ScriptedAnswer::errors(403, &["permission denied"]),
        );
    let job = TestJob::on(&script);
    let token = job.facts().token;
    assert!(token.logged_in && token.renewable && !token.batch);
    assert_eq!((token.ttl, token.uses_left), (900, Some(50)));
    assert_eq!(token.policies, ["default", "ml"]);
    assert_eq!(token.expires.unwrap().as_second(), job.now.as_second() + 900);
}

#[test]
fn lookup_self_takes_precedence_over_the_answer_of_the_login() {
    let script = server("imitates a server with identities").answer_on(
        "GET",
        "auth/token/lookup-self",
        token(&json!({
            "policies": ["default", "ml"],
            "identity_policies": ["team", "ml"],
            "ttl": 600,
            "period": 3600,
            "explicit_max_ttl": 7200,
            "renewable": false,
            "expire_time": "2030-01-01T00:00:00.123456789+08:00",
            "namespace_path": "team/",
        })),
    );
    let token = TestJob::on(&script).facts().token;
    assert_eq!(token.policies, ["default", "ml", "team"]);
    assert_eq!((token.ttl, token.period, token.explicit_max_ttl), (600, 3600, 7200));
    assert!(!token.renewable && token.logged_in);
    assert_eq!(token.expires.unwrap(), "2029-12-31T16:00:00.123456789Z".parse().unwrap());
}

#[test]
fn a_token_that_never_expires_has_no_expiration() {
    let root = json!({ "policies": ["root"], "ttl": 0, "expire_time": null, "renewable": false });
    let script = server("imitates a server in development").answer_on(
        "GET",
        "auth/token/lookup-self",
        token(&root),
    );
    let token = TestJob::on(&script).with_auth(TOKEN).facts().token;
    assert_eq!((token.ttl, token.expires, token.logged_in), (0, None, false));
    assert_eq!(requests_of(&script).last().map(String::as_str), Some(crate::support::FIELDS));
}

#[test]
fn a_token_with_too_few_uses_is_not_consumed() {
    let uses = |uses: u64, needs: &[(&str, &str)]| {
        let script = server("imitates a token of a few uses").answer_on(
            "GET",
            "auth/token/lookup-self",
            token(&json!({ "num_uses": uses })),
        );
        let facts = TestJob::on(&script).with_needs(needs).run().facts;
        (facts, requests_of(&script))
    };
    let (one, other) = (("a", DB), DB.replace("DB_", "OTHER_"));
    let two = [one, ("b", other.as_str())];
    let (facts, requests) = uses(7, &[one]);
    let failure = facts.unwrap_err();
    assert_eq!(failure, ProbeError::TooFewTokenUses { left: 7, planned: 8 });
    assert_eq!(
        (finding_of(&failure).code.as_str(), failure.exit()),
        ("too-few-token-uses", Exit::Undetermined)
    );
    assert_eq!(requests, [HEALTH, JWT_LOGIN, LOOKUP, REVOKE]);

    let (facts, requests) = uses(8, &[one]);
    assert_eq!(facts.unwrap().token.uses_left, Some(8));
    let with_token = requests.len() - 2;
    assert!(with_token <= 8, "{requests:?}");

    assert_eq!(uses(11, &two).0, Err(ProbeError::TooFewTokenUses { left: 11, planned: 12 }));
    assert_eq!(uses(12, &two).0.unwrap().token.uses_left, Some(12));
    assert_eq!(uses(0, &two).0.unwrap().token.uses_left, None);
}

#[test]
fn only_a_refused_lookup_means_a_refused_token() {
    for (answer, code) in [
        (ScriptedAnswer::errors(400, &["missing client token"]), "token-refused"),
        (ScriptedAnswer::errors(404, &[]), "unreadable-answer"),
        (ScriptedAnswer::empty(204), "unreadable-answer"),
        (ScriptedAnswer::empty(302), "unreadable-answer"),
    ] {
        let script = server("imitates a proxy that lets few paths through").answer_on(
            "GET",
            "auth/token/lookup-self",
            answer,
        );
        assert_eq!(finding_of(&TestJob::on(&script).with_auth(TOKEN).failure()).code, code);
        assert_eq!(requests_of(&script), [HEALTH, LOOKUP]);
        assert!(TestJob::on(&script).facts().token.logged_in);
    }
}
