//! The end of a login, on every way out.

use envlock_report::{Finding, Level};
use envlock_testkit::ScriptedAnswer;
use serde_json::json;

use crate::support::{
    APPROLE, Job, REVOKE, TOKEN, WRAPPED, asked, count, login, server, token, told,
};

fn said(job: &Job) -> Finding {
    let report = job.ask();
    assert!(report.facts.is_ok(), "{:?}", report.facts);
    let [said] = report.findings.try_into().unwrap();
    said
}

#[test]
fn a_login_is_ended_last_and_with_its_own_token() {
    for auth in [
        APPROLE,
        "{method: userpass, username: {env: ME}, password: {env: PASSWORD}}",
        "{method: ldap, username: {env: ME}, password: {env: PASSWORD}}",
        "{method: kubernetes, role: ml, jwt: {env: CI_JWT}}",
    ] {
        let script = server("imitates a server in development");
        Job::at(&script).by(auth).having("ME", "me").facts();
        assert_eq!(asked(&script).last().map(String::as_str), Some(REVOKE), "{auth}");
        assert_eq!(count(&script, REVOKE), 1);
        assert!(script.requests().last().unwrap().with_token);
    }
}

#[test]
fn whatever_fails_after_the_login_it_is_ended() {
    for (method, path) in [
        ("GET", "auth/token/lookup-self"),
        ("POST", "sys/capabilities-self"),
        ("GET", "sys/internal/ui/mounts/*"),
        ("GET", "secret/metadata/*"),
        ("GET", "secret/subkeys/*"),
    ] {
        for answer in [
            ScriptedAnswer::html(200),
            ScriptedAnswer::errors(500, &[]),
            ScriptedAnswer::errors(503, &["Vault is sealed"]),
            ScriptedAnswer::errors(429, &[]),
            ScriptedAnswer::close(),
            ScriptedAnswer::huge(),
            ScriptedAnswer::redirect(307, "https://elsewhere.example/"),
            ScriptedAnswer::errors(418, &[]),
        ] {
            let script = server("imitates a server that fails in the middle").answer_on(
                method,
                path,
                answer.clone(),
            );
            let failure = Job::at(&script).ask().facts;
            // What the login said is enough where the token can't be looked at.
            let enough = path.contains("lookup") && format!("{answer:?}").contains("418");
            assert_eq!(failure.is_ok(), enough, "{path} {answer:?}");
            assert_eq!(
                asked(&script).last().map(String::as_str),
                Some(REVOKE),
                "{path} {answer:?}"
            );
        }
    }
}

#[test]
fn a_given_token_is_never_ended() {
    let script = server("imitates a server in development");
    Job::at(&script).by(TOKEN).facts();
    let broken = server("imitates a server that fails in the middle").answer_on(
        "POST",
        "sys/capabilities-self",
        ScriptedAnswer::errors(500, &[]),
    );
    assert_eq!(told(&Job::at(&broken).by(TOKEN).failure()).code, "server-error");
    assert_eq!((count(&script, REVOKE), count(&broken, REVOKE)), (0, 0));
}

#[test]
fn a_logout_that_fails_is_told_with_the_accessor() {
    for (answer, reason, tries) in [
        (ScriptedAnswer::errors(403, &["permission denied"]), "the server answers 403", 1),
        (
            ScriptedAnswer::errors(500, &[]),
            "the server failed at auth/token/revoke-self with status 500",
            2,
        ),
        (
            ScriptedAnswer::html(502),
            "the server failed at auth/token/revoke-self with status 502",
            4,
        ),
    ] {
        let script = server("imitates a server that can't end a token")
            .answer_on("POST", "auth/jwt/login", login(&json!({ "lease_duration": 900 })))
            .answer_on("POST", "auth/token/revoke-self", answer);
        let said = said(&Job::at(&script));
        assert_eq!((said.code.as_str(), said.level), ("logout-failed", Level::Warning));
        assert_eq!(said.message, format!("the login could not be ended: {reason}"));
        assert_eq!(said.notes, ["its token ends by itself in 900 s"]);
        assert_eq!(
            said.help.as_deref(),
            Some("end it with `bao token revoke -accessor scripted-accessor`")
        );
        assert_eq!(count(&script, REVOKE), tries);
    }
}

#[test]
fn a_logout_that_fails_after_a_failure_hides_neither() {
    let script = server("imitates a server that breaks down")
        .answer_on("POST", "sys/capabilities-self", ScriptedAnswer::errors(400, &[]))
        .answer_on("GET", "sys/internal/ui/mounts/*", ScriptedAnswer::close())
        .answer_on("POST", "auth/token/revoke-self", ScriptedAnswer::close());
    let report = Job::at(&script).ask();
    assert_eq!(told(&report.facts.unwrap_err()).code, "unreachable");
    assert_eq!(report.findings[0].code, "logout-failed");
}

#[test]
fn a_batch_token_is_not_ended_and_that_is_no_warning() {
    let batch = json!({ "token_type": "batch", "accessor": "", "renewable": false,
        "lease_duration": 300 });
    let looked = json!({ "type": "batch", "ttl": 299, "renewable": false });
    let script = server("imitates a role that gives batch tokens")
        .answer_on("POST", "auth/jwt/login", login(&batch))
        .answer_on("GET", "auth/token/lookup-self", token(&looked));
    let job = Job::at(&script);
    let note = said(&job);
    assert_eq!((note.code.as_str(), note.level), ("logout-failed", Level::Note));
    assert_eq!(note.message, "a batch token can't be logged out: this one ends by itself in 300 s");
    assert_eq!(count(&script, REVOKE), 0);
    assert!(job.ask().facts.unwrap().token.batch);
}

#[test]
fn the_token_of_an_unwrapped_secret_id_is_ended_too() {
    let origin = json!({ "creation_path": "auth/approle/role/ml/secret-id" });
    let script = server("imitates a SecretID that comes wrapped")
        .answer_on("POST", "sys/wrapping/lookup", ScriptedAnswer::data(origin))
        .answer_on(
            "POST",
            "sys/wrapping/unwrap",
            ScriptedAnswer::data(json!({ "secret_id": "canary-new" })),
        );
    Job::at(&script).by(WRAPPED).facts();
    assert_eq!(asked(&script).last().map(String::as_str), Some(REVOKE));
}

#[test]
fn an_accessor_that_is_a_command_is_not_given_to_be_copied() {
    for accessor in ["x; curl canary", "$(canary)", "-canary", "canary\n", "`canary`", "密", ""] {
        let script = server("imitates a server that would have its users run something")
            .answer_on("POST", "auth/jwt/login", login(&json!({ "accessor": accessor })))
            .answer_on("POST", "auth/token/revoke-self", ScriptedAnswer::errors(403, &[]));
        assert_eq!(said(&Job::at(&script)).help, None, "{accessor}");
    }
}
