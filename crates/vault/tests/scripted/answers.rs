//! Answers that can't be read, whose content isn't shown.

use envlock_report::{AsFindings as _, Exit};
use envlock_secrets::facts::Presence;
use envlock_testkit::ScriptedAnswer;
use envlock_vault::{AnswerFault, ProbeError};
use serde_json::json;

use crate::support::{
    HEALTH, JWT_LOGIN, LOOKUP, REVOKE, TestJob, count, fields, finding_of, requests_of, server,
};

const ENDPOINTS: [(&str, &str); 6] = [
    ("POST", "auth/jwt/login"),
    ("GET", "auth/token/lookup-self"),
    ("POST", "sys/capabilities-self"),
    ("GET", "sys/internal/ui/mounts/secret"),
    ("GET", "secret/metadata/ml/db"),
    ("GET", "secret/subkeys/ml/db"),
];

fn reason(method: &str, path: &str, answer: ScriptedAnswer) -> AnswerFault {
    let script = server("imitates a proxy that changes answers").answer_on(method, path, answer);
    let failure = TestJob::on(&script).failure();
    assert_eq!(
        (finding_of(&failure).code.as_str(), failure.exit()),
        ("unreadable-answer", Exit::Undetermined)
    );
    assert_eq!(
        finding_of(&failure).help.as_deref(),
        Some("check whether a proxy changes the answers")
    );
    let logged_in = !path.ends_with("login");
    assert_eq!(count(&script, REVOKE), usize::from(logged_in), "{path}");
    let ProbeError::Unreadable { request, reason } = failure else { panic!("{failure:?}") };
    assert_eq!(request, path);
    reason
}

#[test]
fn an_answer_that_is_not_json_is_an_error_for_every_request() {
    for (method, path) in ENDPOINTS {
        let raw = |body: &'static str| ScriptedAnswer::raw(200, "application/json", body);
        for (answer, wanted) in [
            (ScriptedAnswer::html(200), AnswerFault::Page),
            (raw(r#"{"data": {"k": "canary"#), AnswerFault::Truncated),
            (raw(r#"{"auth": {"client_token": "canary"#), AnswerFault::Truncated),
            (raw(""), AnswerFault::Truncated),
            (raw("canary"), AnswerFault::NotJson),
            (raw("[\"canary\"]"), AnswerFault::Shape),
            (ScriptedAnswer::huge(), AnswerFault::TooLong),
        ] {
            // The library reads a list as an object without names; then a key is missing.
            let found = reason(method, path, answer);
            let lacks = matches!(found, AnswerFault::NoData | AnswerFault::NoAuth);
            assert!(found == wanted || lacks && wanted == AnswerFault::Shape, "{path}: {found}");
        }
    }
}

#[test]
fn an_answer_without_data_is_an_error_and_not_an_empty_answer() {
    for (method, path) in &ENDPOINTS[1..] {
        for body in [json!({}), json!({ "data": null })] {
            assert_eq!(reason(method, path, ScriptedAnswer::json(200, body)), AnswerFault::NoData);
        }
        // The answer of the login is enough if `lookup-self` is denied.
        if path.ends_with("lookup-self") {
            continue;
        }
        assert_eq!(reason(method, path, ScriptedAnswer::empty(204)), AnswerFault::Truncated);
        let strange = ScriptedAnswer::json(302, json!({ "data": {} }));
        let found = reason(method, path, strange);
        assert_eq!(found, AnswerFault::Status(302), "{path}");
    }
}

#[test]
fn a_value_among_the_names_of_fields_is_an_error() {
    for value in [
        json!("canary"),
        json!({ "nested": "canary" }),
        json!(["canary"]),
        json!(20_260_101),
        json!(true),
    ] {
        let subkeys = json!({ "host": null, "password": value });
        let answer = ScriptedAnswer::data(json!({ "subkeys": subkeys, "metadata": {} }));
        let found = reason("GET", "secret/subkeys/ml/db", answer);
        assert_eq!(found, AnswerFault::Shape);
    }
}

#[test]
fn values_in_answers_are_ignored_where_only_names_are_read() {
    let script = server("imitates a server that says too much")
        .answer_on(
            "GET",
            "secret/metadata/*",
            ScriptedAnswer::data(json!({
                "current_version": 1,
                "versions": { "1": { "deletion_time": "", "destroyed": false, "data": "canary" } },
                "data": { "password": "canary" },
            })),
        )
        .answer_on("GET", "secret/subkeys/*", fields(&["host"]));
    let facts = TestJob::on(&script).facts();
    let names = facts.needs["db"].fields.clone().unwrap();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["host"]);
}

#[test]
fn an_invalid_time_is_an_error_and_does_not_mean_never() {
    let script = server("imitates a server with times of its own").answer_on(
        "GET",
        "auth/token/lookup-self",
        ScriptedAnswer::data(json!({ "ttl": 60, "expire_time": "canary" })),
    );
    let failure = TestJob::on(&script).failure();
    assert!(failure.to_string().ends_with("its expire_time isn't a time"), "{failure}");
    assert_eq!(requests_of(&script), [HEALTH, JWT_LOGIN, LOOKUP, REVOKE]);

    let version = json!({ "deletion_time": "canary", "destroyed": false });
    let metadata = json!({ "current_version": 1, "versions": { "1": version } });
    let found = reason("GET", "secret/metadata/ml/db", ScriptedAnswer::data(metadata));
    assert_eq!(found, AnswerFault::BadTime("deletion_time"));
}

#[test]
fn a_body_of_one_megabyte_is_accepted_and_one_more_byte_is_not() {
    let body = |length: usize| {
        let start = r#"{"data":{"ttl":61,"policies":["default"]},"filler":""#;
        format!("{start}{}\"}}", "x".repeat(length - start.len() - 2))
    };
    let answer = |length| ScriptedAnswer::raw(200, "application/json", body(length));
    let script = server("imitates a server with much to say").answer_on(
        "GET",
        "auth/token/lookup-self",
        answer(1 << 20),
    );
    assert_eq!(TestJob::on(&script).facts().token.ttl, 61);
    let found = reason("GET", "auth/token/lookup-self", answer((1 << 20) + 1));
    assert_eq!(found, AnswerFault::TooLong);
}

#[test]
fn a_server_error_does_not_repeat_the_token() {
    let script = server("imitates a proxy that tells what it was sent").answer_on(
        "GET",
        "auth/token/lookup-self",
        ScriptedAnswer::errors(500, &["cannot forward X-Vault-Token: s.scripted"]),
    );
    let failure = TestJob::on(&script).failure();
    assert_eq!(
        finding_of(&failure).notes,
        ["the server's message: cannot forward X-Vault-Token: [not shown]"]
    );
}

#[test]
fn deeply_nested_json_is_an_error() {
    let deep = || {
        let (start, end) = ("[".repeat(100_000), "]".repeat(100_000));
        ScriptedAnswer::raw(200, "application/json", format!("{{\"data\":{{\"x\":{start}{end}}}}}"))
    };
    assert_eq!(reason("POST", "sys/capabilities-self", deep()), AnswerFault::NotJson);
    let script = server("imitates a metadata answer with junk").answer_on(
        "GET",
        "secret/metadata/*",
        deep(),
    );
    assert_eq!(TestJob::on(&script).facts().needs["db"].presence, Ok(Presence::Absent));
}
