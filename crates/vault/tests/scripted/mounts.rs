//! Requests that aren't sent, because the mount differs from the manifest's.

use envlock_secrets::facts::{Mount, NeedFacts, Presence, UnknownReason};
use envlock_testkit::{ScriptedAnswer, ScriptedServer};
use serde_json::{Value, json};

use crate::support::{
    CAPABILITIES, DB, HEALTH, JWT_LOGIN, LOOKUP, MOUNT, REVOKE, TestJob, metadata, mount,
    requests_of, server,
};

const ROLE: &str = "{engine: database, mount: secret, role: ro}";
const KV1: &str = "{engine: kv1, mount: secret, path: ml/db}";
const CUBBYHOLE: &str = "{engine: cubbyhole, mount: secret, path: ml/db}";

/// The facts about the need. Asserts that nothing below the mount was requested.
fn unasked(answer: ScriptedAnswer, need: &str) -> NeedFacts {
    let script = server("imitates a server with another mount")
        .answer_on("GET", "sys/internal/ui/mounts/*", answer)
        .answer_on("GET", "secret/*", ScriptedAnswer::data(json!({ "password": "canary" })))
        .answer_on("LIST", "secret/*", ScriptedAnswer::data(json!({ "keys": ["db"] })));
    let mut facts = TestJob::on(&script).with_needs(&[("n", need)]).facts();
    assert_eq!(requests_of(&script), [HEALTH, JWT_LOGIN, LOOKUP, CAPABILITIES, MOUNT, REVOKE]);
    facts.needs.remove("n").unwrap()
}

fn version(version: &str) -> Value {
    json!({ "version": version })
}

#[test]
fn nothing_is_requested_below_an_unknown_mount() {
    for (answer, unknown) in [
        (
            ScriptedAnswer::errors(403, &["preflight capability check returned 403"]),
            UnknownReason::Forbidden,
        ),
        (ScriptedAnswer::errors(404, &[]), UnknownReason::Unsupported),
        (ScriptedAnswer::errors(405, &[]), UnknownReason::Unsupported),
        (ScriptedAnswer::errors(400, &[]), UnknownReason::Unsupported),
    ] {
        for need in [DB, ROLE, KV1] {
            let found = unasked(answer.clone(), need);
            assert_eq!(found.mount, Err(unknown));
            assert_eq!(found.presence, Err(UnknownReason::NotRequested), "{need}");
            assert_eq!(
                (found.fields, found.lease),
                (Err(UnknownReason::NotRequested), Err(UnknownReason::NotRequested))
            );
        }
    }
}

#[test]
fn nothing_is_requested_on_the_wrong_engine() {
    for (kind, options, need) in [
        ("kv", version("1"), DB),
        ("kv", Value::Null, DB),
        ("kv", json!({}), DB),
        ("kv", version("3"), DB),
        ("kv", version("canary"), DB),
        ("generic", Value::Null, DB),
        ("cubbyhole", Value::Null, DB),
        ("database", Value::Null, DB),
        ("kv", version("2"), KV1),
        ("kv", version("2"), ROLE),
        ("kv", version("1"), ROLE),
        ("postgresql", Value::Null, ROLE),
        ("", Value::Null, ROLE),
    ] {
        let found = unasked(mount("secret", kind, &options), need);
        assert_eq!(found.presence, Err(UnknownReason::NotRequested), "{kind} {options} {need}");
        assert_eq!(found.mount.unwrap().kind, kind);
    }
}

#[test]
fn nothing_is_requested_on_another_mount_than_the_manifests() {
    for path in ["secret/ml", "", "secre", "secret2", "team/secret", "/secret"] {
        for need in [DB, ROLE, KV1] {
            let kind = if need == ROLE { "database" } else { "kv" };
            let options = version(if need == KV1 { "1" } else { "2" });
            let found = unasked(mount(path, kind, &options), need);
            assert_eq!(found.presence, Err(UnknownReason::NotRequested), "{path} {need}");
        }
    }
}

