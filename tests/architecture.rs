//! The house's own rules: layers, purity, who prints, how long a file may be.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The layers from the bottom up; a crate stands on lower ones alone.
const LAYERS: [&[&str]; 8] = [
    &["envlock-text"],
    &["envlock-report"],
    &["envlock-policy"],
    &["envlock-model"],
    &[
        "envlock-config",
        "envlock-secrets",
        "envlock-solve",
        "envlock-channel",
        "envlock-install",
        "envlock-depot",
    ],
    &["envlock-vault", "envlock-pypi"],
    &["envlock-pipeline"],
    &["envlock"],
];

/// For tests and maintenance: the program stands on none of these.
const TOOLS: [&str; 2] = ["envlock-testkit", "envlock-xtask"];

/// Crates that decide and touch nothing, and what would touch something.
const PURE: [&str; 7] = ["text", "report", "model", "policy", "config", "solve", "secrets"];
const IMPURE: [&str; 6] = ["std::fs", "std::env", "std::net", "fs_err", "reqwest", "tokio"];

/// The most lines that a file may have.
const LONGEST: usize = 500;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&name))
}

/// Every file of the repository with this ending, and its text.
fn sources(ending: &str) -> Vec<(String, String)> {
    let root = repository();
    let files = tracked(&root).unwrap_or_else(|| walked(&root));
    let mut found: Vec<(String, String)> = files
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .filter_map(|path| {
            // A tracked file may be deleted in the working tree.
            let text = fs_err::read_to_string(root.join(&path)).ok()?;
            Some((path.display().to_string(), text))
        })
        .collect();
    found.sort();
    found
}

/// The files that git knows, new ones that it doesn't ignore included; none where there is no
/// git or no repository of it.
fn tracked(root: &Path) -> Option<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    let files: Vec<_> = text.split_terminator('\0').map(PathBuf::from).collect();
    (!files.is_empty()).then_some(files)
}

/// The files of the folder, without what cargo builds: for a source archive.
fn walked(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs_err::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && name != ".git" {
                    folders.push(path);
                }
            } else {
                found.push(path.strip_prefix(root).unwrap().to_owned());
            }
        }
    }
    found
}

/// The lines of code of a file that are shipped, with their numbers.
fn shipped(path: &str, text: &str) -> Vec<(usize, String)> {
    if path.ends_with("tests.rs") || path.contains("/tests/") || path.contains("/examples/") {
        return Vec::new();
    }
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim().to_owned()));
    lines.filter(|(_, line)| !line.starts_with("//")).collect()
}

#[test]
fn a_crate_uses_only_lower_layers() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(repository())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let place = layer(name);
        if place.is_none() && !TOOLS.contains(&name) {
            wrong.push(format!("{name} has no place in the table of layers"));
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let ours = dependency["path"].is_string();
            if !ours || dependency["kind"] == "dev" || TOOLS.contains(&name) {
                continue;
            }
            if layer(other).is_none_or(|other| Some(other) >= place) {
                wrong.push(format!("{name} depends on {other}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn pure_crates_do_no_input_or_output() {
    let mut wrong = Vec::new();
    for (path, text) in sources(".rs") {
        if !PURE.iter().any(|name| path.starts_with(&format!("crates/{name}/src/"))) {
            continue;
        }
        for (number, line) in shipped(&path, &text) {
            if IMPURE.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{path}:{number}: {line}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn only_the_ui_prints() {
    let mut wrong = Vec::new();
    for (path, text) in sources(".rs") {
        if path.starts_with("crates/cli/src/ui/")
            || !path.contains("/src/")
            || path.contains("xtask")
        {
            continue;
        }
        for (number, line) in shipped(&path, &text) {
            if ["println!(", "print!(", "dbg!("].iter().any(|word| line.contains(word)) {
                wrong.push(format!("{path}:{number}: {line}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn only_the_settings_read_the_environment_the_home_and_the_clock() {
    let mut wrong = Vec::new();
    for (path, text) in sources(".rs") {
        let exempt = ["crates/cli/src/settings/", "crates/testkit/", "crates/xtask/"];
        if !path.starts_with("crates/") || exempt.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        for (number, line) in shipped(&path, &text) {
            let reads = [
                "env::var",
                "env::args",
                "env::current_",
                "env::home_dir",
                "env::temp_dir",
                "home_dir(",
                "Timestamp::now(",
                "Zoned::now(",
                "SystemTime::now(",
            ];
            if reads.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{path}:{number}: {line}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The proof that no secret is read is a list of requests, and one place that sends them.
#[test]
fn a_request_to_a_secrets_server_is_one_of_the_closed_list() {
    let mut requests = Vec::new();
    let mut wrong = Vec::new();
    for (path, text) in sources(".rs") {
        let Some(file) = path.strip_prefix("crates/vault/src/") else { continue };
        for (number, line) in shipped(&path, &text) {
            let may = |files: &[&str]| files.contains(&file);
            let rules = [
                (".exec(", may(&["connection.rs"])),
                (".execute(", may(&["connection/transport.rs"])),
                ("Endpoint for", may(&["request.rs"])),
                ("vaultrs::", may(&["request.rs"]) || line.ends_with("::EndpointMiddleware;")),
                ("reqwest::", may(&["connection.rs", "connection/transport.rs"])),
            ];
            if rules.iter().any(|(word, may)| line.contains(word) && !may) {
                wrong.push(format!("{path}:{number}: {line}"));
            }
            if let Some((_, used)) =
                line.split_once("vaultrs::api::").filter(|_| file == "request.rs")
            {
                requests.push(used.to_owned());
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    // A new one is to be thought about: does its answer hold a value?
    assert_eq!(
        requests,
        [
            "kv1::requests::ListSecretRequest;",
            "kv2::requests::ReadSecretMetadataRequest;",
            "sys::requests::{ReadHealthRequest, WrappingLookupRequest};",
            "token::requests::LookupTokenSelfRequest;",
        ]
    );
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let long: Vec<_> = sources(".rs")
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .collect();
    assert_eq!(long, []);
}

#[test]
fn no_file_has_a_path_of_a_machine() {
    let machine = [concat!("/ro", "ot/"), concat!("/ho", "me/ubuntu"), concat!("/wo", "rk/")];
    // In the middle of a path, as in `pki/root/…`, it is one of the server's API.
    let is_start = |line: &str, at: usize| {
        line[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric())
    };
    let has_path = |line: &str| {
        let mut found = machine.iter().flat_map(|word| line.match_indices(*word));
        found.any(|(at, _)| is_start(line, at))
    };
    let mut wrong = Vec::new();
    for ending in [".rs", ".toml", ".md", ".json", ".yml", ".lock"] {
        for (path, text) in sources(ending) {
            for line in text.lines().filter(|line| has_path(line)) {
                wrong.push(format!("{path}: {line}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_note_is_added_with_its_redaction() {
    for (path, text) in sources(".rs") {
        if path.ends_with("report/src/finding.rs") || path == "tests/architecture.rs" {
            continue;
        }
        for (line, code) in shipped(&path, &text) {
            let bypasses = [".notes.push(", ".notes.clone_from(", "finding.notes ="];
            let bypasses = bypasses.iter().any(|bypass| code.contains(bypass));
            assert!(!bypasses, "{path}:{line}: use `with_note` or `add_note`");
        }
    }
}
