//! Logins that fail, and what their errors don't show.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envlock_report::{AsFindings as _, Exit};
use envlock_testkit::{ScriptedAnswer, ScriptedServer};
use envlock_vault::{AnswerFault, ProbeError};
use serde_json::{Value, json};

use crate::support::{
    APPROLE, HEALTH, JWT_LOGIN, LOOKUP, TOKEN, TestJob, WRAPPED, finding_of, login, requests_of,
    server,
};

fn refusing(answer: ScriptedAnswer) -> ScriptedServer {
    server("imitates a server that refuses the login").answer_on("POST", "auth/*", answer)
}

fn login_refused(failure: &ProbeError) -> Vec<String> {
    let finding = finding_of(failure);
    assert_eq!((finding.code.as_str(), failure.exit()), ("login-refused", Exit::LoginRefused));
    assert!(finding.help.is_some(), "{finding:?}");
    finding.notes
}

#[test]
fn the_servers_message_is_shown_without_the_credential_that_it_repeats() {
    for (auth, words, shown) in [
        (
            "{method: jwt, role: ml, jwt: {env: CI_JWT}}",
            "error validating token: eyJcanary.eyJjYW5hcnk.jwt is expired",
            "the server's message: error validating token: [not shown] is expired",
        ),
        (
            APPROLE,
            "invalid secret canary-secret-id of canary-role-id",
            "the server's message: invalid secret [not shown] of [not shown]",
        ),
        (
            "{method: userpass, username: {env: ME}, password: {env: PASSWORD}}",
            "canary-password isn't me's password",
            "the server's message: [not shown] isn't me's password",
        ),
    ] {
        for status in [400, 403] {
            let script = refusing(ScriptedAnswer::errors(status, &[words, "", "second"]));
            let failure = TestJob::on(&script).with_auth(auth).with_variable("ME", "me").failure();
            let notes = login_refused(&failure);
            assert_eq!(notes[..2], [shown.to_owned(), "the server's message: second".to_owned()]);
            assert!(failure.to_string().ends_with(&format!(" ({status})")), "{failure}");
            assert_eq!(script.requests().len(), 2);
        }
    }
}

#[test]
fn a_refused_login_names_its_method_path_and_role() {
    let script = refusing(ScriptedAnswer::errors(403, &["permission denied"]));
    let auth = "{method: kubernetes, mount: k8s/ci, role: ml, jwt: {env: CI_JWT}}";
    let failure = TestJob::on(&script).with_auth(auth).failure();
    assert_eq!(
        failure.to_string(),
        "the server refused the login by kubernetes at auth/k8s/ci/login (403)"
    );
    let notes = login_refused(&failure);
    assert_eq!(notes[0], "the server's message: permission denied");
    assert!(notes[1].starts_with("the service account, its Kubernetes namespace"), "{notes:?}");
    assert_eq!(notes[2..], ["the role was ml"]);
    let help = "compare them with the `bound_*` keys of the role: `bao read auth/k8s/ci/role/ml`";
    assert_eq!(finding_of(&failure).help.as_deref(), Some(help));
}

#[test]
fn a_refused_login_without_a_message_or_with_a_page_is_reported() {
    for (answer, notes) in [
        (ScriptedAnswer::errors(400, &[]), vec!["the role was ml"]),
        (ScriptedAnswer::empty(404), vec!["the role was ml"]),
        (ScriptedAnswer::json(400, json!({ "errors": "canary" })), vec!["the role was ml"]),
        (
            ScriptedAnswer::html(403),
            vec!["the server's message: (an HTML page, probably of a proxy)", "the role was ml"],
        ),
    ] {
        let failure = TestJob::on(&refusing(answer)).failure();
        assert_eq!(login_refused(&failure), notes);
        let help = "check `auth:` of the profile (mount, role), and the sources of its credentials";
        assert_eq!(finding_of(&failure).help.as_deref(), Some(help));
    }
}

#[test]
fn the_difference_of_the_clocks_is_a_note_of_a_refused_login() {
    let now = jiff::Timestamp::now();
    let health = |time: i64| {
        let body = json!({ "initialized": true, "sealed": false, "server_time_utc": time });
        ScriptedAnswer::json(200, body)
    };
    let ahead = |seconds: i64| {
        let script = refusing(ScriptedAnswer::errors(400, &["token is expired"])).answer_on(
            "GET",
            "sys/health",
            health(now.as_second() + seconds),
        );
        login_refused(&TestJob { now, ..TestJob::on(&script) }.failure()).pop().unwrap()
    };
    let note = |way: &str| {
        format!("the server's clock is 3600 s {way} this machine's, so tokens expire early")
    };
    assert!(ahead(3600).starts_with(&note("ahead of")), "{}", ahead(3600));
    assert!(ahead(-3600).starts_with(&note("behind")), "{}", ahead(-3600));
    assert_eq!((ahead(30).as_str(), ahead(-60).as_str()), ("the role was ml", "the role was ml"));

    let script = server("imitates a server an hour ahead");
    let script = script.answer_on("GET", "sys/health", health(now.as_second() + 3600));
    let clock = TestJob { now, ..TestJob::on(&script) }.facts().server.clock_ahead.unwrap();
    assert_eq!(clock.as_secs(), 3600);
    for strange in [i64::MAX, i64::MIN, 253_402_207_200] {
        let script =
            server("imitates a clock gone mad").answer_on("GET", "sys/health", health(strange));
        assert!(TestJob { now, ..TestJob::on(&script) }.facts().capabilities.is_ok());
    }
}

