//! Needs are judged as the requests that the job sends: with the slash of a list, with the parameters
//! that the engine demands, with `sudo` for protected endpoints.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test is its assertion")]

use std::collections::BTreeMap;

use envlock_report::Level;
use envlock_secrets::checks::{Input, Outcome, RowSubject, check};
use envlock_secrets::generate::job_policy;
use envlock_secrets::manifest::{Manifest, ManifestLocation, TargetServers};
use jiff::Timestamp;

/// The verdict of `policy` on each request of the need `a`, by operation and path.
fn verdicts(need: &str, policy: &str, dialect: TargetServers) -> BTreeMap<String, &'static str> {
    let outcome = outcome(need, policy, dialect);
    let rows = outcome.rows.into_iter().filter_map(|row| match row.subject {
        RowSubject::Request { path, operation } => {
            Some((format!("{operation} {path}"), row.policies?))
        }
        RowSubject::Presence { .. } => None,
    });
    rows.collect()
}

fn outcome(need: &str, policy: &str, dialect: TargetServers) -> Outcome {
    let manifest = manifest(need);
    let files = BTreeMap::from([("app.hcl".to_owned(), policy.to_owned())]);
    let input = Input {
        manifest: &manifest,
        files: &files,
        profile: None,
        dialect: Some(dialect),
        now: Timestamp::UNIX_EPOCH,
        horizon_days: 30,
        online: None,
    };
    check(&input).unwrap()
}

fn manifest(need: &str) -> Manifest {
    let text = format!(
        "version: 1\npolicies: {{app: {{file: app.hcl}}}}\nneeds:\n  a: {need}\n\
         profiles: {{ci: {{attach: [app]}}}}\n"
    );
    Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile).unwrap().unwrap()
}

fn one(need: &str, policy: &str) -> &'static str {
    let verdicts = verdicts(need, policy, TargetServers::Portable);
    assert_eq!(verdicts.len(), 1, "{verdicts:?}");
    verdicts.into_values().next().unwrap()
}

#[test]
fn a_list_is_judged_with_its_slash() {
    let need = "{engine: kv2, mount: secret, path: app, capabilities: [list]}";
    let policy = "path \"secret/metadata/app/\" { capabilities = [\"list\"] }\n";
    for dialect in [TargetServers::OpenBao, TargetServers::Vault, TargetServers::VaultLegacy] {
        let verdicts = verdicts(need, policy, dialect);
        assert_eq!(verdicts["list secret/metadata/app/"], "allowed", "{dialect:?}");
    }
    // A rule below the path hides the list where the server searches with the slash first.
    let need = "{engine: kv2, mount: apps, path: sealed, capabilities: [list]}";
    let policy = "path \"apps/metadata/*\" { capabilities = [\"list\"] }\n\
                  path \"apps/metadata/sealed/*\" { capabilities = [\"deny\"] }\n";
    let of = |dialect| verdicts(need, policy, dialect)["list apps/metadata/sealed/"];
    assert_eq!(of(TargetServers::OpenBao), "denied");
    assert_eq!(of(TargetServers::Vault), "denied");
    assert_eq!(of(TargetServers::VaultLegacy), "allowed");
}

#[test]
fn a_rule_that_only_serves_a_list_is_not_excess() {
    let need = "{engine: kv2, mount: secret, path: app, capabilities: [list]}";
    let data = "path \"secret/data/app\" { capabilities = [\"read\"] }\n";
    for pattern in ["secret/metadata/app/", "secret/metadata/app", "secret/metadata/app/*"] {
        let policy = format!("{data}path \"{pattern}\" {{ capabilities = [\"list\"] }}\n");
        let outcome = outcome(need, &policy, TargetServers::Portable);
        let wide = pattern.ends_with('*');
        let excess: Vec<_> =
            outcome.findings.iter().filter(|f| f.code == "excess-rights").collect();
        assert_eq!(excess.len(), usize::from(wide), "{pattern}: {excess:?}");
        let fix = excess.first().and_then(|finding| finding.fix.as_deref());
        assert!(!wide || fix.unwrap().contains("path \"secret/metadata/app/\""), "{fix:?}");
    }
}

