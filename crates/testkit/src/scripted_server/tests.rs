use serde_json::{Value, json};

use super::*;
use crate::VaultClient;

fn ask(
    script: &ScriptedServer,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Option<(u16, Value)> {
    VaultClient::new(script.url(), None, None).try_request(method, path, &[], body).ok()
}

fn status(script: &ScriptedServer, method: &str, path: &str) -> Option<u16> {
    ask(script, method, path, None).map(|(status, _)| status)
}

#[test]
fn a_request_without_a_rule_gets_404_without_errors() {
    let script = ScriptedServer::new("imitates a server without a single route");
    assert_eq!(ask(&script, "GET", "sys/health", None), Some((404, json!({ "errors": [] }))));
    assert_eq!(script.description(), "imitates a server without a single route");
}

#[test]
fn answers_are_given_in_order_and_the_last_one_is_repeated() {
    let script = ScriptedServer::new("imitates a server that is busy, twice")
        .with_healthy_answers()
        .answer_on("GET", "sys/health", ScriptedAnswer::empty(200))
        .answer_on("GET", "sys/health", [429, 503, 472].map(ScriptedAnswer::empty));
    let codes = [(); 4].map(|()| status(&script, "GET", "sys/health").unwrap());
    assert_eq!(codes, [429, 503, 472, 472]);
    assert_eq!(status(&script, "POST", "sys/health"), Some(404));
}

#[test]
fn a_request_is_recorded_without_its_token() {
    let script = ScriptedServer::new("imitates a server in namespaces").with_healthy_answers();
    let job =
        VaultClient::new(script.url(), None, None).with_token("s.secret").in_namespace("team");
    job.request("POST", "auth/令牌/login?a=b", &[("X-Vault-Request", "true")], json!({ "k": "v" }));
    let request = &script.requests()[0];
    assert_eq!(request.to_string(), "POST auth/令牌/login?a=b");
    assert!(request.has_token && request.headers.contains(&"x-vault-request".to_owned()));
    assert_eq!(request.namespace.as_deref(), Some("team"));
    assert_eq!(request.body, json!({ "k": "v" }));
    assert!(!format!("{request:?}").contains("s.secret"));
}

#[test]
fn a_connection_is_closed_before_or_after_the_body_is_read() {
    let script = ScriptedServer::new("imitates a proxy that loses its backend")
        .answer_on("POST", "before", ScriptedAnswer::close_unread())
        .answer_on("POST", "after", ScriptedAnswer::close());
    for path in ["before", "after"] {
        assert_eq!(ask(&script, "POST", path, Some(json!(1))), None);
    }
    let bodies: Vec<_> = script.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [json!(null), json!(1)]);
}

#[test]
fn a_request_without_an_answer_ends_with_the_server() {
    let script = ScriptedServer::new("imitates a server that is stuck").answer_on(
        "GET",
        "x",
        ScriptedAnswer::hang(),
    );
    let client = VaultClient::new(script.url(), None, None);
    let waiting = std::thread::spawn(move || client.try_request("GET", "x", &[], None).is_err());
    while script.requests().is_empty() {
        std::thread::yield_now();
    }
    assert!(!waiting.is_finished());
    drop(script);
    assert!(waiting.join().unwrap());
}

#[test]
fn redirects_pages_and_large_bodies_are_sent() {
    let other = ScriptedServer::new("imitates another host");
    let script = ScriptedServer::new("imitates a proxy in front of a server")
        .answer_on("GET", "away", ScriptedAnswer::redirect(307, &other.url()))
        .answer_on("GET", "page", ScriptedAnswer::html(502).header("retry-after", "1"))
        .answer_on("GET", "huge", ScriptedAnswer::huge())
        .answer_on("GET", "/elsewhere", ScriptedAnswer::raw(200, "text/plain", "yes"));
    assert_eq!(ask(&script, "GET", "away", None), Some((307, Value::Null)));
    assert_eq!(ask(&script, "GET", "page", None), Some((502, Value::Null)));
    assert!(ask(&script, "GET", "huge", None).unwrap().1.to_string().len() > 1 << 20);
    assert_eq!(other.requests(), []);
}

#[test]
fn a_healthy_server_answers_every_request_from_login_to_logout() {
    let script = ScriptedServer::new("imitates a server in development").with_healthy_answers();
    let get = |method, path, body| ask(&script, method, path, body).unwrap();
    assert_eq!(get("GET", "sys/health", None).1["sealed"], false);
    for path in ["auth/approle/login", "auth/a/b/login", "auth/userpass/login/dev"] {
        assert_eq!(get("POST", path, Some(json!({}))).1["auth"]["client_token"], "s.scripted");
    }
    assert_eq!(get("GET", "auth/token/lookup-self", None).1["data"]["ttl"], 3600);
    let paths = json!({ "paths": ["a/b", "c/"] });
    let (_, answer) = get("POST", "sys/capabilities-self", Some(paths));
    assert_eq!(answer["data"]["c/"], answer["a/b"]);
    assert_eq!(get("POST", "sys/capabilities-self", Some(json!({}))).0, 400);
    assert_eq!(get("POST", "auth/token/revoke-self", None), (204, Value::Null));
}

#[tokio::test]
async fn a_server_can_be_used_from_another_runtime() {
    let script = ScriptedServer::new("imitates a server in development").with_healthy_answers();
    assert_eq!(status(&script, "GET", "sys/health"), Some(200));
}
