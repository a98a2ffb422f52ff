//! docs/secrets.md is complete: every key, every engine and every auth method, and an example that
//! passes the check.

use std::collections::{BTreeMap, BTreeSet};

use envlock_policy::Engine;
use envlock_secrets::checks::{Input, check};
use envlock_secrets::generate;
use envlock_secrets::manifest::{AuthMethod, Manifest, ManifestLocation, manifest_schema};
use jiff::Timestamp;
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/secrets.md");

/// The names of all properties in a schema.
fn keys(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        names.extend(properties.keys().cloned());
                        properties.values().for_each(|property| keys(property, names));
                    }
                    // Examples and defaults aren't schemas.
                    ("default" | "const" | "enum", _) => {}
                    _ => keys(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, names)),
        _ => {}
    }
}

/// The words in backquotes, and those in the examples.
fn has(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let code = PAGE.split('`').skip(1).step_by(2);
    code.flat_map(|code| code.split(|c: char| !is_part(c))).any(|word| word == name)
}

#[test]
fn every_key_every_engine_and_every_auth_method_is_on_the_page() {
    let mut names = BTreeSet::new();
    keys(manifest_schema().as_value(), &mut names);
    assert!(names.len() > 40 && names.contains("override"), "{names:?}");
    let engines = Engine::all().map(|engine| engine.name().to_owned());
    let methods = AuthMethod::names().map(str::to_owned);
    let missing: Vec<_> =
        names.into_iter().chain(engines).chain(methods).filter(|name| !has(name)).collect();
    assert_eq!(missing, [""; 0], "docs/secrets.md doesn't have these");
}

#[test]
fn the_whole_example_passes_with_the_policies_that_it_generates() {
    let examples = PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next());
    let whole = examples.flatten().find(|text| text.contains("extends:")).expect("an example");
    let manifest = Manifest::parse("secrets.yml", whole, ManifestLocation::OwnFile);
    let manifest = manifest.unwrap_or_else(|error| panic!("{error:?}")).expect("a manifest");
    assert_eq!(manifest.profiles.len(), 3);
    let policy = |profile: &str| {
        generate::job_policy(&manifest.profile(profile).expect("the profile exists"), "")
    };
    let files = BTreeMap::from([
        ("vault/policies/ml-common.hcl".to_owned(), policy("dev") + &policy("ci")),
        ("vault/policies/ml-prod.hcl".to_owned(), policy("prod")),
    ]);
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
    let errors =
        outcome.findings.iter().filter(|finding| finding.level == envlock_report::Level::Error);
    assert_eq!(errors.map(|finding| &finding.message).collect::<Vec<_>>(), [""; 0]);
}