#[test]
fn the_generated_policy_allows_every_request_and_is_not_excess() {
    for need in [
        "{engine: kv2, mount: secret, path: app, capabilities: [list, create, delete]}",
        "{engine: kv1, mount: kv, path: a/b, capabilities: [list, update]}",
        "{engine: kv1, mount: auth/token, path: accessors, capabilities: [list]}",
        "{engine: kv1, mount: sys, path: audit/file, capabilities: [update]}",
        "{engine: pki, mount: pki, role: web}",
        "{engine: transit, mount: t, key: k, operations: [decrypt, verify]}",
        "{engine: token, mount: auth/token, path: create}",
        "{engine: token, mount: auth/token, path: create-orphan, parameters: {period: 1h}}",
        "{engine: token-role, mount: auth/token, role: r}",
        "{engine: identity-token, mount: identity, role: r}",
        "{engine: database, mount: db, role: r, ttl: {min: 1h, renew: until 12h}}",
    ] {
        let policy = job_policy(&manifest(need).profile("ci").unwrap(), "");
        let outcome = outcome(need, &policy, TargetServers::Portable);
        assert!(outcome.findings.is_empty(), "{policy}{:?}", outcome.findings);
    }
}

const PKI: &str = "path \"pki/issue/web\" {
  capabilities = [\"update\"]
  allowed_parameters = { \"common_name\" = [\"*.example.com\"] }
}
";
const SSH: &str = "path \"ssh/sign/dev\" {
  capabilities = [\"update\"]
  required_parameters = [\"public_key\"]
  denied_parameters = { \"valid_principals\" = [\"root\"] }
}
";

#[test]
fn parameters_are_those_that_the_engine_demands() {
    let pki = "{engine: pki, mount: pki, role: web}";
    let required = "path \"pki/issue/web\" { capabilities = [\"update\"] required_parameters = [\"common_name\"] }";
    assert_eq!(one(pki, required), "allowed");
    assert_eq!(one(pki, PKI), "depends");
    assert_eq!(one("{engine: ssh-ca, mount: ssh, role: dev}", SSH), "depends");
    let decrypt = "{engine: transit, mount: transit, key: app, operations: [decrypt]}";
    let with = |parameter: &str| {
        format!(
            "path \"transit/decrypt/app\" {{ capabilities = [\"update\"]\n\
             allowed_parameters = {{ {parameter} = [] }} }}"
        )
    };
    assert_eq!(one(decrypt, &with("plaintext")), "denied");
    assert_eq!(one(decrypt, &with("ciphertext")), "depends");
}

#[test]
fn a_write_to_kv2_has_data_and_not_its_fields() {
    let policy = "path \"sec/data/*\" {
  capabilities = [\"create\", \"update\", \"read\", \"list\", \"delete\"]
  allowed_parameters = {
    \"password\" = []
    \"url\" = []
  }
}
";
    let need = "{engine: kv2, mount: sec, path: host1, capabilities: [create, update], \
                fields: {password: PW}}";
    let verdicts = verdicts(need, policy, TargetServers::Portable);
    let of = |operation: &str| verdicts[&format!("{operation} sec/data/host1")];
    assert_eq!([of("create"), of("update"), of("read")], ["denied", "denied", "allowed"]);
}

#[test]
fn what_the_manifest_says_settles_the_answer() {
    let pki = |said: &str| format!("{{engine: pki, mount: pki, role: web, parameters: {said}}}");
    assert_eq!(one(&pki("{common_name: a.example.com}"), PKI), "allowed");
    assert_eq!(one(&pki("{common_name: a.example.org}"), PKI), "denied");
    assert_eq!(one(&pki("{common_name: a.example.com, ttl: 1h}"), PKI), "denied");
    assert_eq!(one(&pki("{}"), PKI), "depends");
    assert_eq!(one(&pki("{common_name: }"), PKI), "depends");
    let ssh = |said: &str| format!("{{engine: ssh-ca, mount: ssh, role: dev, parameters: {said}}}");
    assert_eq!(one(&ssh("{}"), SSH), "allowed");
    assert_eq!(one(&ssh("{valid_principals: deploy}"), SSH), "allowed");
    assert_eq!(one(&ssh("{valid_principals: root}"), SSH), "denied");
    assert_eq!(one(&ssh("{valid_principals: }"), SSH), "depends");
}

#[test]
fn what_depends_is_an_error_that_never_removes_a_condition() {
    let need = "{engine: ssh-ca, mount: ssh, role: dev}";
    let outcome = outcome(need, SSH, TargetServers::Portable);
    let finding = outcome.findings.iter().find(|f| f.code == "depends-on-parameters").unwrap();
    assert_eq!(finding.level, Level::Error);
    assert_eq!(finding.fix, None);
    assert!(finding.help.as_deref().unwrap().contains("`parameters: {valid_principals: VALUE}`"));
    // A group with it isn't served.
    let group = "{engine: ssh-ca, mount: ssh, role: dev, required: {one_of: g}}\n  \
                 b: {engine: kv2, mount: s, path: p, required: {one_of: g}}";
    let outcome = self::outcome(group, SSH, TargetServers::Portable);
    assert!(outcome.findings.iter().any(|finding| finding.code == "request-denied"));
}

#[test]
fn a_condition_that_denies_is_never_removed_by_the_fix() {
    let guards = [
        ("{engine: kv2, mount: s, path: p}", "min_wrapping_ttl = \"1m\""),
        ("{engine: kv2, mount: s, path: p}", "required_parameters = [\"version\"]"),
        (
            "{engine: kv2, mount: s, path: p, capabilities: [update]}",
            "allowed_parameters = { \"options\" = [] }",
        ),
        (
            "{engine: kv2, mount: s, path: p, capabilities: [update]}",
            "denied_parameters = { \"data\" = [] }",
        ),
    ];
    for (need, guard) in guards {
        let policy = format!(
            "path \"s/data/p\" {{\n  capabilities = [\"create\", \"read\", \"update\"]\n  {guard}\n}}\n"
        );
        let outcome = outcome(need, &policy, TargetServers::Portable);
        let denied: Vec<_> =
            outcome.findings.iter().filter(|f| f.code == "request-denied").collect();
        assert!(!denied.is_empty(), "{guard}");
        for finding in denied {
            assert_eq!(finding.fix, None, "{guard}");
            assert!(finding.help.is_some(), "{guard}");
        }
    }
}

#[test]
fn a_wrapped_response_is_within_the_limits_or_not() {
    let policy = "path \"s/data/p\" { capabilities = [\"read\"] min_wrapping_ttl = \"1m\" max_wrapping_ttl = \"5m\" }";
    let with = |ttl: &str| format!("{{engine: kv2, mount: s, path: p, wrap_ttl: {ttl}}}");
    assert_eq!(one(&with("2m"), policy), "allowed");
    assert_eq!(one(&with("30s"), policy), "denied");
    assert_eq!(one(&with("1h"), policy), "denied");
    assert_eq!(one("{engine: kv2, mount: s, path: p}", policy), "denied");
}

#[test]
fn a_parameter_belongs_to_the_request_that_knows_it() {
    let policy = "path \"s/data/p\" {
  capabilities = [\"create\", \"read\", \"update\"]
  allowed_parameters = { \"data\" = [], \"version\" = [\"2\"] }
}
";
    let need =
        "{engine: kv2, mount: s, path: p, capabilities: [create], parameters: {version: \"2\"}}";
    let verdicts = verdicts(need, policy, TargetServers::Portable);
    assert!(verdicts.values().all(|verdict| *verdict == "allowed"), "{verdicts:?}");
}

#[test]
fn a_protected_endpoint_needs_sudo() {
    let need = "{engine: kv1, mount: sys, path: audit, capabilities: [update]}";
    let rule =
        |capabilities: &str| format!("path \"sys/audit\" {{ capabilities = [{capabilities}] }}");
    let writes = "\"create\", \"read\", \"update\"";
    let of = |policy: &str| verdicts(need, policy, TargetServers::Portable);
    assert!(of(&rule(writes)).values().all(|verdict| *verdict == "denied"));
    let sudo = format!("{writes}, \"sudo\"");
    assert!(of(&rule(&sudo)).values().all(|verdict| *verdict == "allowed"));
}

#[test]
fn a_value_that_may_be_a_secret_is_refused() {
    for need in [
        "{engine: transit, mount: t, key: k, operations: [encrypt], parameters: {plaintext: CANARY}}",
        "{engine: kv1, mount: kv, path: p, parameters: {password: CANARY}}",
        "{engine: kv2, mount: kv, path: p, parameters: {data: CANARY}}",
    ] {
        let text = format!("version: 1\nneeds:\n  a: {need}\n");
        let error = Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile).unwrap_err();
        let text = format!("{error:?}");
        assert!(text.contains("ValueInManifest") && !text.contains("CANARY"), "{text}");
    }
}

#[test]
fn the_renewal_of_a_lease_is_judged_with_its_parameters() {
    let policy = "path \"db/creds/r\" { capabilities = [\"read\"] }
path \"sys/leases/renew\" {
  capabilities = [\"update\"]
  allowed_parameters = { \"lease_id\" = [] }
}
";
    let with = |said: &str| {
        let need =
            format!("{{engine: database, mount: db, role: r, ttl: {{renew: until 12h}}{said}}}");
        let verdicts = verdicts(&need, policy, TargetServers::Portable);
        assert_eq!(verdicts["read db/creds/r"], "allowed");
        verdicts["update sys/leases/renew"]
    };
    assert_eq!(with(""), "depends");
    assert_eq!(with(", parameters: {}"), "allowed");
    assert_eq!(with(", parameters: {increment: 3600}"), "denied");
}

#[test]
fn a_token_takes_sudo_for_what_the_engine_demands_it() {
    let policy = |path: &str, sudo: bool| {
        let sudo = if sudo { ", \"sudo\"" } else { "" };
        format!("path \"auth/token/{path}\" {{ capabilities = [\"update\"{sudo}] }}\n")
    };
    let token = "engine: token, mount: auth/token, path: create";
    let orphan = "engine: token, mount: auth/token, path: create-orphan";
    let role = "engine: token-role, mount: auth/token, role: r";
    for (need, path, parameters, demands) in [
        (token, "create", "", false),
        (orphan, "create-orphan", "", false),
        (role, "create/r", "", false),
        (token, "create", ", parameters: {no_parent: true}", true),
        (token, "create", ", parameters: {no_parent: }", true),
        (token, "create", ", parameters: {no_parent: false, period: \"0\"}", false),
        (orphan, "create-orphan", ", parameters: {period: 1h}", true),
        (role, "create/r", ", parameters: {no_parent: true}", false),
        (role, "create/r", ", parameters: {id: }", true),
    ] {
        let need = format!("{{{need}{parameters}}}");
        let expected = if demands { "denied" } else { "allowed" };
        assert_eq!(one(&need, &policy(path, false)), expected, "{need}");
        assert_eq!(one(&need, &policy(path, true)), "allowed", "{need}");
        let generated = job_policy(&manifest(&need).profile("ci").unwrap(), "");
        assert_eq!(generated.contains("\"sudo\""), demands, "{generated}");
    }
}

#[test]
fn a_need_may_name_the_operation_of_an_engine_that_takes_two() {
    let policy =
        |path: &str, word: &str| format!("path \"{path}\" {{ capabilities = [\"{word}\"] }}\n");
    for (engine, mount, path, usual, other) in [
        ("aws", "aws", "aws/creds/r", "read", "update"),
        ("aws-sts", "aws", "aws/sts/r", "update", "read"),
        ("gcp-key", "gcp", "gcp/roleset/r/key", "read", "update"),
        ("gcp-static", "gcp", "gcp/static-account/r/token", "read", "update"),
    ] {
        let need = format!("engine: {engine}, mount: {mount}, role: r");
        assert_eq!(one(&format!("{{{need}}}"), &policy(path, usual)), "allowed");
        let named = format!("{{{need}, operation: {other}}}");
        assert_eq!(one(&named, &policy(path, other)), "allowed");
        assert_eq!(one(&named, &policy(path, usual)), "denied");
    }
    let text =
        "version: 1\nneeds:\n  a: {engine: database, mount: d, role: r, operation: update}\n";
    let mistakes = Manifest::parse("secrets.yml", text, ManifestLocation::OwnFile).unwrap_err();
    assert!(format!("{mistakes:?}").contains("isn't a key of engine database"), "{mistakes:?}");
}

#[test]
fn a_profile_may_send_other_parameters() {
    let text = "version: 1\npolicies: {app: {file: app.hcl}}\nneeds:\n  \
         a: {engine: pki, mount: pki, role: web, parameters: {common_name: a.example.com}}\n\
         profiles:\n  ci: {attach: [app]}\n  other:\n    extends: ci\n    \
         override: {a: {parameters: {common_name: a.example.org}}}\n";
    let manifest = Manifest::parse("secrets.yml", text, ManifestLocation::OwnFile);
    let manifest = manifest.unwrap().unwrap();
    let files = BTreeMap::from([("app.hcl".to_owned(), PKI.to_owned())]);
    let verdict = |profile| {
        let input = Input {
            manifest: &manifest,
            files: &files,
            profile: Some(profile),
            dialect: None,
            now: Timestamp::UNIX_EPOCH,
            horizon_days: 30,
            online: None,
        };
        check(&input).unwrap().rows[0].policies.unwrap()
    };
    assert_eq!((verdict("ci"), verdict("other")), ("allowed", "denied"));
    let secret = text.replace("{common_name: a.example.org}", "{data: hvs}");
    let mistakes = Manifest::parse("secrets.yml", &secret, ManifestLocation::OwnFile).unwrap_err();
    assert!(format!("{mistakes:?}").contains("may be a secret"), "{mistakes:?}");
}

#[test]
fn the_narrower_rule_keeps_the_conditions() {
    let policy = "path \"secret/*\" {
  capabilities = [\"read\", \"update\", \"list\"]
  comment = \"of the team\"
  allowed_parameters = { \"version\" = [], \"*\" = [] }
  min_wrapping_ttl = \"1m\"
  mfa_methods = [\"a\"]
}
";
    let need = "{engine: kv2, mount: secret, path: app, wrap_ttl: 5m, capabilities: [list]}";
    let outcome = outcome(need, policy, TargetServers::Portable);
    let excess = outcome.findings.iter().find(|finding| finding.code == "excess-rights").unwrap();
    let data = "path \"secret/data/app\" {
  capabilities = [\"read\"]
  allowed_parameters = {
    \"version\" = []
    \"*\" = []
  }
  min_wrapping_ttl = \"1m\"
  mfa_methods = [\"a\"]
}
";
    let list = "path \"secret/metadata/app/\" {
  capabilities = [\"list\"]
  min_wrapping_ttl = \"1m\"
  mfa_methods = [\"a\"]
}
";
    assert_eq!(excess.fix.as_deref(), Some(format!("{data}\n{list}").as_str()));
    assert_eq!(excess.help.as_deref(), Some("narrow the rule to"));
}

#[test]
fn what_only_a_verifier_requests_is_no_path_of_a_need() {
    let need = "{engine: kv1, mount: legacy, path: data/db, capabilities: [list]}";
    let policy = "path \"legacy/data/*\" { capabilities = [\"read\", \"list\"] }\n";
    let outcome = outcome(need, policy, TargetServers::Portable);
    let excess = outcome.findings.iter().find(|finding| finding.code == "excess-rights").unwrap();
    assert!(excess.message.ends_with("the needs use 2 paths"), "{}", excess.message);
    let fix = excess.fix.as_deref().unwrap();
    assert!(!fix.contains("\"legacy/data/\""), "{fix}");
    assert!(excess.notes.iter().any(|note| note.contains("--for verifier")), "{:?}", excess.notes);
}

#[test]
fn the_engines_of_mounts_are_those_of_the_policys_namespace() {
    let check = |placed: &str, policy: &str| {
        let text = format!(
            "version: 1\npolicies: {{app: {{file: app.hcl{placed}}}}}\nneeds:\n  \
             a: {{engine: kv2, mount: secret, path: app}}\nprofiles: {{ci: {{attach: [app]}}}}\n"
        );
        let manifest = Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile);
        let manifest = manifest.unwrap().unwrap().with_namespaces("team-a", |_| None);
        let files = BTreeMap::from([("app.hcl".to_owned(), policy.to_owned())]);
        let input = Input {
            manifest: &manifest,
            files: &files,
            profile: None,
            dialect: None,
            now: Timestamp::UNIX_EPOCH,
            horizon_days: 30,
            online: None,
        };
        let findings = check(&input).unwrap().findings;
        findings.iter().any(|finding| finding.code == "kv2-data-path")
    };
    let rule = |path: &str| format!("path \"{path}\" {{ capabilities = [\"list\"] }}\n");
    assert!(check("", &rule("secret/app")));
    // In the root namespace `secret` is another mount, and the profile's is below `team-a/`.
    assert!(!check(", namespace: root", &rule("secret/app")));
    assert!(check(", namespace: root", &rule("team-a/secret/app")));
}
