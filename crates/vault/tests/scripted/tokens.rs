//! What a token is, and how many requests it is good for.

use envlock_report::{AsFindings as _, Exit};
use envlock_testkit::ScriptedAnswer;
use envlock_vault::ProbeError;
use serde_json::json;

use crate::support::{
    DB, HEALTH, JWT_LOGIN, Job, LOOKUP, REVOKE, TOKEN, asked, login, server, token, told,
};

#[test]
fn a_given_token_that_may_not_look_at_itself_is_refused() {
    let script = server("imitates a server that doesn't know the token").answer_on(
        "GET",
        "auth/token/lookup-self",
        ScriptedAnswer::errors(403, &["permission denied"]),
    );
    let failure = Job::at(&script).by(TOKEN).failure();
    assert_eq!(failure, ProbeError::TokenRefused);
    assert_eq!(
        (told(&failure).code.as_str(), failure.exit()),
        ("token-refused", Exit::LoginRefused)
    );
    assert_eq!(told(&failure).help.as_deref(), Some("get a new one: `bao login` or `vault login`"));
    assert_eq!(asked(&script), [HEALTH, LOOKUP]);
}

#[test]
fn after_a_login_its_own_answer_says_what_the_token_is() {
    let granted = json!({ "policies": ["default", "ml"], "lease_duration": 900, "num_uses": 50 });
    let script = server("imitates a role without the policy default")
        .answer_on("POST", "auth/jwt/login", login(&granted))
        .answer_on(
            "GET",
            "auth/token/lookup-self",
            ScriptedAnswer::errors(403, &["permission denied"]),
        );
    let job = Job::at(&script);
    let token = job.facts().token;
    assert!(token.logged_in && token.renewable && !token.batch);
    assert_eq!((token.ttl, token.uses_left), (900, Some(50)));
    assert_eq!(token.policies, ["default", "ml"]);
    assert_eq!(token.expires.unwrap().as_second(), job.now.as_second() + 900);
}

#[test]
fn a_look_at_the_token_says_more_than_the_login() {
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
    let token = Job::at(&script).facts().token;
    assert_eq!(token.policies, ["default", "ml", "team"]);
    assert_eq!((token.ttl, token.period, token.explicit_max_ttl), (600, 3600, 7200));
    assert!(!token.renewable && token.logged_in);
    assert_eq!(token.expires.unwrap(), "2029-12-31T16:00:00.123456789Z".parse().unwrap());
}

#[test]
fn a_token_that_never_ends_has_no_end() {
    let root = json!({ "policies": ["root"], "ttl": 0, "expire_time": null, "renewable": false });
    let script = server("imitates a server in development").answer_on(
        "GET",
        "auth/token/lookup-self",
        token(&root),
    );
    let token = Job::at(&script).by(TOKEN).facts().token;
    assert_eq!((token.ttl, token.expires, token.logged_in), (0, None, false));
    assert_eq!(asked(&script).last().map(String::as_str), Some(crate::support::FIELDS));
}

#[test]
fn a_token_for_too_few_requests_is_not_used_up() {
    let uses = |uses: u64, needs: &[(&str, &str)]| {
        let script = server("imitates a token of a few uses").answer_on(
            "GET",
            "auth/token/lookup-self",
            token(&json!({ "num_uses": uses })),
        );
        let facts = Job::at(&script).needing(needs).ask().facts;
        (facts, asked(&script))
    };
    let (one, other) = (("a", DB), DB.replace("DB_", "OTHER_"));
    let two = [one, ("b", other.as_str())];
    let (facts, asked) = uses(7, &[one]);
    let failure = facts.unwrap_err();
    assert_eq!(failure, ProbeError::TooFewTokenUses { left: 7, planned: 8 });
    assert_eq!(
        (told(&failure).code.as_str(), failure.exit()),
        ("too-few-token-uses", Exit::Undetermined)
    );
    assert_eq!(asked, [HEALTH, JWT_LOGIN, LOOKUP, REVOKE]);

    let (facts, asked) = uses(8, &[one]);
    assert_eq!(facts.unwrap().token.uses_left, Some(8));
    let with_token = asked.len() - 2;
    assert!(with_token <= 8, "{asked:?}");

    assert_eq!(uses(11, &two).0, Err(ProbeError::TooFewTokenUses { left: 11, planned: 12 }));
    assert_eq!(uses(12, &two).0.unwrap().token.uses_left, Some(12));
    assert_eq!(uses(0, &two).0.unwrap().token.uses_left, None);
}

#[test]
fn a_server_that_is_not_asked_about_tokens_has_not_refused_one() {
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
        assert_eq!(told(&Job::at(&script).by(TOKEN).failure()).code, code);
        assert_eq!(asked(&script), [HEALTH, LOOKUP]);
        assert!(Job::at(&script).facts().token.logged_in);
    }
}