#[test]
fn a_mount_that_is_a_prefix_of_the_manifests_is_not_used() {
    let script = server("imitates a mount that is shorter than the manifest's");
    let need = "{engine: kv2, mount: secret/ml, path: db}";
    let facts = TestJob::on(&script).with_needs(&[("n", need)]).facts();
    assert_eq!(facts.needs["n"].presence, Err(UnknownReason::NotRequested));
    assert_eq!(facts.needs["n"].mount.as_ref().unwrap().path, "secret");
    assert!(!requests_of(&script).iter().any(|request| request.contains("metadata")));
}

#[test]
fn a_cubbyhole_has_no_safe_request() {
    let found = unasked(mount("secret", "cubbyhole", &Value::Null), CUBBYHOLE);
    assert_eq!(found.presence, Err(UnknownReason::NoSafeRequest));
}

#[test]
fn the_default_and_max_ttl_of_a_mount_are_read() {
    let config = json!({ "default_lease_ttl": 2_764_800, "max_lease_ttl": "768h0m0s", "x": 1 });
    let options = json!({ "version": "2", "upgrading": true });
    let answer = ScriptedAnswer::data(
        json!({ "type": "kv", "path": "secret/", "options": options, "config": config }),
    );
    let script =
        server("imitates a tuned mount").answer_on("GET", "sys/internal/ui/mounts/*", answer);
    let wanted = Mount {
        path: "secret".to_owned(),
        kind: "kv".to_owned(),
        kv_version: Some(2),
        default_ttl: 2_764_800,
        max_ttl: 2_764_800,
    };
    assert_eq!(TestJob::on(&script).facts().needs["db"].mount, Ok(wanted));
    let bare =
        ScriptedAnswer::data(json!({ "type": "kv", "path": "secret/", "options": version("2") }));
    let script =
        server("imitates a mount without words").answer_on("GET", "sys/internal/ui/*", bare);
    let found = TestJob::on(&script).facts().needs["db"].clone();
    assert_eq!(found.mount.unwrap().max_ttl, 0);
    assert_eq!(found.presence, Ok(Presence::Present { deleted_at: None }));
}

#[test]
fn kv1_shows_the_presence_by_names_and_no_fields() {
    let script = |keys: &[&str]| {
        server("imitates the first kv")
            .answer_on("GET", "sys/internal/ui/mounts/*", mount("secret", "kv", &Value::Null))
            .answer_on("GET", "secret/*", ScriptedAnswer::data(json!({ "password": "canary" })))
            .answer_on("LIST", "secret/*", ScriptedAnswer::data(json!({ "keys": keys })))
    };
    let need = "{engine: kv1, mount: secret, path: PATH, fields: {host: DB_HOST}}";
    for (path, list, keys, presence) in [
        ("ml/db", "LIST secret/ml/", vec!["api", "db"], Presence::Present { deleted_at: None }),
        ("ml/db", "LIST secret/ml/", vec!["db/", "db2"], Presence::Absent),
        ("ml/db", "LIST secret/ml/", vec![], Presence::Absent),
        ("db", "LIST secret/", vec!["db"], Presence::Present { deleted_at: None }),
        ("团/a/库", "LIST secret/团/a/", vec!["库"], Presence::Present { deleted_at: None }),
    ] {
        let script = script(&keys);
        let facts = TestJob::on(&script).with_needs(&[("n", &need.replace("PATH", path))]).facts();
        assert_eq!(facts.needs["n"].presence, Ok(presence), "{path} {keys:?}");
        assert_eq!(facts.needs["n"].fields, Err(UnknownReason::NoSafeRequest));
        assert_eq!(
            requests_of(&script),
            [HEALTH, JWT_LOGIN, LOOKUP, CAPABILITIES, MOUNT, list, REVOKE]
        );
    }
    for (answer, wanted) in [
        (ScriptedAnswer::errors(404, &[]), Ok(Presence::Absent)),
        (ScriptedAnswer::errors(403, &["permission denied"]), Err(UnknownReason::Forbidden)),
        (ScriptedAnswer::errors(405, &[]), Err(UnknownReason::Unsupported)),
    ] {
        let script = script(&[]).answer_on("LIST", "secret/*", answer);
        let facts =
            TestJob::on(&script).with_needs(&[("n", &need.replace("PATH", "ml/db"))]).facts();
        assert_eq!(facts.needs["n"].presence, wanted);
    }
}