#[test]
fn a_login_that_requires_a_second_factor_is_reported() {
    let requirement = json!({ "mfa_request_id": "1", "mfa_constraints": {} });
    for granted in [
        json!({ "client_token": "", "mfa_requirement": requirement }),
        json!({ "client_token": "" }),
        json!({ "mfa_requirement": requirement }),
    ] {
        let script =
            server("imitates a mount with MFA").answer_on("POST", "auth/*", login(&granted));
        let failure = TestJob::on(&script).failure();
        assert_eq!(failure, ProbeError::MfaRequired { method: "jwt" });
        assert_eq!(
            (finding_of(&failure).code.as_str(), failure.exit()),
            ("mfa-required", Exit::LoginRefused)
        );
        assert_eq!(
            finding_of(&failure).help.as_deref(),
            Some("give the job a separate role, without a second factor")
        );
        assert_eq!(requests_of(&script), [HEALTH, JWT_LOGIN]);
    }
}

#[test]
fn a_login_answer_without_a_token_is_an_error() {
    let wrap = json!({ "token": "canary-wrap", "ttl": 300, "creation_path": "auth/jwt/login" });
    for (answer, reason) in [
        (ScriptedAnswer::auth(Value::Null), AnswerFault::NoAuth),
        (ScriptedAnswer::json(200, json!({})), AnswerFault::NoAuth),
        (
            ScriptedAnswer::json(200, json!({ "auth": null, "wrap_info": wrap })),
            AnswerFault::Wrapped,
        ),
        (login(&json!({ "client_token": "canary\nX-Header: 1" })), AnswerFault::BadToken),
        (login(&json!({ "client_token": "canary 密" })), AnswerFault::BadToken),
        (login(&json!({ "client_token": null })), AnswerFault::Shape),
        (login(&json!({ "client_token": { "a": "canary" } })), AnswerFault::Shape),
    ] {
        let script =
            server("imitates a proxy that makes logins up").answer_on("POST", "auth/*", answer);
        let failure = TestJob::on(&script).failure();
        let asked_for = "auth/jwt/login".to_owned();
        assert_eq!(failure, ProbeError::Unreadable { request: asked_for, reason });
        assert_eq!(requests_of(&script), [HEALTH, JWT_LOGIN]);
    }
}

#[test]
fn a_supplied_token_that_is_not_valid_in_a_header_is_not_sent() {
    let script = server("imitates a server in development");
    for token in ["canary\nX-Header: 1", "canary token", "密"] {
        let failure = TestJob::on(&script).with_auth(TOKEN).with_variable("TOKEN", token).failure();
        assert_eq!(
            (finding_of(&failure).code.as_str(), failure.exit()),
            ("login-credential-malformed", Exit::Usage)
        );
    }
    assert_eq!(requests_of(&script), [""; 0]);
    let job =
        TestJob::on(&script).with_auth(TOKEN).with_variable("TOKEN", "canary-given-token\r\n");
    assert!(!job.facts().token.logged_in);
}

