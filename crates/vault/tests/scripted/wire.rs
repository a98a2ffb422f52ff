//! The bytes of the requests.

use envlock_secrets::facts::Presence;
use envlock_testkit::{ScriptedAnswer, ScriptedServer};
use serde_json::json;

use crate::recording_proxy::RecordingProxy;
use crate::support::{
    CAPABILITIES, DB, HEALTH, METADATA, MOUNT, TestJob, fields, login, metadata, mount,
    requests_of, server, token,
};

#[test]
fn every_request_has_a_user_agent_and_the_request_header() {
    let script = server("imitates a server in development");
    let tap = RecordingProxy::in_front_of(&script);
    TestJob::at_url(&tap.url).facts();
    let requests = script.requests().len();
    assert_eq!(requests, 8);
    assert_eq!(tap.count("user-agent: envlock/test"), requests);
    assert_eq!(tap.count("x-vault-request: true"), requests);
    assert_eq!(tap.count("x-vault-token: s.scripted"), requests - 2);
    assert!(
        script.requests().iter().all(|request| !request.headers.contains(&"referer".to_owned()))
    );
}

#[test]
fn every_request_but_health_has_the_namespace() {
    let script = server("imitates a server with namespaces");
    let tap = RecordingProxy::in_front_of(&script);
    let job = TestJob { namespace: Some("other".to_owned()), ..TestJob::at_url(&tap.url) };
    job.with_profile_key("namespace: {env: NS}").with_variable("NS", "团队/ml").facts();
    for request in script.requests() {
        let wanted = (request.path != "sys/health").then_some("团队/ml");
        assert_eq!(request.namespace.as_deref(), wanted, "{request}");
    }
    assert_eq!(tap.count("x-vault-namespace: 团队/ml"), script.requests().len() - 1);

    let script = server("imitates a server with namespaces");
    TestJob { namespace: Some("team/ml".to_owned()), ..TestJob::on(&script) }.facts();
    assert!(script.requests()[1..].iter().all(|r| r.namespace.as_deref() == Some("team/ml")));

    let script = server("imitates a server without namespaces");
    TestJob::on(&script).facts();
    assert!(script.requests().iter().all(|request| request.namespace.is_none()));
}

#[test]
fn a_namespace_that_is_not_valid_in_a_header_is_an_error() {
    let script = server("imitates a server with namespaces");
    let job = TestJob::on(&script)
        .with_profile_key("namespace: {env: NS}")
        .with_variable("NS", "a\nX-Header: canary");
    let failure = job.failure();
    assert_eq!(crate::support::finding_of(&failure).code.as_str(), "login-credential-malformed");
    assert_eq!(requests_of(&script), [""; 0]);
}

#[test]
fn the_index_of_a_node_is_sent_to_the_next_one() {
    let script = server("imitates performance standbys")
        .answer_on("POST", "auth/jwt/login", login(&json!({})).header("X-Vault-Index", "one"))
        .answer_on(
            "POST",
            "sys/capabilities-self",
            [
                ScriptedAnswer::errors(412, &["required index state not present"]),
                ScriptedAnswer::data(json!({})).header("X-Vault-Index", "two"),
            ],
        );
    let tap = RecordingProxy::in_front_of(&script);
    TestJob::at_url(&tap.url).facts();
    // lookup-self and capabilities-self twice; then mount, metadata, subkeys and the revocation.
    assert_eq!((tap.count("x-vault-index: one"), tap.count("x-vault-index: two")), (3, 4));
    let first = ["sys/health", "auth/jwt/login"];
    for request in script.requests() {
        let sends = request.headers.contains(&"x-vault-index".to_owned());
        assert_eq!(sends, !first.contains(&request.path.as_str()), "{request}");
    }
}

#[test]
fn a_denial_by_a_performance_standby_is_retried_once_on_the_active_node() {
    let health = ScriptedAnswer::json(473, json!({ "initialized": true, "sealed": false }));
    let refused = || ScriptedAnswer::errors(403, &["permission denied"]);
    let script = server("imitates a performance standby that does not know the token yet")
        .answer_on("GET", "sys/health", health)
        .answer_on("GET", "auth/token/lookup-self", [refused(), token(&json!({ "ttl": 62 }))])
        .answer_on("GET", "secret/metadata/*", refused());
    let tap = RecordingProxy::in_front_of(&script);
    let facts = TestJob::at_url(&tap.url).facts();
    assert_eq!(facts.token.ttl, 62);
    assert_eq!(tap.count("x-vault-inconsistent: forward-active-node"), 1);
    assert_eq!(crate::support::count(&script, METADATA), 1);
}

