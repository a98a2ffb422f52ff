//! What is there, and where.

use envlock_secrets::facts::{Mount, NeedFacts, Presence, UnknownReason};

use crate::story::{DB, GROUP, KV1, Story, WAREHOUSE, error, no_names, note, now, warning};

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
    let db = |change| Story::of(DB).need("db_creds", change);
    db(mount("secret", "kv", Some(1))).ends(wrong, 1, &["kv version 1", "write `engine: kv1`"]);
    db(mount("secret", "kv", None)).ends(wrong, 1, &["`engine: kv1`"]);
    db(mount("secret", "generic", None)).ends(wrong, 1, &["`engine: kv1`"]);
    db(mount("secret", "ssh", None)).ends(wrong, 1, &["`engine: ssh-ca` or `engine: ssh-issue`"]);
    db(mount("secret", "homemade", None)).ends(wrong, 1, &["correct `mount:`"]);
    db(mount("secret/ml", "kv", Some(2))).ends(
        wrong,
        1,
        &["`mount: secret/ml` and `path: db_creds`"],
    );
    Story::of(KV1).need("legacy", mount("kv", "kv", Some(2))).ends(
        wrong,
        1,
        &["write `engine: kv2`", "reads below data/"],
    );
    let ldap = "  account: {engine: ldap, mount: ad, role: r}\n";
    let openldap = |facts: &mut NeedFacts| {
        facts.mount.as_mut().expect("it is known").kind = "openldap".to_owned();
    };
    Story::of(ldap).need("account", openldap).passes();
}

#[test]
fn what_is_gone_is_missing_and_how_it_went_is_said() {
    let db = |presence: Presence| {
        Story::of(DB).need("db_creds", move |facts| facts.presence = Ok(presence.clone()))
    };
    let missing = &[error("missing")];
    db(Presence::Absent).ends(missing, 1, &["secret/ml/db_creds isn't there", "correct `path:`"]);
    db(Presence::Deleted).ends(missing, 1, &["is deleted", "vault kv undelete -mount=secret"]);
    db(Presence::Destroyed).ends(missing, 1, &["is destroyed", "can't be brought back"]);
    db(Presence::Present { deleted_at: Some(now()) }).ends(
        missing,
        1,
        &["deleted secret/ml/db_creds at"],
    );
    let role = Story::of(WAREHOUSE).absent("warehouse");
    role.ends(missing, 1, &["the role ro of database isn't there", "correct `role:`"]);
    let optional = DB.replace("    path", "    required: false\n    path");
    Story::of(&optional).absent("db_creds").ends(&[note("missing")], 0, &["it isn't required"]);
}

#[test]
fn a_group_is_served_by_one_of_its_needs() {
    Story::of(GROUP).absent("key_a").ends(
        &[note("missing")],
        0,
        &["another need of the group key"],
    );
    Story::of(GROUP).absent("key_a").absent("key_b").ends(
        &[error("missing")],
        1,
        &["no need of the group key can be used", "key_b: secret/b"],
    );
    Story::of(GROUP).may("secret/data/a", &["deny"]).passes();
    // One is there and denied, the other allowed and absent: neither serves.
    Story::of(GROUP).may("secret/data/a", &["deny"]).absent("key_b").ends(
        &[error("denied"), error("missing")],
        1,
        &["key_a: it is denied"],
    );
    let rule = "path \"secret/data/b\" {\n  capabilities = [\"read\"]\n}\n";
    Story::of(GROUP).attached(rule).may("secret/data/a", &["deny"]).absent("key_b").ends(
        &[error("missing")],
        1,
        &["key_a: it is denied", "key_b: secret/b isn't there"],
    );
    // Nobody knows whether the other serves: that isn't a no.
    let unknown = |facts: &mut NeedFacts| facts.presence = Err(UnknownReason::Forbidden);
    Story::of(GROUP).absent("key_a").need("key_b", unknown).need("key_b", no_names).ends(
        &[error("unverifiable"), note("missing")],
        3,
        &["that couldn't be found out"],
    );
    Story::of(GROUP).need("key_b", unknown).need("key_b", no_names).ends(
        &[note("unverifiable")],
        0,
        &[],
    );
}

#[test]
fn several_of_a_group_that_excludes_them_are_told_once() {
    let group = GROUP.replace("any_of", "one_of");
    Story::of(&group).ends(&[warning("one-of-several")], 0, &["are there and allowed"]);
    Story::of(&group).absent("key_b").ends(&[note("missing")], 0, &[]);
    let rule = "path \"secret/data/+\" {\n  capabilities = [\"read\"]\n}\n";
    let told = Story::of(&group).attached(rule).outcome().findings;
    let told = told.iter().filter(|finding| finding.code == "one-of-several").count();
    assert_eq!(told, 1);
}

#[test]
fn fields_that_a_secret_lacks_are_one_finding_with_the_nearest_names() {
    let names = |names: &'static [&'static str]| {
        move |facts: &mut NeedFacts| {
            facts.fields = Ok(names.iter().map(|name| (*name).to_owned()).collect());
        }
    };
    let missing = &[error("missing-field")];
    let says = &["has no field password", "its fields are host, passwort", "`passwort` for"];
    Story::of(DB).need("db_creds", names(&["host", "passwort"])).ends(missing, 1, says);
    let says = &["has no fields host, password", "its fields are none", "add it to the secret"];
    Story::of(DB).need("db_creds", names(&[])).ends(missing, 1, says);
    Story::of(DB).need("db_creds", names(&["host", "password", "port"])).passes();
    let optional = DB.replace("    path", "    required: false\n    path");
    let note = &[note("missing-field")];
    Story::of(&optional).need("db_creds", names(&["host"])).ends(note, 0, &[]);
}
