//! The properties of a token, and its remaining uses.

use envlock_policy::Product;
use envlock_report::{AsFindings as _, Exit};
use envlock_testkit::{ScriptedAnswer, ScriptedServer};
use envlock_vault::ProbeError;
use serde_json::{Value, json};

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
    assert_eq!(failure, ProbeError::TokenRefused { product: Some(Product::OpenBao) });
    assert_eq!(
        (finding_of(&failure).code.as_str(), failure.exit()),
        ("token-refused", Exit::LoginRefused)
    );
    assert_eq!(finding_of(&failure).help.as_deref(), Some("get a new one: `bao login`"));
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
fn the_limit_of_the_auth_mount_is_read_only_if_the_verdict_depends_on_it() {
    let script = |lookup: Value| {
        let tuned = json!({
            "type": "jwt",
            "path": "auth/jwt/",
            "options": null,
            "config": { "default_lease_ttl": 0, "max_lease_ttl": 7200 },
        });
        server("imitates a server with a short auth mount")
            .answer_on("GET", "auth/token/lookup-self", token(&lookup))
            .answer_on("GET", "sys/internal/ui/mounts/auth/jwt", ScriptedAnswer::data(tuned))
    };
    let asks = |script: &ScriptedServer| {
        requests_of(script).iter().any(|request| request.ends_with("mounts/auth/jwt"))
    };
    let created = jiff::Timestamp::now().as_second() - 600;
    let own = |path: &str, max: u64| {
        json!({"policies": ["ml"], "ttl": 600, "renewable": true, "path": path,
               "expire_time": "2130-01-01T00:00:00Z", "explicit_max_ttl": max,
               "creation_time": created})
    };
    let limited = script(own("auth/jwt/login", 0));
    let facts = TestJob::on(&limited).with_profile_key("job: 8h").facts();
    assert_eq!((facts.token.mount_max_ttl, asks(&limited)), (7200, true));

    let enough = script(own("auth/jwt/login", 0));
    let facts = TestJob::on(&enough).with_profile_key("job: 5m").facts();
    assert_eq!((facts.token.mount_max_ttl, asks(&enough)), (0, false));

    let hostile = script(own("auth/../../secret/data/x/login", 0));
    TestJob::on(&hostile).with_profile_key("job: 8h").facts();
    assert!(!requests_of(&hostile).iter().any(|request| request.contains("secret/data")));

    // What remains of its own limit counts, not the whole.
    let old = script(own("auth/jwt/login", 3600));
    let left = TestJob::on(&old).facts().token.explicit_max_ttl;
    assert!((2000..=3000).contains(&left), "{left}");
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