#[test]
fn the_path_of_the_address_is_part_of_every_request() {
    let capabilities = ScriptedAnswer::data(json!({ "secret/data/ml/db": ["read"] }));
    let script = ScriptedServer::new("imitates a server behind a proxy that gives it a path");
    let script = [
        (
            "GET",
            "sys/health",
            ScriptedAnswer::json(200, json!({ "initialized": true, "sealed": false })),
        ),
        ("POST", "auth/jwt/login", login(&json!({}))),
        ("GET", "auth/token/lookup-self", token(&json!({}))),
        ("POST", "sys/capabilities-self", capabilities),
        ("GET", "sys/internal/ui/mounts/secret", mount("secret", "kv", &json!({ "version": "2" }))),
        ("GET", "secret/metadata/ml/db", metadata()),
        ("GET", "secret/subkeys/ml/db", fields(&["host"])),
        ("POST", "auth/token/revoke-self", ScriptedAnswer::empty(204)),
    ]
    .into_iter()
    .fold(script, |script, (method, path, answer)| {
        script.answer_on(method, &format!("/vault/v1/{path}"), answer)
    });
    for slash in ["", "/"] {
        let url = format!("{}/vault{slash}", script.url());
        let facts = TestJob::at_url(&url).facts();
        assert_eq!(facts.needs["db"].presence, Ok(Presence::Present { deleted_at: None }));
        assert_eq!(facts.server.address, format!("{}/vault", script.url()));
    }
    assert!(requests_of(&script).iter().all(|request| request.contains(" /vault/v1/")));
}

#[test]
fn paths_with_characters_of_any_script_are_sent_unchanged() {
    for (path, raw) in [
        ("团队/数据库", "%E5%9B%A2%E9%98%9F/%E6%95%B0%E6%8D%AE%E5%BA%93"),
        ("100%", "100%25"),
        ("%2e%2e/x", "%252e%252e/x"),
        ("a%2Fb", "a%252Fb"),
        ("what?list=true", "what%3Flist=true"),
        ("c#1", "c%231"),
        ("a;b=c,d&e@f:g", "a;b=c,d&e@f:g"),
        ("a\\\\b", "a%5Cb"),
        ("<a>|^`~", "%3Ca%3E|^%60~"),
        ("a...b/.hidden", "a...b/.hidden"),
        ("a[0]/$x!()'", "a[0]/$x!()'"),
    ] {
        let need = DB.replace("ml/db", &path.replace('\'', "''"));
        let need = need.replace(&path.replace('\'', "''"), &format!("\"{path}\""));
        let path = path.replace("\\\\", "\\");
        let script = server("imitates a server in development");
        let tap = RecordingProxy::in_front_of(&script);
        let facts = TestJob::at_url(&tap.url).with_needs(&[("db", &need)]).facts();
        assert_eq!(
            facts.needs["db"].presence,
            Ok(Presence::Present { deleted_at: None }),
            "{path}"
        );
        let wanted = format!("GET secret/metadata/{path}");
        assert!(requests_of(&script).contains(&wanted), "{wanted}: {:?}", requests_of(&script));
        for line in ["secret/metadata/RAW", "secret/subkeys/RAW?depth=1"] {
            let line = format!("GET /v1/{} HTTP/1.1", line.replace("RAW", raw));
            assert_eq!(tap.count(&line), 1, "{line}: {:?}", tap.lines());
        }
        let paths = script.requests().into_iter().find(|request| request.path.ends_with("-self"));
        assert!(paths.is_some(), "{CAPABILITIES}");
        let rights = facts.capabilities.unwrap();
        assert!(rights.contains_key(&format!("secret/data/{path}")), "{rights:?}");
    }
}

#[test]
fn a_mount_and_a_user_with_characters_of_any_script_are_sent_unchanged() {
    let script = server("imitates a server in development");
    let tap = RecordingProxy::in_front_of(&script);
    let job = TestJob::at_url(&tap.url)
        .with_auth(
            "{method: userpass, mount: 用户, username: {env: ME}, password: {env: PASSWORD}}",
        )
        .with_variable("ME", "li wei?x=1#2%41");
    job.with_needs(&[("db", "{engine: kv2, mount: 密/ml, path: db}")]).facts();
    let user = "%E7%94%A8%E6%88%B7/login/li%20wei%3Fx=1%232%2541";
    assert_eq!(tap.count(&format!("POST /v1/auth/{user} HTTP/1.1")), 1, "{:?}", tap.lines());
    assert_eq!(tap.count("GET /v1/sys/internal/ui/mounts/%E5%AF%86/ml HTTP/1.1"), 1);
    let login = script.requests().into_iter().nth(1).unwrap();
    assert_eq!(login.path, "auth/用户/login/li wei?x=1#2%41");
    assert_eq!(login.body, json!({ "password": "canary-password" }));
}

#[test]
fn only_the_requests_for_the_facts_are_sent() {
    let script = server("imitates a server in development");
    TestJob::on(&script).facts();
    assert_eq!(
        requests_of(&script),
        [
            HEALTH,
            crate::support::JWT_LOGIN,
            crate::support::LOOKUP,
            CAPABILITIES,
            MOUNT,
            METADATA,
            crate::support::FIELDS,
            crate::support::REVOKE,
        ]
    );
    let script = server("imitates a server in development");
    let job = TestJob { presence_only: true, ..TestJob::on(&script) };
    let facts = job.with_needs(&[("db", "{engine: kv2, mount: secret, path: ml/db}")]).facts();
    assert_eq!(facts.capabilities, Err(envlock_secrets::facts::UnknownReason::NotRequested));
    let requests = requests_of(&script);
    assert!(!requests.contains(&CAPABILITIES.to_owned()));
    assert!(!requests.contains(&crate::support::FIELDS.to_owned()));
}
