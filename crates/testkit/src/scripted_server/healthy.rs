//! The answers of a healthy server, in the format of OpenBao 2.4.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::{RecordedRequest, ScriptedAnswer};

pub(super) fn answers() -> [(&'static str, &'static str, ScriptedAnswer); 5] {
    [
        ("GET", "sys/health", ScriptedAnswer::computed(health)),
        ("POST", "auth/*/login*", ScriptedAnswer::auth(login())),
        ("GET", "auth/token/lookup-self", ScriptedAnswer::data(token())),
        ("POST", "sys/capabilities-self", ScriptedAnswer::computed(capabilities)),
        ("POST", "auth/token/revoke-self", ScriptedAnswer::empty(204)),
    ]
}

/// The answer of `sys/health`, with this machine's clock.
fn health(_: &RecordedRequest) -> ScriptedAnswer {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    ScriptedAnswer::json(
        200,
        json!({
            "initialized": true,
            "sealed": false,
            "standby": false,
            "performance_standby": false,
            "replication_performance_mode": "disabled",
            "replication_dr_mode": "disabled",
            "server_time_utc": now.expect("it is after 1970").as_secs(),
            "version": "2.4.0",
            "cluster_name": "vault-cluster-script",
            "cluster_id": "5c1a70c0-0000-4000-8000-000000000000",
        }),
    )
}

fn login() -> Value {
    json!({
        "client_token": "s.scripted",
        "accessor": "scripted-accessor",
        "policies": ["default", "scripted"],
        "token_policies": ["default", "scripted"],
        "metadata": null,
        "lease_duration": 3600,
        "renewable": true,
        "entity_id": "",
        "token_type": "service",
        "orphan": true,
        "mfa_requirement": null,
        "num_uses": 0,
    })
}

/// The answer of a login.
fn token() -> Value {
    json!({
        "accessor": "scripted-accessor",
        "creation_time": 1_800_000_000,
        "creation_ttl": 3600,
        "display_name": "scripted",
        "entity_id": "",
        "expire_time": "2099-01-01T00:00:00Z",
        "explicit_max_ttl": 0,
        "id": "s.scripted",
        "issue_time": "2026-01-01T00:00:00Z",
        "meta": null,
        "num_uses": 0,
        "orphan": true,
        "path": "auth/scripted/login",
        "policies": ["default", "scripted"],
        "renewable": true,
        "ttl": 3600,
        "type": "service",
    })
}

/// The answer of `sys/capabilities-self`: everything but `sudo` on each path, next to the envelope
/// and in it, as servers do; for one path also under `capabilities`.
fn capabilities(request: &RecordedRequest) -> ScriptedAnswer {
    let all = json!(["create", "delete", "list", "patch", "read", "update"]);
    let paths: Vec<_> =
        request.body["paths"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if paths.is_empty() {
        return ScriptedAnswer::errors(400, &["paths must be supplied"]);
    }
    let mut data: Map<_, _> = paths.iter().map(|&path| (path.to_owned(), all.clone())).collect();
    if paths.len() == 1 {
        data.insert("capabilities".to_owned(), all);
    }
    let mut answer = data.clone();
    answer.insert("data".to_owned(), data.into());
    ScriptedAnswer::json(200, answer.into())
}
