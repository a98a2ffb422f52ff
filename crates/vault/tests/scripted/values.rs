//! A server on which every other path is a secret.

use std::collections::BTreeSet;

use envlock_policy::{Engine, LocatorKind, TransitOperation};
use envlock_testkit::{RecordedRequest, ScriptedAnswer, ScriptedServer};
use serde_json::json;

use crate::support::{
    CAPABILITIES, HEALTH, JWT_LOGIN, LOOKUP, REVOKE, TestJob, finding_of, metadata,
};

const METHODS: [&str; 7] = ["GET", "LIST", "POST", "PUT", "PATCH", "DELETE", "SCAN"];
const USES: [&str; 5] = ["encrypt", "decrypt", "sign", "hmac", "verify"];

fn mount_of(engine: Engine) -> String {
    format!("m/{engine}")
}

fn locator_of(engine: Engine) -> &'static str {
    match engine {
        Engine::Token => "create",
        _ if engine.locator() == LocatorKind::Path => "team/x",
        _ => "x",
    }
}

/// A need of every engine.
fn needs() -> Vec<(String, String)> {
    let need = |engine: Engine| {
        let mut rest = match engine {
            Engine::Transit => format!(", operations: [{}]", USES.join(", ")),
            Engine::Kv2 => ", fields: {password: PASSWORD}".to_owned(),
            _ => String::new(),
        };
        if matches!(engine, Engine::Kv1 | Engine::Kv2) {
            rest.push_str(", capabilities: [list]");
        }
        let (mount, key, name) = (mount_of(engine), engine.locator().key(), locator_of(engine));
        let need = format!("{{engine: {engine}, mount: {mount}, {key}: {name}{rest}}}");
        (engine.to_string(), need)
    };
    Engine::all().map(need).collect()
}

/// Answers every request for a secret with its value.
fn open(imitates: &'static str) -> ScriptedServer {
    let all = METHODS.into_iter().fold(ScriptedServer::new(imitates), |script, method| {
        let value = json!({ "data": { "password": "canary" }, "password": "canary" });
        script.answer_on(method, "*", ScriptedAnswer::data(value))
    });
    all.with_healthy_answers()
}

fn mount(request: &RecordedRequest) -> ScriptedAnswer {
    let path = request.path.trim_start_matches("sys/internal/ui/mounts/");
    let engine = Engine::all().find(|engine| mount_of(*engine) == path).unwrap();
    let options = match engine {
        Engine::Kv1 => json!({ "version": "1" }),
        Engine::Kv2 => json!({ "version": "2" }),
        _ => json!(null),
    };
    crate::support::mount(path, engine.mount_types()[0], &options)
}

/// The requests. Asserts that none of them is a request by which a job reads its secret.
fn requests_without_secrets(script: &ScriptedServer) -> BTreeSet<String> {
    let uses = BTreeSet::from(TransitOperation::ALL);
    let secrets: BTreeSet<String> = Engine::all()
        .flat_map(|engine| engine.secret_requests(&mount_of(engine), locator_of(engine), &uses))
        .map(|access| access.path)
        .collect();
    assert_eq!(secrets.len(), Engine::all().count() + USES.len() - 1);
    let requests = script.requests();
    for request in &requests {
        assert!(!secrets.contains(&request.path), "{request}");
        let writes = !matches!(request.method.as_str(), "GET" | "LIST");
        let known = ["auth/jwt/login", "sys/capabilities-self", "auth/token/revoke-self"];
        assert_eq!(writes, known.contains(&request.path.as_str()), "{request}");
    }
    requests.iter().map(RecordedRequest::to_string).collect()
}

fn job(script: &ScriptedServer) -> TestJob {
    TestJob { needs: needs(), ..TestJob::on(script) }
}

#[test]
fn no_request_is_one_that_returns_a_secret() {
    let script = open("imitates a server that gives every secret away")
        .answer_on("GET", "sys/internal/ui/mounts/*", ScriptedAnswer::computed(mount))
        .answer_on("GET", "m/kv2/metadata/*", metadata())
        .answer_on("GET", "m/kv2/subkeys/*", crate::support::fields(&["password"]))
        .answer_on("LIST", "m/kv1/*", ScriptedAnswer::data(json!({ "keys": ["x"] })));
    let facts = job(&script).facts();
    assert_eq!(facts.needs.len(), Engine::all().count());
    let requests = requests_without_secrets(&script);
    let mut wanted: BTreeSet<String> =
        [HEALTH, JWT_LOGIN, LOOKUP, CAPABILITIES, REVOKE].map(str::to_owned).into();
    for engine in Engine::all() {
        let (mount, name) = (mount_of(engine), locator_of(engine));
        wanted.insert(format!("GET sys/internal/ui/mounts/{mount}"));
        for access in engine.existence_requests(&mount, name) {
            let method = if engine == Engine::Kv1 { "LIST" } else { "GET" };
            let depth = if access.path.contains("/subkeys/") { "?depth=1" } else { "" };
            wanted.insert(format!("{method} {}{depth}", access.path));
        }
    }
    assert_eq!(requests, wanted);
}

#[test]
fn a_server_that_answers_every_request_with_a_secret_causes_no_output_of_it_and_no_further_request()
{
    let script = open("imitates a server that answers everything with a secret").answer_on(
        "GET",
        "sys/internal/ui/mounts/*",
        ScriptedAnswer::computed(mount),
    );
    let facts = job(&script).facts();
    assert!(facts.needs.values().all(|need| need.fields.is_err()));
    requests_without_secrets(&script);

    let script = script.answer_on("GET", "m/kv2/metadata/*", metadata());
    assert_eq!(finding_of(&job(&script).failure()).code, "unreadable-answer");
    requests_without_secrets(&script);
}

#[test]
fn a_server_with_false_mounts_gets_no_request_for_a_secret() {
    for (kind, version) in
        [("kv", "1"), ("kv", "2"), ("generic", "1"), ("database", ""), ("cubbyhole", "")]
    {
        let lie = move |request: &RecordedRequest| {
            let path = request.path.trim_start_matches("sys/internal/ui/mounts/");
            crate::support::mount(path, kind, &json!({ "version": version }))
        };
        let script = open("imitates a server whose mounts are all the same")
            .answer_on("GET", "sys/internal/ui/mounts/*", ScriptedAnswer::computed(lie))
            .answer_on("GET", "m/*/metadata/*", metadata());
        // A failure happens before a secret is requested.
        let failed = job(&script).run().facts.is_err();
        assert_eq!(failed, version == "2", "{kind} {version}");
        requests_without_secrets(&script);
    }
}

#[test]
fn with_every_mount_forbidden_nothing_below_a_mount_is_requested() {
    let script = open("imitates a server that tells no mount").answer_on(
        "GET",
        "sys/internal/ui/mounts/*",
        ScriptedAnswer::errors(403, &["permission denied"]),
    );
    assert!(job(&script).facts().needs.values().all(|need| need.presence.is_err()));
    let requests = requests_without_secrets(&script);
    assert!(
        requests
            .iter()
            .all(|request| !request.starts_with("GET m/") && !request.starts_with("LIST"))
    );
}