fn versions(script: &ScriptedServer) -> NeedFacts {
    TestJob::on(script).facts().needs["db"].clone()
}

#[test]
fn a_version_is_present_deleted_destroyed_or_expiring() {
    let hour = jiff::SignedDuration::from_hours(1);
    let (past, soon) = (jiff::Timestamp::now() - hour, jiff::Timestamp::now() + hour);
    let version = |deletion: &str, destroyed: bool| {
        let version = json!({ "deletion_time": deletion, "destroyed": destroyed });
        json!({ "current_version": 2, "versions": { "1": {}, "2": version } })
    };
    for (data, presence, fields) in [
        (version("", false), Presence::Present { deleted_at: None }, true),
        (version(&soon.to_string(), false), Presence::Present { deleted_at: Some(soon) }, true),
        (version(&past.to_string(), false), Presence::Deleted, false),
        (version("", true), Presence::Destroyed, false),
        (version(&past.to_string(), true), Presence::Destroyed, false),
        (json!({ "current_version": 0, "versions": {} }), Presence::Absent, false),
        (json!({ "current_version": 3, "versions": { "2": {} } }), Presence::Absent, false),
    ] {
        let script = server("imitates a secret with a past").answer_on(
            "GET",
            "secret/metadata/*",
            ScriptedAnswer::data(data.clone()),
        );
        let found = versions(&script);
        assert_eq!((found.presence, found.fields.is_ok()), (Ok(presence), fields), "{data}");
    }
}

#[test]
fn the_servers_clock_decides_whether_a_version_is_deleted() {
    let in_an_hour = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let version = json!({ "deletion_time": in_an_hour.to_string(), "destroyed": false });
    let data = json!({ "current_version": 1, "versions": { "1": version } });
    let health = |hours: i64| {
        let time = jiff::Timestamp::now().as_second() + hours * 3600;
        let body = json!({ "initialized": true, "sealed": false, "server_time_utc": time });
        ScriptedAnswer::json(200, body)
    };
    let script = |hours| {
        server("imitates a server in another time")
            .answer_on("GET", "sys/health", health(hours))
            .answer_on("GET", "secret/metadata/*", ScriptedAnswer::data(data.clone()))
    };
    assert_eq!(versions(&script(2)).presence, Ok(Presence::Deleted));
    assert_eq!(
        versions(&script(0)).presence,
        Ok(Presence::Present { deleted_at: Some(in_an_hour) })
    );
}

#[test]
fn a_forbidden_fact_is_unknown_and_not_read_at_another_path() {
    for (path, answer, unknown) in [
        ("metadata", ScriptedAnswer::errors(403, &["permission denied"]), UnknownReason::Forbidden),
        ("metadata", ScriptedAnswer::errors(405, &[]), UnknownReason::Unsupported),
        ("subkeys", ScriptedAnswer::errors(403, &["permission denied"]), UnknownReason::Forbidden),
        (
            "subkeys",
            ScriptedAnswer::errors(405, &["unsupported operation"]),
            UnknownReason::Unsupported,
        ),
        ("subkeys", ScriptedAnswer::errors(404, &[]), UnknownReason::Unsupported),
    ] {
        let script = server("imitates a presence check's policy")
            .answer_on("GET", "secret/data/*", metadata())
            .answer_on("GET", &format!("secret/{path}/*"), answer);
        let facts = TestJob::on(&script).facts().needs["db"].clone();
        if path == "metadata" {
            assert_eq!(facts.presence, Err(unknown));
            assert!(facts.fields.is_ok());
        } else {
            assert_eq!(facts.fields, Err(unknown));
            assert!(facts.presence.is_ok());
        }
        assert!(!requests_of(&script).iter().any(|request| request.contains("secret/data")));
    }
}
