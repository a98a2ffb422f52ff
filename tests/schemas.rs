//! The JSON of every command is valid by its published schema.

use std::{collections::BTreeSet, path::Path};

use envlock_testkit::{Output, TestMirror, parse_package};
use serde_json::Value;

use crate::support::{Lab, json};

const YML: &str = "channels: [conda-forge]\ndependencies:\n  - app\n";

const MANIFEST: &str = "version: 1\nneeds:\n  db: {engine: kv2, mount: secret, path: a, \
    fields: {x: DB_PASSWORD}, why: 'it reads'}\npolicies: {p: {file: p.hcl}}\n\
    profiles: {ci: {attach: [p]}}\n";

fn schemas() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas")
}

/// Checks a document against the schema of its command. Returns the command.
fn check(output: &Output) -> String {
    let document = json(&output.stdout);
    assert_eq!(output.stderr, "", "{document:#}");
    assert_eq!(document["exit_code"].as_i64(), output.code.map(i64::from), "{document:#}");
    let command = document["command"].as_str().unwrap().to_owned();
    // A command line without a valid command has the envelope of all commands.
    let schema = if command == "envlock" { "solve".to_owned() } else { command.replace(' ', "-") };
    let file = schemas().join(format!("{schema}.schema.json"));
    let mut known = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    let schema: Value = json(&fs_err::read_to_string(&file).unwrap());
    compiler.add_resource("schema.json", schema).unwrap();
    let index = compiler.compile("schema.json", &mut known).unwrap();
    if let Err(error) = known.validate(&document, index) {
        panic!("{command}: {error:#}\n{document:#}");
    }
    command
}

/// A project with a lock, a prefix, a secrets manifest, policies and their tests.
fn lab() -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(&parse_package("app 1.0").executable("bin/app", "#!/bin/sh\necho app\n"));
        c.add("other 1.0");
    });
    let lab = Lab::new(world, YML);
    lab.project.write("secrets.yml", MANIFEST);
    lab.project.write("p.hcl", "path \"secret/data/a\" { capabilities = [\"read\"] }\n");
    lab.project.write("bad.hcl", "path \"secret/*\" { capabilities = [\"reed\"] }\n");
    lab.project.write(
        "cases.yml",
        "cases:\n  - id: a\n    policies: [{name: p, file: p.hcl}]\n    \
         request: {operation: read, path: secret/data/a}\n    \
         expect: {openbao: {allowed: false}}\n",
    );
    lab
}

#[test]
fn every_command_prints_a_document_that_its_schema_accepts() {
    let lab = lab();
    let mut checked = BTreeSet::new();
    let mut documents = |online: bool, args: &[&str]| {
        let (first, rest) = args.split_first().unwrap();
        let args = [&["--format", "json"], rest].concat();
        let output = if online {
            lab.with_mirrors(first, &args)
        } else {
            lab.envlock(&[&[*first], &args[..]].concat())
        };
        checked.insert(check(&output));
    };
    documents(true, &["solve"]);
    documents(true, &["solve", "--dry-run", "--platform", "linux-64", "--platform", "osx-64"]);
    documents(false, &["solve", "--check"]);
    documents(true, &["install"]);
    documents(true, &["install", "--without-pip", "--dry-run"]);
    documents(true, &["install", "--without-pip"]);
    documents(true, &["fetch"]);
    documents(true, &["bundle", "-o", "bundle"]);
    documents(false, &["verify"]);
    documents(false, &["run", "no-such-command"]);
    documents(false, &["run", "/"]);
    documents(false, &["check-secrets", "--offline"]);
    documents(false, &["secrets", "list"]);
    documents(false, &["secrets", "init", "--need", "kv2:secret/db:host"]);
    documents(
        false,
        &["secrets", "init", "-f", "new/environment.yml", "--need", "kv2:secret/db:host"],
    );
    documents(false, &["secrets", "list", "--profile", "ci"]);
    documents(false, &["policy", "generate", "--profile", "ci"]);
    documents(false, &["policy", "lint", "bad.hcl"]);
    let request = ["--path", "secret/data/a", "--operation", "read"];
    documents(false, &[&["policy", "explain", "--policy", "p.hcl"][..], &request].concat());
    documents(false, &["policy", "test", "cases.yml"]);
    documents(false, &["explain"]);
    documents(false, &["explain", "stale-lock"]);
    documents(false, &["explain", "no-such-code"]);
    documents(false, &["config"]);
    documents(true, &["doctor"]);
    documents(false, &["demo", "--folder", "p.hcl"]);
    documents(false, &["solve", "--nonsense"]);

    // The same commands with something to report.
    fs_err::remove_file(lab.prefix().join("bin/app")).unwrap();
    documents(false, &["verify"]);
    lab.write_environment("channels: [conda-forge]\ndependencies: [app, other, nothing]\n");
    lab.project.write("secrets.yml", "version: 1\nneeds: {}\n");
    documents(true, &["solve"]);
    documents(false, &["solve", "--check"]);
    documents(true, &["install"]);
    documents(false, &["run", "no-such-command"]);
    documents(false, &["check-secrets", "--offline"]);
    lab.write_environment("channels: [conda-forge]\ndependencies: [other]\n");
    documents(true, &["solve"]);
    lab.project.write("envlock.lock", "a: [b\n");
    documents(true, &["install"]);
    documents(true, &["fetch"]);

    let mut published: BTreeSet<_> = fs_err::read_dir(schemas())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.trim_end_matches(".schema.json").replace('-', " "))
        .collect();
    // The schema of secrets.yml is for editors.
    published.remove("secrets");
    let checked: BTreeSet<_> = checked.iter().map(|name| name.replace('-', " ")).collect();
    let missing: Vec<_> = published.difference(&checked).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupted_run_prints_a_document_that_its_schema_accepts() {
    let output = crate::signals::interrupted(&["--format", "json"]);
    assert_eq!(check(&output), "solve");
}