#[test]
fn an_aws_login_sends_a_signed_request_and_not_the_key() {
    let script = server("imitates a server that asks AWS who this is");
    let auth = "{method: aws-iam, role: ml-ec2, server_id: {env: SERVER_ID}}";
    let job = TestJob::on(&script)
        .with_auth(auth)
        .with_variable("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .with_variable("AWS_SECRET_ACCESS_KEY", "canary-secret-key")
        .with_variable("AWS_SESSION_TOKEN", "session")
        .with_variable("SERVER_ID", "vault.example.com");
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    assert!(TestJob { now, ..job }.facts().token.logged_in);
    let login =
        script.requests().into_iter().find(|request| request.path == "auth/aws/login").unwrap();
    assert!(!login.body.to_string().contains("canary"), "{}", login.body);
    let decoded = |name: &str| {
        let bytes = STANDARD.decode(login.body[name].as_str().unwrap()).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(login.body["role"], "ml-ec2");
    assert_eq!(login.body["iam_http_request_method"], "POST");
    assert_eq!(decoded("iam_request_url"), "https://sts.amazonaws.com/");
    assert_eq!(decoded("iam_request_body"), "Action=GetCallerIdentity&Version=2011-06-15");
    let headers: Value = serde_json::from_str(&decoded("iam_request_headers")).unwrap();
    assert!(!headers.to_string().contains("canary"), "{headers}");
    assert_eq!(headers["X-Vault-AWS-IAM-Server-ID"], json!(["vault.example.com"]));
    let signature = headers["authorization"][0].as_str().unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/"));
    assert_eq!(login.body.as_object().unwrap().len(), 5);
}

#[test]
fn a_secret_id_is_unwrapped_only_if_the_roles_endpoint_created_it() {
    let wrapping = |origin: &str| {
        server("imitates a SecretID that comes wrapped")
            .answer_on(
                "POST",
                "sys/wrapping/lookup",
                ScriptedAnswer::data(json!({ "creation_path": origin })),
            )
            .answer_on(
                "POST",
                "sys/wrapping/unwrap",
                ScriptedAnswer::data(json!({ "secret_id": "canary-new" })),
            )
    };
    let script = wrapping("auth/approle/role/ml/secret-id");
    assert!(TestJob::on(&script).with_auth(WRAPPED).facts().token.logged_in);
    let requests = script.requests();
    assert_eq!(requests[1].body, json!({ "token": "canary-wrapping-token" }));
    assert!(!requests[1].has_token && requests[2].has_token && requests[2].body.is_null());
    let login = json!({ "role_id": "canary-role-id", "secret_id": "canary-new" });
    assert_eq!((requests[3].path.as_str(), &requests[3].body), ("auth/approle/login", &login));

    let script = wrapping("team/auth/approle/role/ml/secret-id");
    let job = TestJob { namespace: Some("team/".to_owned()), ..TestJob::on(&script) };
    assert!(job.with_auth(WRAPPED).facts().token.logged_in);

    for elsewhere in
        ["cubbyhole/response", "auth/approle/role/other/secret-id", "sys/wrapping/wrap"]
    {
        let script = wrapping(elsewhere);
        let failure = TestJob::on(&script).with_auth(WRAPPED).failure();
        assert_eq!(
            (finding_of(&failure).code.as_str(), failure.exit()),
            ("wrapping-token-mismatch", Exit::LoginRefused)
        );
        assert_eq!(
            finding_of(&failure).notes,
            ["it may have been replaced in transit; it wasn't unwrapped"]
        );
        assert_eq!(requests_of(&script), [HEALTH, "POST sys/wrapping/lookup"]);
    }
}

#[test]
fn a_used_wrapping_token_is_reported_as_possibly_intercepted() {
    let script = server("imitates a wrapping token that was used").answer_on(
        "POST",
        "sys/wrapping/lookup",
        ScriptedAnswer::errors(400, &["wrapping token is not valid or does not exist"]),
    );
    let failure = TestJob::on(&script).with_auth(WRAPPED).failure();
    assert_eq!(failure, ProbeError::WrappingTokenUsed { credential: "secret_id" });
    assert_eq!(failure.exit(), Exit::LoginRefused);
    assert_eq!(finding_of(&failure).notes, ["if you didn't use it, it may have been intercepted"]);
    assert_eq!(requests_of(&script), [HEALTH, "POST sys/wrapping/lookup"]);
}

#[test]
fn a_login_and_a_health_request_have_no_token() {
    let script = server("imitates a server in development");
    TestJob { timeout: Duration::from_secs(20), ..TestJob::on(&script) }.facts();
    for request in script.requests() {
        let without = request.path == "sys/health" || request.path.ends_with("/login");
        assert_eq!(request.has_token, !without, "{request}");
    }
    assert!(requests_of(&script).contains(&LOOKUP.to_owned()));
}

#[test]
fn an_unexpected_status_of_a_login_is_an_error() {
    for answer in [
        ScriptedAnswer::empty(204),
        ScriptedAnswer::json(202, json!({ "auth": { "client_token": "canary" } })),
        ScriptedAnswer::empty(302),
        ScriptedAnswer::html(303),
    ] {
        let script = refusing(answer);
        let failure = TestJob::on(&script).failure();
        assert_eq!(
            (finding_of(&failure).code.as_str(), failure.exit()),
            ("unreadable-answer", Exit::Undetermined)
        );
        assert_eq!(requests_of(&script), [HEALTH, JWT_LOGIN]);
    }
}

#[test]
fn an_unknown_namespace_is_named() {
    const UNKNOWN: &str = "namespace not found";
    for (method, path) in [
        ("POST", "auth/*/login"),
        ("POST", "sys/wrapping/lookup"),
        ("GET", "auth/token/lookup-self"),
        ("GET", "secret/metadata/*"),
    ] {
        let script = server("imitates a server with namespaces").answer_on(
            method,
            path,
            ScriptedAnswer::errors(404, &["Namespace not found"]),
        );
        let auth = if path.contains("wrapping") { WRAPPED } else { APPROLE };
        let job = TestJob {
            namespace: Some("team/unknown".to_owned()),
            ..TestJob::on(&script).with_auth(auth)
        };
        let failure = job.failure();
        assert_eq!(failure, ProbeError::UnknownNamespace("team/unknown".to_owned()), "{path}");
        assert_eq!(
            (finding_of(&failure).code.as_str(), failure.exit()),
            ("namespace-unknown", Exit::Undetermined)
        );
        assert_eq!(
            finding_of(&failure).help.as_deref(),
            Some("check the profile's `namespace:` and VAULT_NAMESPACE")
        );
    }
    let script = refusing(ScriptedAnswer::errors(404, &[UNKNOWN]));
    assert_eq!(
        login_refused(&TestJob::on(&script).failure()),
        ["the server's message: namespace not found", "the role was ml"]
    );
}
