//! Tools of the project, as `cargo xtask TOOL`: `generate` writes the JSON schemas, `check` checks that
//! they are up to date, `openbao` builds the test server if necessary and prints its path,
//! `pypi-names FILE` writes the table of names that differ between conda and PyPI, and
//! `differential` compares the verdicts of random manifests with that server.

mod differential;
mod pypi_names;

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use envlock_report::document::Document;
use envlock_report::output::{
    Bundle, CheckSecrets, Config, Demo, Doctor, Explain, Fetch, Install, PolicyExplain,
    PolicyGenerate, PolicyTest, Run, SecretsInit, SecretsList, Solve, SolveCheck, Verify,
};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};

fn main() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("schemas");
    match std::env::args().nth(1).as_deref() {
        Some("generate") => generate(&folder),
        Some("check") => check(&folder),
        Some("openbao") => openbao(),
        Some("differential") => {
            differential::run(&differential::Options::parse(std::env::args().skip(2))?)
        }
        Some("pypi-names") => {
            let mapping = std::env::args_os().nth(2).ok_or("name the mapping of conda-pypi")?;
            pypi_names::write(Path::new(&mapping), &root.join("crates/pypi/src/names.json"))
        }
        _ => Err("the tool must be `generate`, `check`, `openbao`, `pypi-names` or `differential`"
            .to_owned()),
    }
}

fn openbao() -> Result<(), String> {
    let path = envlock_testkit::binary()?;
    writeln!(std::io::stdout(), "{}", path.display()).map_err(|error| error.to_string())
}

fn generate(folder: &Path) -> Result<(), String> {
    fs_err::create_dir_all(folder).map_err(|error| error.to_string())?;
    for path in existing_files(folder)? {
        fs_err::remove_file(path).map_err(|error| error.to_string())?;
    }
    for (name, text) in schemas()? {
        fs_err::write(folder.join(name), text).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn check(folder: &Path) -> Result<(), String> {
    let expected = schemas()?;
    let mut differing: Vec<_> = expected
        .iter()
        .filter(|(name, text)| {
            fs_err::read_to_string(folder.join(name)).ok().as_ref() != Some(*text)
        })
        .map(|(name, _)| name.clone())
        .collect();
    differing.extend(existing_files(folder)?.into_iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?.to_owned();
        (!expected.contains_key(&name)).then_some(name)
    }));
    if differing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "schemas/ differs from the types: {}; run `cargo run -p envlock-xtask -- generate`",
        differing.join(", ")
    ))
}

fn existing_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs_err::read_dir(folder).map_err(|error| error.to_string())?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(|e| e.to_string()));
    let paths: Vec<_> = paths.collect::<Result<_, _>>()?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "json")).collect())
}

/// Returns a schema for the JSON output of each command, and the manifest's.
fn schemas() -> Result<BTreeMap<String, String>, String> {
    let all = [
        schema::<Solve>("solve", "envlock solve"),
        schema::<SolveCheck>("check", "envlock solve --check"),
        schema::<Install>("install", "envlock install"),
        schema::<Fetch>("fetch", "envlock fetch"),
        schema::<Bundle>("bundle", "envlock bundle"),
        schema::<Verify>("verify", "envlock verify"),
        schema::<Run>("run", "envlock run, if the command could not be started"),
        schema::<Config>("config", "envlock config"),
        schema::<Demo>("demo", "envlock demo"),
        schema::<Doctor>("doctor", "envlock doctor"),
        schema::<Explain>("explain", "envlock explain"),
        schema::<PolicyExplain>("policy-explain", "envlock policy explain"),
        schema::<PolicyGenerate>("policy-generate", "envlock policy generate"),
        schema::<()>("policy-lint", "envlock policy lint"),
        schema::<PolicyTest>("policy-test", "envlock policy test"),
        schema::<SecretsInit>("secrets-init", "envlock secrets init"),
        schema::<SecretsList>("secrets-list", "envlock secrets list"),
        schema::<CheckSecrets<envlock_secrets::checks::ResultRow>>(
            "check-secrets",
            "envlock check-secrets",
        ),
        ("secrets", envlock_secrets::manifest::manifest_schema()),
    ];
    all.into_iter()
        .map(|(name, schema)| {
            let text = serde_json::to_string_pretty(&schema).map_err(|error| error.to_string())?;
            Ok((format!("{name}.schema.json"), text + "\n"))
        })
        .collect()
}

fn schema<T: JsonSchema>(name: &'static str, title: &str) -> (&'static str, Schema) {
    // The schema describes the output: fields that can be left out aren't required.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Document<T>>();
    schema.insert("title".to_owned(), format!("{title} --format json").into());
    (name, schema)
}
