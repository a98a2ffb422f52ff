//! What requests look like.

use envlock_secrets::facts::Presence;
use envlock_testkit::{ScriptedAnswer, ScriptedServer};
use serde_json::json;

use crate::support::{
    CAPABILITIES, DB, HEALTH, Job, METADATA, MOUNT, asked, fields, login, metadata, mount, server,
    token,
};
use crate::tap::Tap;

#[test]
fn every_request_says_who_asks_and_that_it_is_meant() {
    let script = server("imitates a server in development");
    let tap = Tap::before(&script);
    Job::below(&tap.url).facts();
    let requests = script.requests().len();
    assert_eq!(requests, 8);
    assert_eq!(tap.count("user-agent: envlock/test"), requests);
    assert_eq!(tap.count("x-vault-request: true"), requests);
    assert_eq!(tap.count("x-vault-token: s.scripted"), requests - 2);
    assert!(script.requests().iter().all(|asked| !asked.headers.contains(&"referer".to_owned())));
}

#[test]
fn the_namespace_goes_with_all_but_the_servers_health() {
    let script = server("imitates a server with namespaces");
    let tap = Tap::before(&script);
    let job = Job { namespace: Some("other".to_owned()), ..Job::below(&tap.url) };
    job.with("namespace: {env: NS}").having("NS", "团队/ml").facts();
    for request in script.requests() {
        let wanted = (request.path != "sys/health").then_some("团队/ml");
        assert_eq!(request.namespace.as_deref(), wanted, "{request}");
    }
    assert_eq!(tap.count("x-vault-namespace: 团队/ml"), script.requests().len() - 1);

    let script = server("imitates a server with namespaces");
    Job { namespace: Some("team/ml".to_owned()), ..Job::at(&script) }.facts();
    assert!(script.requests()[1..].iter().all(|r| r.namespace.as_deref() == Some("team/ml")));

    let script = server("imitates a server without namespaces");
    Job::at(&script).facts();
    assert!(script.requests().iter().all(|request| request.namespace.is_none()));
}

#[test]
fn a_namespace_that_no_header_can_hold_is_no_panic() {
    let script = server("imitates a server with namespaces");
    let job = Job::at(&script).with("namespace: {env: NS}").having("NS", "a\nX-Header: canary");
    let failure = job.failure();
    assert_eq!(crate::support::told(&failure).code.as_str(), "credential-malformed");
    assert_eq!(asked(&script), [""; 0]);
}

#[test]
fn what_a_node_knows_is_asked_for_at_the_next_one() {
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
    let tap = Tap::before(&script);
    Job::below(&tap.url).facts();
    // lookup-self and twice capabilities-self; then mount, metadata, subkeys and the end.
    assert_eq!((tap.count("x-vault-index: one"), tap.count("x-vault-index: two")), (3, 4));
    let first = ["sys/health", "auth/jwt/login"];
    for request in script.requests() {
        let sends = request.headers.contains(&"x-vault-index".to_owned());
        assert_eq!(sends, !first.contains(&request.path.as_str()), "{request}");
    }
}

#[test]
fn a_performance_standbys_refusal_is_asked_about_at_the_active_node_once() {
    let health = ScriptedAnswer::json(473, json!({ "initialized": true, "sealed": false }));
    let refused = || ScriptedAnswer::errors(403, &["permission denied"]);
    let script = server("imitates a performance standby that hasn't heard of the token")
        .answer_on("GET", "sys/health", health)
        .answer_on("GET", "auth/token/lookup-self", [refused(), token(&json!({ "ttl": 62 }))])
        .answer_on("GET", "secret/metadata/*", refused());
    let tap = Tap::before(&script);
    let facts = Job::below(&tap.url).facts();
    assert_eq!(facts.token.ttl, 62);
    assert_eq!(tap.count("x-vault-inconsistent: forward-active-node"), 1);
    assert_eq!(crate::support::count(&script, METADATA), 1);
}

#[test]
fn a_server_below_a_path_is_asked_below_it() {
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
        let facts = Job::below(&url).facts();
        assert_eq!(facts.needs["db"].presence, Ok(Presence::Present { deleted_at: None }));
        assert_eq!(facts.server.address, format!("{}/vault", script.url()));
    }
    assert!(asked(&script).iter().all(|asked| asked.contains(" /vault/v1/")));
}

#[test]
fn paths_of_every_script_and_sign_arrive_as_they_were_written() {
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
        let tap = Tap::before(&script);
        let facts = Job::below(&tap.url).needing(&[("db", &need)]).facts();
        assert_eq!(
            facts.needs["db"].presence,
            Ok(Presence::Present { deleted_at: None }),
            "{path}"
        );
        let wanted = format!("GET secret/metadata/{path}");
        assert!(asked(&script).contains(&wanted), "{wanted}: {:?}", asked(&script));
        for line in ["secret/metadata/RAW", "secret/subkeys/RAW?depth=1"] {
            let line = format!("GET /v1/{} HTTP/1.1", line.replace("RAW", raw));
            assert_eq!(tap.count(&line), 1, "{line}: {:?}", tap.lines());
        }
        let paths = script.requests().into_iter().find(|asked| asked.path.ends_with("-self"));
        assert!(paths.is_some(), "{CAPABILITIES}");
        let rights = facts.capabilities.unwrap();
        assert!(rights.contains_key(&format!("secret/data/{path}")), "{rights:?}");
    }
}

#[test]
fn a_mount_and_a_user_of_any_script_arrive_as_they_were_written() {
    let script = server("imitates a server in development");
    let tap = Tap::before(&script);
    let job = Job::below(&tap.url)
        .by("{method: userpass, mount: 用户, username: {env: ME}, password: {env: PASSWORD}}")
        .having("ME", "li wei?x=1#2%41");
    job.needing(&[("db", "{engine: kv2, mount: 密/ml, path: db}")]).facts();
    let user = "%E7%94%A8%E6%88%B7/login/li%20wei%3Fx=1%232%2541";
    assert_eq!(tap.count(&format!("POST /v1/auth/{user} HTTP/1.1")), 1, "{:?}", tap.lines());
    assert_eq!(tap.count("GET /v1/sys/internal/ui/mounts/%E5%AF%86/ml HTTP/1.1"), 1);
    let login = script.requests().into_iter().nth(1).unwrap();
    assert_eq!(login.path, "auth/用户/login/li wei?x=1#2%41");
    assert_eq!(login.body, json!({ "password": "canary-password" }));
}

#[test]
fn nothing_is_asked_but_what_the_facts_need() {
    let script = server("imitates a server in development");
    Job::at(&script).facts();
    assert_eq!(
        asked(&script),
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
    let job = Job { as_verifier: true, ..Job::at(&script) };
    let facts = job.needing(&[("db", "{engine: kv2, mount: secret, path: ml/db}")]).facts();
    assert_eq!(facts.capabilities, Err(envlock_secrets::facts::UnknownReason::NotRequested));
    let requests = asked(&script);
    assert!(!requests.contains(&CAPABILITIES.to_owned()));
    assert!(!requests.contains(&crate::support::FIELDS.to_owned()));
}
