//! The definitions of roles, keys and sets of each engine.

use envlock_secrets::facts::{Fact, Lease, NeedFacts, Presence, UnknownReason};
use envlock_testkit::ScriptedAnswer;
use serde_json::{Value, json};

use crate::support::{TestJob, mount, requests_of, server};

fn defined(engine: &str, kind: &str, path: &str, answer: ScriptedAnswer) -> NeedFacts {
    let script = server("imitates an engine that makes credentials")
        .answer_on("GET", "sys/internal/ui/mounts/*", mount("m", kind, &Value::Null))
        .answer_on("GET", "m/*", ScriptedAnswer::data(json!({ "password": "canary" })))
        .answer_on("GET", path, answer);
    let locator = match engine {
        "transit" => "key: r, operations: [encrypt, sign]",
        "totp" => "key: r",
        _ => "role: r",
    };
    let need = format!("{{engine: {engine}, mount: m, {locator}}}");
    let mut facts = TestJob::on(&script).with_needs(&[("n", &need)]).facts();
    let below: Vec<_> =
        requests_of(&script).into_iter().filter(|request| request.starts_with("GET m/")).collect();
    assert_eq!(below, [format!("GET {path}")]);
    facts.needs.remove("n").unwrap()
}

fn lease(data: Value) -> Fact<Lease> {
    defined("database", "database", "m/roles/r", ScriptedAnswer::data(data)).lease
}

#[test]
fn the_ttls_of_a_role_are_numbers_texts_or_missing() {
    let of = |default_ttl, max_ttl| Ok(Lease { default_ttl, max_ttl });
    assert_eq!(lease(json!({ "default_ttl": 3600, "max_ttl": 86_400 })), of(3600, 86_400));
    assert_eq!(lease(json!({ "default_ttl": "1h0m0s", "max_ttl": "24h" })), of(3600, 86_400));
    assert_eq!(lease(json!({ "default_ttl": "3600", "max_ttl": "90s" })), of(3600, 90));
    assert_eq!(lease(json!({ "default_ttl": null, "max_ttl": 0 })), of(0, 0));
    assert_eq!(lease(json!({ "default_ttl": "" })), of(0, 0));
    assert_eq!(lease(json!({ "db_name": "pg", "creation_statements": ["canary"] })), of(0, 0));
    for strange in [json!(-1), json!(1.5), json!([60]), json!({ "ttl": 60 }), json!(true)] {
        assert_eq!(lease(json!({ "default_ttl": strange })), Err(UnknownReason::Unsupported));
    }
}

#[test]
fn the_definition_of_each_engine_is_requested_at_its_endpoint() {
    for (engine, kind, path, data, default_ttl, max_ttl) in [
        ("ldap", "ldap", "m/role/r", json!({ "default_ttl": 60, "max_ttl": 120 }), 60, 120),
        (
            "ldap-library",
            "ldap",
            "m/library/r/status",
            json!({ "a@b": { "available": true } }),
            0,
            0,
        ),
        ("ldap-static", "openldap", "m/static-role/r", json!({ "rotation_period": 60 }), 0, 0),
        ("transit", "transit", "m/keys/r", json!({ "keys": { "1": 7 }, "type": "aes" }), 0, 0),
        ("pki", "pki", "m/roles/r", json!({ "ttl": 60, "max_ttl": "72h" }), 60, 259_200),
        ("pki-sign", "pki", "m/roles/r", json!({ "ttl": "1h", "max_ttl": "" }), 3600, 0),
        ("rabbitmq", "rabbitmq", "m/roles/r", json!({ "tags": "", "vhosts": "{}" }), 0, 0),
        ("ssh-ca", "ssh", "m/roles/r", json!({ "ttl": "30m", "max_ttl": "1h" }), 1800, 3600),
        (
            "aws",
            "aws",
            "m/roles/r",
            json!({ "default_sts_ttl": 900, "max_sts_ttl": 1800 }),
            900,
            1800,
        ),
        (
            "kubernetes",
            "kubernetes",
            "m/roles/r",
            json!({ "token_default_ttl": 600, "token_max_ttl": 1200 }),
            600,
            1200,
        ),
        ("totp", "totp", "m/keys/r", json!({ "issuer": "x", "period": 30 }), 0, 0),
        ("gcp-token", "gcp", "m/roleset/r", json!({ "secret_type": "access_token" }), 0, 0),
        ("database-static", "database", "m/static-roles/r", json!({ "username": "u" }), 0, 0),
    ] {
        let found = defined(engine, kind, path, ScriptedAnswer::data(data));
        assert_eq!(found.presence, Ok(Presence::Present { deleted_at: None }), "{engine}");
        assert_eq!(found.lease, Ok(Lease { default_ttl, max_ttl }), "{engine}");
    }
}

#[test]
fn an_absent_a_forbidden_and_an_unrequested_role_are_different_facts() {
    for (answer, presence, lease) in [
        (ScriptedAnswer::errors(404, &[]), Ok(Presence::Absent), Err(UnknownReason::NotRequested)),
        (
            ScriptedAnswer::errors(403, &["permission denied"]),
            Err(UnknownReason::Forbidden),
            Err(UnknownReason::Forbidden),
        ),
        (
            ScriptedAnswer::errors(405, &[]),
            Err(UnknownReason::Unsupported),
            Err(UnknownReason::Unsupported),
        ),
    ] {
        let found = defined("database", "database", "m/roles/r", answer);
        assert_eq!((found.presence, found.lease), (presence, lease));
    }
}
