//! The presence of needs, their mounts and their fields.

use envlock_secrets::facts::{Mount, NeedFacts, Presence, UnknownReason};

use crate::scenario::{
    DB, GROUP, KV1, Scenario, WAREHOUSE, error, note, now, warning, without_field_names,
};

#[test]
fn another_engine_or_another_mount_is_named_with_the_line_to_write() {
    let mount = |path: &'static str, kind: &'static str, version| {
        move |facts: &mut NeedFacts| {
            facts.mount = Ok(Mount {
                path: path.to_owned(),
                kind: kind.to_owned(),
                kv_version: version,
                default_ttl: 0,
                max_ttl: 0,
            });
            facts.presence = Err(UnknownReason::NotRequested);
            facts.fields = Err(UnknownReason::NotRequested);
        }
    };
    let wrong = &[error("wrong-engine")];
    let db = |change| Scenario::with_needs(DB).with_need_facts("db_creds", change);
    db(mount("secret", "kv", Some(1))).expect_findings(
        wrong,
        1,
        &["kv version 1", "write `engine: kv1`"],
    );
    db(mount("secret", "kv", None)).expect_findings(wrong, 1, &["`engine: kv1`"]);
    db(mount("secret", "generic", None)).expect_findings(wrong, 1, &["`engine: kv1`"]);
    db(mount("secret", "ssh", None)).expect_findings(
        wrong,
        1,
        &["`engine: ssh-ca` or `engine: ssh-issue`"],
    );
    db(mount("secret", "homemade", None)).expect_findings(wrong, 1, &["correct `mount:`"]);
    db(mount("secret/ml", "kv", Some(2))).expect_findings(
        wrong,
        1,
        &["`mount: secret/ml` and `path: db_creds`"],
    );
    Scenario::with_needs(KV1)
        .with_need_facts("legacy", mount("kv", "kv", Some(2)))
        .expect_findings(wrong, 1, &["write `engine: kv2`", "reads below data/"]);
    let ldap = "  account: {engine: ldap, mount: ad, role: r}\n";
    let openldap = |facts: &mut NeedFacts| {
        facts.mount.as_mut().expect("the mount is known").kind = "openldap".to_owned();
    };
    Scenario::with_needs(ldap).with_need_facts("account", openldap).expect_no_findings();
}

#[test]
fn a_missing_need_is_reported_with_the_reason() {
    let db = |presence: Presence| {
        Scenario::with_needs(DB)
            .with_need_facts("db_creds", move |facts| facts.presence = Ok(presence.clone()))
    };
    let missing = &[error("secret-missing")];
    db(Presence::Absent).expect_findings(
        missing,
        1,
        &["secret/ml/db_creds doesn't exist", "correct `path:`"],
    );
    db(Presence::Deleted).expect_findings(
        missing,
        1,
        &["is deleted", "bao kv undelete -mount=secret"],
    );
    db(Presence::Destroyed).expect_findings(missing, 1, &["is destroyed", "can't be restored"]);
    db(Presence::Present { deleted_at: Some(now()) }).expect_findings(
        missing,
        1,
        &["deleted secret/ml/db_creds at"],
    );
    let role = Scenario::with_needs(WAREHOUSE).with_absent("warehouse");
    role.expect_findings(missing, 1, &["the role ro of database doesn't exist", "correct `role:`"]);
    let optional = DB.replace("    path", "    required: false\n    path");
    Scenario::with_needs(&optional).with_absent("db_creds").expect_findings(
        &[note("secret-missing")],
        0,
        &["it isn't required"],
    );
}

#[test]
fn one_usable_need_is_enough_for_a_group() {
    Scenario::with_needs(GROUP).with_absent("key_a").expect_findings(
        &[note("secret-missing")],
        0,
        &["another need of the group key"],
    );
    Scenario::with_needs(GROUP).with_absent("key_a").with_absent("key_b").expect_findings(
        &[error("secret-missing")],
        1,
        &["no need of the group key can be used", "key_b: secret/b"],
    );
    Scenario::with_needs(GROUP).with_capabilities("secret/data/a", &["deny"]).expect_no_findings();
    // One exists and is denied, the other is allowed and absent: neither is usable.
    Scenario::with_needs(GROUP)
        .with_capabilities("secret/data/a", &["deny"])
        .with_absent("key_b")
        .expect_findings(
            &[error("request-denied"), error("secret-missing")],
            1,
            &["key_a: it is denied"],
        );
    let rule = "path \"secret/data/b\" {\n  capabilities = [\"read\"]\n}\n";
    Scenario::with_needs(GROUP)
        .with_policy(rule)
        .with_capabilities("secret/data/a", &["deny"])
        .with_absent("key_b")
        .expect_findings(
            &[error("secret-missing")],
            1,
            &["key_a: it is denied", "key_b: secret/b doesn't exist"],
        );
    // Whether the other need is usable is unknown, which isn't a failure.
    let unknown = |facts: &mut NeedFacts| facts.presence = Err(UnknownReason::Forbidden);
    Scenario::with_needs(GROUP)
        .with_absent("key_a")
        .with_need_facts("key_b", unknown)
        .with_need_facts("key_b", without_field_names)
        .expect_findings(
            &[error("unverifiable"), note("secret-missing")],
            3,
            &["which couldn't be determined"],
        );
    Scenario::with_needs(GROUP)
        .with_need_facts("key_b", unknown)
        .with_need_facts("key_b", without_field_names)
        .expect_findings(&[note("unverifiable")], 0, &[]);
}

#[test]
fn several_usable_needs_of_a_one_of_group_are_reported_once() {
    let group = GROUP.replace("any_of", "one_of");
    Scenario::with_needs(&group).expect_findings(
        &[warning("one-of-ambiguous")],
        0,
        &["exist and are"],
    );
    Scenario::with_needs(&group).with_absent("key_b").expect_findings(
        &[note("secret-missing")],
        0,
        &[],
    );
    let rule = "path \"secret/data/+\" {\n  capabilities = [\"read\"]\n}\n";
    let findings = Scenario::with_needs(&group).with_policy(rule).outcome().findings;
    let reported = findings.iter().filter(|finding| finding.code == "one-of-ambiguous").count();
    assert_eq!(reported, 1);
}

#[test]
fn missing_fields_are_one_finding_with_the_nearest_names() {
    let names = |names: &'static [&'static str]| {
        move |facts: &mut NeedFacts| {
            facts.fields = Ok(names.iter().map(|name| (*name).to_owned()).collect());
        }
    };
    let missing = &[error("missing-field")];
    let texts = &["has no field password", "its fields are host, passwort", "`passwort` for"];
    Scenario::with_needs(DB)
        .with_need_facts("db_creds", names(&["host", "passwort"]))
        .expect_findings(missing, 1, texts);
    let texts = &["has no fields host, password", "its fields are none", "add it to the secret"];
    Scenario::with_needs(DB)
        .with_need_facts("db_creds", names(&[]))
        .expect_findings(missing, 1, texts);
    Scenario::with_needs(DB)
        .with_need_facts("db_creds", names(&["host", "password", "port"]))
        .expect_no_findings();
    let optional = DB.replace("    path", "    required: false\n    path");
    let note = &[note("missing-field")];
    Scenario::with_needs(&optional).with_need_facts("db_creds", names(&["host"])).expect_findings(
        note,
        0,
        &[],
    );
}
