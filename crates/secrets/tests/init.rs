//! The first files of a project: they are valid, and the offline check passes at once.

use std::collections::BTreeMap;

use envlock_policy::Engine;
use envlock_secrets::checks::{Input, check};
use envlock_secrets::init::{NeedShorthand, ProfileShorthand, initial_files};
use envlock_secrets::manifest::{AuthMethod, Manifest, ManifestLocation};
use jiff::Timestamp;

fn needs(texts: &[&str]) -> Vec<NeedShorthand> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

fn profiles(texts: &[&str]) -> Vec<ProfileShorthand> {
    texts.iter().map(|text| text.parse().expect(text)).collect()
}

/// The findings of the offline check of what is written.
fn findings(needs_in_short: &[&str], profiles_in_short: &[&str]) -> Vec<String> {
    let (needs, profiles) = (needs(needs_in_short), profiles(profiles_in_short));
    let written = initial_files("secrets.yml", &needs, &profiles).expect("valid files");
    let text = &written.manifest;
    let manifest = Manifest::parse("secrets.yml", text, ManifestLocation::OwnFile);
    let manifest = manifest.expect("a valid manifest").expect("a manifest");
    let files: BTreeMap<String, String> = written.policies.into_iter().collect();
    let input = Input {
        manifest: &manifest,
        files: &files,
        profile: None,
        dialect: None,
        now: Timestamp::UNIX_EPOCH,
        horizon_days: 30,
        online: None,
    };
    let outcome = check(&input).expect("the policies exist");
    outcome.findings.iter().map(|finding| format!("{} {}", finding.code, finding.message)).collect()
}

#[test]
fn what_is_written_passes_for_every_engine_and_every_method() {
    for engine in Engine::all() {
        for method in AuthMethod::names() {
            let need = match engine {
                Engine::Token => format!("{engine}:auth/token/create"),
                _ => format!("{engine}:mount/name"),
            };
            let profile = format!("ci:{method}");
            let found = findings(&[&need], &[&profile]);
            assert_eq!(found, [""; 0], "{need} {profile}");
        }
    }
    let example = findings(&["kv2:secret/db_creds:host,username,password"], &["ci:jwt"]);
    assert_eq!(example, [""; 0]);
    let several = findings(
        &[
            "kv2:team/kv//app/db:host",
            "warehouse=database:database/ro:username,password",
            "kv2:secret/other/db:true,1,a-b",
            "transit:transit/key:encrypt,decrypt",
            "kv1:kv/团队/密钥:值",
            "kv2:secret/no:x",
        ],
        &["dev:token", "ci:jwt", "prod:kubernetes"],
    );
    assert_eq!(several, [""; 0]);
}

#[test]
fn the_example_of_the_help_is_written_with_comments() {
    let needs = needs(&["kv2:secret/db_creds:host,username,password"]);
    let written =
        initial_files("secrets.yml", &needs, &profiles(&["ci:jwt"])).expect("valid files");
    for line in [
        "  ci: {file: vault/policies/ci.hcl}\n",
        "    path: db_creds   # below the mount, without data/\n",
        "      password: DB_CREDS_PASSWORD\n",
        "    auth: {method: jwt, role: ci, jwt: {env: CI_JWT}}\n",
        "    attach: [ci]\n",
    ] {
        assert!(written.manifest.contains(line), "{line}: {}", written.manifest);
    }
    let policy = &written.policies["vault/policies/ci.hcl"];
    assert!(policy.contains("path \"secret/data/db_creds\" {"), "{policy}");
    assert!(policy.contains("path \"secret/subkeys/db_creds\" {"), "{policy}");
}

#[test]
fn what_cannot_be_meant_is_refused_with_a_reason() {
    let need = |text: &str| text.parse::<NeedShorthand>().expect_err(text).to_string();
    assert!(need("secret/db").contains("ENGINE:MOUNT/PATH:FIELD"));
    assert!(need("kv3:secret/db").contains("they are kv1, kv2"));
    assert!(need("kv2:secret").contains("a mount and a path"));
    assert!(need("kv2:secret/*").contains("one exact path"));
    assert!(need("a b=kv2:secret/db").contains("`a b`"));
    let profile = |text: &str| text.parse::<ProfileShorthand>().expect_err(text).to_string();
    assert!(profile("ci").contains("NAME:METHOD"));
    assert!(profile("ci:oidc").contains("jwt, kubernetes, approle"));
    let wrong = initial_files("s.yml", &needs(&["database:db/ro:host"]), &profiles(&["ci:jwt"]));
    assert!(wrong.is_err(), "the engine has no such field");
}
