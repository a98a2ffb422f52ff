//! Requests that are retried, and those that never are.

use std::time::Duration;

use envlock_report::{AsFindings as _, Exit};
use envlock_testkit::ScriptedAnswer;
use envlock_vault::{ProbeError, RetryPolicy};
use serde_json::json;

use crate::support::{
    APPROLE, APPROLE_LOGIN, CAPABILITIES, HEALTH, JWT_LOGIN, LOOKUP, REVOKE, TestJob, WRAPPED,
    count, finding_of, login, metadata, requests_of, server, token,
};

/// Temporary failures, with their codes if they don't end.
fn passing() -> [(ScriptedAnswer, &'static str); 7] {
    [
        (ScriptedAnswer::errors(429, &[]), "rate-limited"),
        (
            ScriptedAnswer::errors(412, &["required index state not present"]),
            "state-not-replicated",
        ),
        (ScriptedAnswer::html(502), "server-error"),
        (ScriptedAnswer::errors(503, &["node is in recovery"]), "server-error"),
        (ScriptedAnswer::html(504), "server-error"),
        (ScriptedAnswer::close(), "unreachable"),
        (ScriptedAnswer::close_unread(), "unreachable"),
    ]
}

#[test]
fn a_temporary_failure_is_retried() {
    for (answer, _) in passing() {
        let script = server("imitates a server that is busy for a while")
            .answer_on("GET", "sys/health", server_health(&answer))
            .answer_on("GET", "auth/token/lookup-self", [answer.clone(), answer.clone(), ttl(77)])
            .answer_on("GET", "secret/metadata/*", [answer.clone(), metadata()])
            .answer_on(
                "POST",
                "auth/token/revoke-self",
                [answer.clone(), ScriptedAnswer::empty(204)],
            );
        assert_eq!(TestJob::on(&script).facts().token.ttl, 77, "{answer:?}");
        assert_eq!((count(&script, LOOKUP), count(&script, REVOKE)), (3, 2), "{answer:?}");
    }
}

/// For a health request 429 and 503 have another meaning, so only a closed connection is used.
fn server_health(answer: &ScriptedAnswer) -> Vec<ScriptedAnswer> {
    let well = ScriptedAnswer::json(200, json!({ "initialized": true, "sealed": false }));
    let breaks_off = format!("{answer:?}").contains("Close");
    if breaks_off { vec![answer.clone(), well] } else { vec![well] }
}

fn ttl(seconds: u64) -> ScriptedAnswer {
    token(&json!({ "ttl": seconds }))
}

#[test]
fn a_permanent_failure_is_tried_four_times() {
    for (answer, code) in passing() {
        let script = server("imitates a server that is busy for good").answer_on(
            "POST",
            "sys/capabilities-self",
            answer.clone(),
        );
        let failure = TestJob::on(&script).failure();
        assert_eq!(
            (finding_of(&failure).code.as_str(), failure.exit()),
            (code, Exit::Undetermined),
            "{answer:?}"
        );
        assert!(failure.to_string().contains("sys/capabilities-self"), "{failure}");
        assert_eq!((count(&script, CAPABILITIES), count(&script, REVOKE)), (4, 1), "{answer:?}");
    }
}

#[test]
fn the_number_of_tries_is_reported() {
    let script = server("imitates a quota of requests").answer_on(
        "GET",
        "auth/token/lookup-self",
        ScriptedAnswer::errors(429, &["rate limit quota exceeded"]),
    );
    let failure = TestJob::on(&script).failure();
    let request = "auth/token/lookup-self".to_owned();
    assert_eq!(failure, ProbeError::RateLimited { request, tries: 4 });
    assert_eq!(
        finding_of(&failure).help.as_deref(),
        Some("try again later, or ask the operator for a higher rate limit")
    );
}

#[test]
fn a_status_500_is_retried_once() {
    let script = server("imitates a server that stumbles").answer_on(
        "GET",
        "auth/token/lookup-self",
        [ScriptedAnswer::errors(500, &["internal error"]), ttl(78)],
    );
    assert_eq!(TestJob::on(&script).facts().token.ttl, 78);
    assert_eq!(count(&script, LOOKUP), 2);

    let script = server("imitates a server that is broken").answer_on(
        "GET",
        "auth/token/lookup-self",
        ScriptedAnswer::errors(500, &["internal error"]),
    );
    let failure = TestJob::on(&script).failure();
    assert_eq!(finding_of(&failure).notes, ["the server's message: internal error"]);
    assert_eq!(
        failure.to_string(),
        "the server failed at auth/token/lookup-self with the status 500"
    );
    assert_eq!(count(&script, LOOKUP), 2);

    for status in [501, 505] {
        let script = server("imitates a server that has no such thing").answer_on(
            "GET",
            "auth/token/lookup-self",
            ScriptedAnswer::errors(status, &[]),
        );
        assert_eq!(finding_of(&TestJob::on(&script).failure()).code, "server-error");
        assert_eq!(count(&script, LOOKUP), 1, "{status}");
    }
}

#[test]
fn retry_after_takes_precedence_within_the_total_pause() {
    // The default pauses exceed the total, so that only the server's Retry-After counts.
    let hour = Duration::from_hours(1);
    let impatient = |job: TestJob| TestJob {
        retry_policy: RetryPolicy { tries: 4, pause: hour, total: hour / 2 },
        ..job
    };
    let answer = |after: &str| ScriptedAnswer::errors(429, &[]).header("retry-after", after);
    for (after, tries) in
        [("0", 4), (" 0 ", 4), ("3600", 1), ("Mon, 23 Nov 2026 12:00:00 GMT", 1), ("-1", 1)]
    {
        let script = server("imitates a quota that says how long it lasts").answer_on(
            "GET",
            "auth/token/lookup-self",
            answer(after),
        );
        let failure = impatient(TestJob::on(&script)).failure();
        let request = "auth/token/lookup-self".to_owned();
        assert_eq!(failure, ProbeError::RateLimited { request, tries }, "{after}");
        assert_eq!(count(&script, LOOKUP), tries as usize, "{after}");
    }
    let script = server("imitates a quota that is over").answer_on(
        "GET",
        "auth/token/lookup-self",
        [answer("0"), ttl(79)],
    );
    assert_eq!(impatient(TestJob::on(&script)).facts().token.ttl, 79);
}

#[test]
fn a_server_that_was_sealed_meanwhile_is_not_retried() {
    let script = server("imitates a server that is sealed during the run").answer_on(
        "GET",
        "auth/token/lookup-self",
        ScriptedAnswer::errors(503, &["Vault is sealed"]),
    );
    assert_eq!(TestJob::on(&script).failure(), ProbeError::Sealed);
    assert_eq!(requests_of(&script), [HEALTH, JWT_LOGIN, LOOKUP, REVOKE]);
}

#[test]
fn a_login_without_a_single_use_credential_is_retried() {
    for (answer, _) in passing() {
        let script = server("imitates a server whose login stumbles").answer_on(
            "POST",
            "auth/jwt/login",
            [answer.clone(), login(&json!({}))],
        );
        assert!(TestJob::on(&script).facts().token.logged_in);
        assert_eq!(count(&script, JWT_LOGIN), 2, "{answer:?}");
    }
}

#[test]
fn a_secret_id_is_never_sent_twice() {
    for (answer, code, exit) in [
        (
            ScriptedAnswer::errors(400, &["invalid role or secret ID"]),
            "login-refused",
            Exit::LoginRefused,
        ),
        (ScriptedAnswer::errors(403, &["permission denied"]), "login-refused", Exit::LoginRefused),
        (ScriptedAnswer::errors(500, &["internal error"]), "server-error", Exit::Undetermined),
        (ScriptedAnswer::html(502), "server-error", Exit::Undetermined),
        (ScriptedAnswer::errors(503, &["try later"]), "server-error", Exit::Undetermined),
        (ScriptedAnswer::errors(503, &["Vault is sealed"]), "sealed", Exit::Undetermined),
        (ScriptedAnswer::close(), "login-answer-lost", Exit::LoginRefused),
        (ScriptedAnswer::close_unread(), "login-answer-lost", Exit::LoginRefused),
    ] {
        let script = server("imitates a login that fails").answer_on(
            "POST",
            "auth/approle/login",
            answer.clone(),
        );
        let failure = TestJob::on(&script).with_auth(APPROLE).failure();
        assert_eq!(
            (finding_of(&failure).code.as_str(), failure.exit()),
            (code, exit),
            "{answer:?}"
        );
        assert_eq!(requests_of(&script), [HEALTH, APPROLE_LOGIN], "{answer:?}");
    }
}

#[test]
fn a_lost_answer_of_a_login_is_reported_with_the_secret_id_that_may_be_used_up() {
    let script = server("imitates a proxy that breaks off").answer_on(
        "POST",
        "auth/approle/login",
        ScriptedAnswer::close(),
    );
    let failure = TestJob::on(&script).with_auth(APPROLE).failure();
    assert_eq!(
        failure,
        ProbeError::SingleUseAnswerLost { request: "auth/approle/login".to_owned() }
    );
    assert_eq!(
        failure.to_string(),
        "the answer to auth/approle/login was lost, and the credential in the request may be used up"
    );
    assert_eq!(
        finding_of(&failure).help.as_deref(),
        Some("get a new credential before you try again")
    );
}

#[test]
fn a_login_without_an_answer_in_time_is_reported_as_lost() {
    let script = server("imitates a server that is stuck")
        .answer_on("POST", "auth/approle/login", ScriptedAnswer::hang())
        .answer_on("POST", "auth/jwt/login", ScriptedAnswer::hang());
    let short = Duration::from_millis(200);
    let job = TestJob { timeout: short, ..TestJob::on(&script).with_auth(APPROLE) };
    assert_eq!(
        job.failure(),
        ProbeError::SingleUseAnswerLost { request: "auth/approle/login".to_owned() }
    );
    let failure = TestJob { timeout: short, ..TestJob::on(&script) }.failure();
    assert_eq!(
        (finding_of(&failure).code.as_str(), failure.exit()),
        ("timed-out", Exit::Undetermined)
    );
    assert_eq!((count(&script, APPROLE_LOGIN), count(&script, JWT_LOGIN)), (1, 1));
}

#[test]
fn a_rate_limited_login_is_retried_because_nothing_is_used_up() {
    let script = server("imitates a quota of logins").answer_on(
        "POST",
        "auth/approle/login",
        [ScriptedAnswer::errors(429, &[]), login(&json!({}))],
    );
    assert!(TestJob::on(&script).with_auth(APPROLE).facts().token.logged_in);
    assert_eq!(count(&script, APPROLE_LOGIN), 2);
}

#[test]
fn a_wrapping_token_is_never_unwrapped_twice() {
    const UNWRAP: &str = "POST sys/wrapping/unwrap";
    for (answer, code, exit) in [
        (
            ScriptedAnswer::errors(400, &["wrapping token is not valid or does not exist"]),
            "wrapping-token-used",
            Exit::LoginRefused,
        ),
        (ScriptedAnswer::errors(500, &[]), "server-error", Exit::Undetermined),
        (ScriptedAnswer::errors(503, &[]), "server-error", Exit::Undetermined),
        (ScriptedAnswer::close(), "login-answer-lost", Exit::LoginRefused),
        (ScriptedAnswer::close_unread(), "login-answer-lost", Exit::LoginRefused),
    ] {
        let origin = json!({ "creation_path": "auth/approle/role/ml/secret-id" });
        let script = server("imitates a SecretID that comes wrapped")
            .answer_on("POST", "sys/wrapping/lookup", ScriptedAnswer::data(origin))
            .answer_on("POST", "sys/wrapping/unwrap", answer.clone());
        let failure = TestJob::on(&script).with_auth(WRAPPED).failure();
        assert_eq!(
            (finding_of(&failure).code.as_str(), failure.exit()),
            (code, exit),
            "{answer:?}"
        );
        assert_eq!(
            requests_of(&script),
            [HEALTH, "POST sys/wrapping/lookup", UNWRAP],
            "{answer:?}"
        );
    }
}
