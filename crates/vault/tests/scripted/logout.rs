//! The revocation of a login's token, on every path.

use envlock_report::{Finding, Level};
use envlock_testkit::ScriptedAnswer;
use serde_json::json;

use crate::support::{
    APPROLE, REVOKE, TOKEN, TestJob, WRAPPED, count, finding_of, login, requests_of, server, token,
};

fn only_finding(job: &TestJob) -> Finding {
    let report = job.run();
    assert!(report.facts.is_ok(), "{:?}", report.facts);
    let [finding] = report.findings.try_into().unwrap();
    finding
}

#[test]
fn the_last_request_revokes_the_token_of_the_login() {
    for auth in [
        APPROLE,
        "{method: userpass, username: {env: ME}, password: {env: PASSWORD}}",
        "{method: ldap, username: {env: ME}, password: {env: PASSWORD}}",
        "{method: kubernetes, role: ml, jwt: {env: CI_JWT}}",
    ] {
        let script = server("imitates a server in development");
        TestJob::on(&script).with_auth(auth).with_variable("ME", "me").facts();
        assert_eq!(requests_of(&script).last().map(String::as_str), Some(REVOKE), "{auth}");
        assert_eq!(count(&script, REVOKE), 1);
        assert!(script.requests().last().unwrap().has_token);
    }
}

#[test]
fn the_token_is_revoked_after_every_failure() {
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
            let failure = TestJob::on(&script).run().facts;
            // The answer of the login is enough if `lookup-self` is denied.
            let enough = path.contains("lookup") && format!("{answer:?}").contains("418");
            assert_eq!(failure.is_ok(), enough, "{path} {answer:?}");
            assert_eq!(
                requests_of(&script).last().map(String::as_str),
                Some(REVOKE),
                "{path} {answer:?}"
            );
        }
    }
}

#[test]
fn a_supplied_token_is_never_revoked() {
    let script = server("imitates a server in development");
    TestJob::on(&script).with_auth(TOKEN).facts();
    let broken = server("imitates a server that fails in the middle").answer_on(
        "POST",
        "sys/capabilities-self",
        ScriptedAnswer::errors(500, &[]),
    );
    assert_eq!(finding_of(&TestJob::on(&broken).with_auth(TOKEN).failure()).code, "server-error");
    assert_eq!((count(&script, REVOKE), count(&broken, REVOKE)), (0, 0));
}

#[test]
fn a_failed_logout_is_reported_with_the_accessor() {
    for (answer, reason, tries) in [
        (
            ScriptedAnswer::errors(403, &["permission denied"]),
            "the server answered with the status 403",
            1,
        ),
        (
            ScriptedAnswer::errors(500, &[]),
            "the server failed at auth/token/revoke-self with the status 500",
            2,
        ),
        (
            ScriptedAnswer::html(502),
            "the server failed at auth/token/revoke-self with the status 502",
            4,
        ),
    ] {
        let script = server("imitates a server that can't end a token")
            .answer_on("POST", "auth/jwt/login", login(&json!({ "lease_duration": 900 })))
            .answer_on("POST", "auth/token/revoke-self", answer);
        let finding = only_finding(&TestJob::on(&script));
        assert_eq!((finding.code.as_str(), finding.level), ("logout-failed", Level::Warning));
        assert_eq!(finding.message, format!("the token of the login wasn't revoked: {reason}"));
        assert_eq!(finding.notes, ["the token expires in 900 s"]);
        assert_eq!(
            finding.help.as_deref(),
            Some("revoke it: `bao token revoke -accessor scripted-accessor`")
        );
        assert_eq!(count(&script, REVOKE), tries);
    }
}

#[test]
fn a_failed_logout_after_a_failure_is_reported_in_addition() {
    let script = server("imitates a server that breaks down")
        .answer_on("POST", "sys/capabilities-self", ScriptedAnswer::errors(400, &[]))
        .answer_on("GET", "sys/internal/ui/mounts/*", ScriptedAnswer::close())
        .answer_on("POST", "auth/token/revoke-self", ScriptedAnswer::close());
    let report = TestJob::on(&script).run();
    assert_eq!(finding_of(&report.facts.unwrap_err()).code, "unreachable");
    assert_eq!(report.findings[0].code, "logout-failed");
}

#[test]
fn a_batch_token_is_not_revoked_which_is_only_a_note() {
    let batch = json!({ "token_type": "batch", "accessor": "", "renewable": false,
        "lease_duration": 300 });
    let looked = json!({ "type": "batch", "ttl": 299, "renewable": false });
    let script = server("imitates a role that gives batch tokens")
        .answer_on("POST", "auth/jwt/login", login(&batch))
        .answer_on("GET", "auth/token/lookup-self", token(&looked));
    let job = TestJob::on(&script);
    let note = only_finding(&job);
    assert_eq!((note.code.as_str(), note.level), ("logout-failed", Level::Note));
    assert_eq!(note.message, "a batch token can't be revoked: this one expires in 300 s");
    assert_eq!(count(&script, REVOKE), 0);
    assert!(job.run().facts.unwrap().token.batch);
}

#[test]
fn the_token_of_a_login_with_an_unwrapped_secret_id_is_revoked() {
    let origin = json!({ "creation_path": "auth/approle/role/ml/secret-id" });
    let script = server("imitates a SecretID that comes wrapped")
        .answer_on("POST", "sys/wrapping/lookup", ScriptedAnswer::data(origin))
        .answer_on(
            "POST",
            "sys/wrapping/unwrap",
            ScriptedAnswer::data(json!({ "secret_id": "canary-new" })),
        );
    TestJob::on(&script).with_auth(WRAPPED).facts();
    assert_eq!(requests_of(&script).last().map(String::as_str), Some(REVOKE));
}

#[test]
fn an_accessor_with_shell_characters_is_not_put_into_a_command() {
    for accessor in ["x; curl canary", "$(canary)", "-canary", "canary\n", "`canary`", "密", ""] {
        let script = server("imitates a server that would have its users run something")
            .answer_on("POST", "auth/jwt/login", login(&json!({ "accessor": accessor })))
            .answer_on("POST", "auth/token/revoke-self", ScriptedAnswer::errors(403, &[]));
        assert_eq!(only_finding(&TestJob::on(&script)).help, None, "{accessor}");
    }
}
