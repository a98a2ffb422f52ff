//! Redirects.

use envlock_report::{AsFindings as _, Exit};
use envlock_secrets::facts::Presence;
use envlock_testkit::ScriptedAnswer;
use envlock_vault::ProbeError;
use serde_json::json;

use crate::support::{
    APPROLE, CAPABILITIES, HEALTH, JWT_LOGIN, LOOKUP, METADATA, MOUNT, REVOKE, TestJob, count,
    finding_of, login, metadata, requests_of, server, token,
};

/// The target of the refused redirect.
fn refused(job: &TestJob) -> String {
    let failure = job.failure();
    let finding = finding_of(&failure);
    assert_eq!((finding.code.as_str(), failure.exit()), ("redirected", Exit::Undetermined));
    assert_eq!(finding.notes, ["a redirect to another server would give it the token"]);
    let ProbeError::Redirected { target, .. } = failure else { panic!("{failure:?}") };
    target.to_string()
}

#[test]
fn a_redirect_to_the_same_address_is_followed_once() {
    let script = server("imitates a standby behind one address for the whole cluster");
    let to = |path: &str| ScriptedAnswer::redirect(307, &format!("{}/v1/{path}", script.url()));
    let lookup = [to("auth/token/lookup-self"), token(&json!({ "ttl": 600 }))];
    let logins = [to("auth/jwt/login"), login(&json!({}))];
    let subkeys = to("secret/metadata/ml/db");
    let script = script
        .answer_on("GET", "auth/token/lookup-self", lookup)
        .answer_on("GET", "secret/metadata/*", [subkeys, metadata()])
        .answer_on("POST", "auth/jwt/login", logins);
    let facts = TestJob::on(&script).facts();
    assert_eq!(facts.token.ttl, 600);
    for request in [JWT_LOGIN, LOOKUP, METADATA] {
        assert_eq!(count(&script, request), 2, "{request}");
    }
    let logins: Vec<_> =
        script.requests().into_iter().filter(|a| a.path.ends_with("login")).collect();
    assert_eq!(logins[0].body, logins[1].body);
    assert!(logins.iter().all(|login| login.method == "POST" && !login.has_token));
    let lookups = script.requests().into_iter().filter(|request| request.path.contains("lookup"));
    assert!(lookups.into_iter().all(|lookup| lookup.has_token));
}

#[test]
fn a_redirect_without_a_host_is_followed_on_the_same_server() {
    for status in [301, 302, 307, 308] {
        let script = server("imitates a proxy that names paths alone");
        let to = ScriptedAnswer::redirect(status, "/v1/auth/token/lookup-self");
        let script =
            script.answer_on("GET", "auth/token/lookup-self", [to, token(&json!({ "ttl": 601 }))]);
        assert_eq!(TestJob::on(&script).facts().token.ttl, 601, "{status}");
    }
}

#[test]
fn the_second_redirect_in_a_row_is_not_followed() {
    let script = server("imitates two standbys that send on to one another");
    let to = format!("{}/v1/auth/approle/login", script.url());
    let script = script.answer_on("POST", "auth/approle/login", ScriptedAnswer::redirect(307, &to));
    assert_eq!(
        refused(&TestJob::on(&script).with_auth(APPROLE)),
        "a second location after the first"
    );
    assert_eq!(
        requests_of(&script),
        [HEALTH, "POST auth/approle/login", "POST auth/approle/login"]
    );
}

#[test]
fn another_server_gets_neither_the_login_nor_the_token() {
    let other = server("imitates a server that collects tokens");
    for (method, path, wanted) in [
        ("GET", "sys/health", vec![HEALTH]),
        ("POST", "auth/jwt/login", vec![HEALTH, JWT_LOGIN]),
        ("GET", "auth/token/lookup-self", vec![HEALTH, JWT_LOGIN, LOOKUP, REVOKE]),
    ] {
        let to = format!("{}/v1/{path}?canary", other.url());
        let script = server("imitates a server that sends its clients away").answer_on(
            method,
            path,
            ScriptedAnswer::redirect(307, &to),
        );
        assert_eq!(refused(&TestJob::on(&script)), other.url());
        assert_eq!(requests_of(&script), wanted);
    }
    assert_eq!(other.requests(), []);
}

#[test]
fn another_port_scheme_or_host_name_is_another_server() {
    let script = server("imitates a server that sends its clients away");
    let port = script.url().rsplit_once(':').unwrap().1.to_owned();
    for (place, shown) in [
        ("http://127.0.0.1:9", "http://127.0.0.1:9".to_owned()),
        (&format!("https://127.0.0.1:{port}"), format!("https://127.0.0.1:{port}")),
        (&format!("http://localhost:{port}"), format!("http://localhost:{port}")),
        ("//127.0.0.1:9", "http://127.0.0.1:9".to_owned()),
        ("http://canary:canary@127.0.0.1:9", "http://127.0.0.1:9".to_owned()),
    ] {
        let to = ScriptedAnswer::redirect(307, &format!("{place}/v1/auth/token/lookup-self"));
        let script = server("imitates one more").answer_on("GET", "auth/token/lookup-self", to);
        assert_eq!(refused(&TestJob::on(&script)), shown);
        assert_eq!(requests_of(&script), [HEALTH, JWT_LOGIN, LOOKUP, REVOKE]);
    }
}

#[test]
fn a_redirect_to_a_secret_is_not_followed() {
    for place in [
        "secret/data/ml/db",
        "secret/data/ml/db?x=/v1/secret/metadata/ml/db",
        "../ui",
        "secret/metadata/ml/db?x",
        "secret/data/x/v1/secret/metadata/ml/db",
    ] {
        let script = server("imitates a server that would have its secrets read");
        let to = format!("{}/v1/{place}", script.url());
        let script = script
            .answer_on("GET", "secret/metadata/*", ScriptedAnswer::redirect(307, &to))
            .answer_on(
                "GET",
                "secret/data/*",
                ScriptedAnswer::data(json!({ "data": { "k": "canary" } })),
            );
        assert_eq!(refused(&TestJob::on(&script)), "another path of the same server");
        assert_eq!(
            requests_of(&script),
            [HEALTH, JWT_LOGIN, LOOKUP, CAPABILITIES, MOUNT, METADATA, REVOKE],
            "{place}"
        );
    }
}

#[test]
fn an_invalid_redirect_is_an_error() {
    let script = server("imitates a broken proxy").answer_on(
        "GET",
        "auth/token/lookup-self",
        ScriptedAnswer::redirect(307, "http://"),
    );
    assert_eq!(refused(&TestJob::on(&script)), "a location that isn't a URL");
    let script = server("imitates a proxy that forgets where to").answer_on(
        "GET",
        "secret/metadata/*",
        ScriptedAnswer::empty(307),
    );
    assert_eq!(finding_of(&TestJob::on(&script).failure()).code, "unreadable-answer");
}

#[test]
fn a_redirect_to_the_same_path_with_other_escapes_is_followed() {
    let db = "{engine: kv2, mount: secret, path: ml/a(b), fields: {host: DB_HOST}}";
    let script = server("imitates a standby that escapes more than it has to");
    let to = ScriptedAnswer::redirect(307, "/v1/secret/metadata/ml/a%28b%29");
    let script = script.answer_on("GET", "secret/metadata/*", [to, metadata()]);
    let facts = TestJob::on(&script).with_needs(&[("db", db)]).facts();
    assert_eq!(facts.needs["db"].presence, Ok(Presence::Present { deleted_at: None }));
    assert_eq!(count(&script, "GET secret/metadata/ml/a(b)"), 2);
}
