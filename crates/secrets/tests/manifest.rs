//! The manifest of the article's project: reading, profiles, table, lock and changes.

#![allow(clippy::unwrap_used, reason = "an unwrap in a test is its assertion")]

use std::path::Path;

use envlock_model::needs::{self, Locator, LockedNeeds};
use envlock_report::{AsFindings, Exit};
use envlock_secrets::generate;
use envlock_secrets::manifest::{Manifest, ManifestLocation, RuntimeValue, list, manifest_schema};
use envlock_text::{limits::LOCK, tree};

fn text() -> String {
    let file = "../../fixtures/secrets/jupyter/secrets.yml";
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

fn read(text: &str) -> Manifest {
    Manifest::parse("secrets.yml", text, ManifestLocation::OwnFile).unwrap().unwrap()
}

fn changes(old: &str, new: &str) -> Vec<String> {
    let text = serde_yaml::to_string(&read(old).locked()).unwrap();
    let locked =
        LockedNeeds::read("lock", &tree::read_yaml("lock", &text, &LOCK).root.unwrap()).unwrap();
    let changes = needs::changes(Some(&locked), Some(&read(new).locked()));
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_profile_extends_overrides_and_skips() {
    let manifest = read(&text());
    let batch = manifest.profile("batch").unwrap();
    let attached: Vec<_> = batch.attach.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(attached, ["common", "prod-db"]);
    assert_eq!(
        batch.namespace,
        Some(RuntimeValue::Env { env: "VAULT_NAMESPACE".into(), wrapped: false })
    );
    let secret_id = &batch.auth.as_ref().unwrap().credentials["secret_id"];
    assert_eq!(*secret_id, RuntimeValue::Env { env: "VAULT_SECRET_ID".into(), wrapped: true });
    let creds = batch.needs.iter().find(|need| need.name == "db_creds").unwrap();
    assert_eq!(creds.need.locator, Locator::Path("prod/db_creds".to_owned()));
    let dev = manifest.profile("dev").unwrap();
    let names: Vec<_> = dev.needs.iter().map(|need| need.name.as_str()).collect();
    assert_eq!(names, ["db_creds", "warehouse"]);
    assert_eq!(manifest.profile("nobody"), None);
}

#[test]
fn the_table_fits_a_terminal() {
    let table = list::manifest_table(&read(&text())).render(80);
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.contains("HF_TOKEN (file)"), "{table}");
}

#[test]
fn the_lock_contains_needs_and_neither_policies_nor_logins() {
    let written = serde_yaml::to_string(&read(&text()).locked()).unwrap();
    for absent in ["polic", "auth", "attach", "VAULT_", "jwt", "server", "dialect"] {
        assert!(!written.contains(absent), "{absent} in\n{written}");
    }
    assert!(written.starts_with("version: 1\nneeds:\n  db_creds:\n    engine: kv2\n"), "{written}");
}

#[test]
fn comments_order_shorthands_and_reasons_change_nothing() {
    let old = text();
    let new = old
        .replace("username: {env: DB_USER}", "username: DB_USER  # who")
        .replace("why: gated model downloads", "why: models behind a gate");
    assert_ne!(old, new);
    assert_eq!(changes(&old, &new), Vec::<String>::new());
}

#[test]
fn changes_are_reported_for_each_need() {
    let old = text();
    let new = old
        .replace("path: ml/huggingface", "path: ml/hf")
        .replace("  warehouse:\n", "  store:\n")
        .replace(
            "override: {db_creds: {path: prod/db_creds}}",
            "override: {db_creds: {path: p/db}}",
        );
    assert_eq!(
        changes(&old, &new),
        [
            "need hf_token: path was ml/huggingface, is ml/hf",
            "need warehouse is in the lock, but not in the manifest",
            "need store is in the manifest, but not in the lock",
            "need db_creds in profile batch: its mount, path, role or key changed",
            "need db_creds in profile prod: its mount, path, role or key changed",
        ]
    );
}

#[test]
fn every_mistake_is_reported_in_one_run_at_its_line() {
    let text =
        "version: 1\nneds: {}\nneeds:\n  a: {engine: kv3, mount: /m, path: x}\nserver: {addr: x}\n";
    let error = Manifest::parse("s.yml", text, ManifestLocation::OwnFile).unwrap_err();
    let reported: Vec<_> = error
        .findings()
        .iter()
        .map(|d| {
            (d.code.as_str(), d.place.as_ref().unwrap().line, d.place.as_ref().unwrap().column)
        })
        .collect();
    assert_eq!(
        reported,
        [
            ("unknown-key", 2, 1),
            ("unknown-value", 4, 15),
            ("invalid-text", 4, 27),
            ("address-in-manifest", 5, 10),
        ]
    );
    assert_eq!(error.exit(), Exit::Usage);
}

#[test]
fn an_alias_is_expanded() {
    let needs = "needs: {a: &a {engine: kv1, mount: kv, path: a}, b: *a}\n";
    let manifest = read(&format!("version: 1\n{needs}"));
    assert_eq!(manifest.needs["b"].location(), manifest.needs["a"].location());
}

#[test]
fn an_environment_without_secrets_has_no_manifest() {
    let text = "name: ml\ndependencies: [python]\n";
    assert_eq!(
        Manifest::parse("environment.yml", text, ManifestLocation::EnvironmentFile),
        Ok(None)
    );
}

#[test]
fn the_schema_has_every_key_of_the_manifest() {
    let schema = serde_json::to_string(&manifest_schema()).unwrap();
    for key in [
        "override",
        "one_of",
        "wrapped",
        "ttl_min",
        "allow_plaintext_loopback",
        "ldap-library",
        "until",
    ] {
        assert!(schema.contains(&format!("\"{key}\"")), "{key}");
    }
}

#[test]
fn the_generated_policies_have_one_block_for_each_path() {
    let manifest = read(&text());
    let profile = manifest.profile("ci").unwrap();
    assert_eq!(
        generate::job_policy(&profile, ""),
        r#"# what the job of profile ci needs, and nothing else

# warehouse
path "database/creds/ml-readonly" {
  capabilities = ["read"]
}

# db_creds
path "secret/data/ml/db_creds" {
  capabilities = ["read"]
}

# hf_token
path "secret/data/ml/huggingface" {
  capabilities = ["read"]
}

# warehouse
path "sys/leases/renew" {
  capabilities = ["update"]
}
"#
    );
    let presence = generate::presence_policy(&profile, "");
    assert!(presence.contains("path \"secret/subkeys/ml/db_creds\""), "{presence}");
    assert!(!presence.contains("/data/") && !presence.contains("creds/ml-readonly"), "{presence}");
}

#[test]
fn the_server_is_a_dialect_or_a_product_with_a_version() {
    let with = |server: &str| {
        let text = text();
        let declared = "server: {dialect: portable}";
        assert!(text.contains(declared), "the fixture declares its server");
        let text = text.replace(declared, &format!("server: {{{server}}}"));
        Manifest::parse("secrets.yml", &text, ManifestLocation::OwnFile)
    };
    for (server, expected) in [
        ("dialect: portable", "openbao, openbao-legacy, vault, vault-1.21, vault-legacy"),
        ("dialect: vault-1.21", "vault-1.21"),
        ("dialect: vault-legacy", "vault-legacy"),
        ("product: vault, version: \"1.21\"", "vault-1.21"),
        ("product: vault, version: 1.20", "vault-legacy"),
        ("product: vault, version: 2.0.3+ent", "vault"),
        ("product: vault", "vault, vault-1.21, vault-legacy"),
        ("product: openbao, version: 2.4.0", "openbao-legacy"),
    ] {
        let manifest = with(server).unwrap().unwrap();
        let dialects: Vec<_> = manifest.server.dialects().iter().map(|d| d.name()).collect();
        assert_eq!(dialects.join(", "), expected, "{server}");
    }
    for (server, code, words) in [
        ("product: valut, version: 1.21", "unknown-value", "did you mean `vault`?"),
        ("dialect: vault-1.22", "unknown-value", "did you mean `vault-1.21`?"),
        ("product: vault, version: 1.14.2", "unknown-value", "`1.15`"),
        ("product: openbao, version: 3.0", "unknown-value", "`2.6`"),
        ("product: vault, version: latest", "invalid-text", "1.21.4"),
        ("product: vault, version: 2", "invalid-text", "1.21.4"),
        ("version: 1.21", "missing-key", "openbao or vault"),
        ("dialect: vault, product: vault", "invalid-text", "not both"),
    ] {
        let findings = with(server).unwrap_err().findings();
        let found: Vec<_> = findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(found, [code], "{server}");
        let help = findings[0].help.clone().unwrap_or_default();
        assert!(format!("{} {help}", findings[0].message).contains(words), "{:?}", findings[0]);
    }
}
