//! Every command that can fail, in every format: the same findings, valid documents, no secret.

use std::collections::BTreeMap;

use envlock_testkit::{Output, TestMirror};
use serde_json::Value;

use crate::support::{Lab, json};

const YML: &str = "channels: [conda-forge]\ndependencies:\n  - app\n";

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    })
}

/// A project in which the environment differs from its lock, the lock is stale, and the
/// manifest, the policy and the policy's test are wrong.
fn broken() -> Lab {
    let lab = Lab::solved(world(), YML);
    lab.install(&[]).success();
    fs_err::remove_file(lab.prefix().join("share/app/of")).unwrap();
    lab.write_environment("channels: [conda-forge]\ndependencies:\n  - app\n  - appp\n");
    lab.project.write("p.hcl", "path \"secret/*\" { capabilities = [\"reed\"] }\n");
    lab.project.write(
        "secrets.yml",
        "version: 1\nneeds:\n  db: {engine: kv2, mount: secret, path: a, fields: {x: DB}}\n\
         policies: {p: {file: q.hcl}}\nprofiles: {ci: {attach: [p]}}\n",
    );
    lab.project.write("q.hcl", "path \"secret/data/b\" { capabilities = [\"read\"] }\n");
    lab
}

/// The failing commands by their names in JSON.
const FAILING: [(&str, &[&str]); 13] = [
    ("solve", &["solve", "--offline"]),
    ("check", &["solve", "--check"]),
    ("install", &["install", "--offline"]),
    ("fetch", &["fetch", "--offline", "--platform", "osx-64"]),
    ("bundle", &["bundle", "--offline", "-o", "p.hcl"]),
    ("verify", &["verify"]),
    ("run", &["run", "no-such-command"]),
    ("config", &["config", "--mirror", "tunna"]),
    ("doctor", &["doctor", "--offline"]),
    ("check-secrets", &["check-secrets", "--offline", "--manifest", "secrets.yml"]),
    ("secrets list", &["secrets", "list", "--profile", "nobody"]),
    ("policy lint", &["policy", "lint", "p.hcl"]),
    ("explain", &["explain", "no-such-code"]),
];

fn ask(lab: &Lab, command: &[&str], flags: &[&str]) -> Output {
    // What follows a command of `run` is that command's.
    let (first, rest) = command.split_first().unwrap();
    lab.envlock(&[&[*first][..], flags, rest].concat())
}

/// How many findings there are of each code.
fn counted(codes: impl IntoIterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    codes.into_iter().for_each(|code| *counted.entry(code).or_default() += 1);
    counted
}

fn texts(list: &Value, key: &str) -> BTreeMap<String, usize> {
    let items = list.as_array().unwrap_or_else(|| panic!("{list}")).iter();
    counted(items.map(|item| item[key].as_str().unwrap().to_owned()))
}

/// The codes at the start of paragraphs, `error[CODE]: …`.
fn of_people(text: &str) -> BTreeMap<String, usize> {
    let code = |line: &str| {
        let (level, rest) = line.split_once('[')?;
        let is_level = ["error", "warning", "note"].contains(&level);
        is_level.then(|| rest.split(']').next().unwrap_or_default().to_owned())
    };
    counted(text.lines().filter_map(code))
}

#[test]
fn every_failing_command_has_the_same_findings_in_every_format() {
    let lab = broken();
    for (name, command) in FAILING {
        let document = ask(&lab, command, &["--format", "json"]);
        let code = document.code;
        assert!(!matches!(code, None | Some(0)), "{name}: {document:?}");
        assert_eq!(document.stderr, "", "{name}");
        let document = json(&document.stdout);
        assert_eq!((&document["version"], &document["command"]), (&2.into(), &name.into()));
        assert_eq!(document["exit_code"].as_i64(), code.map(i64::from), "{name}");
        assert!(document["summary"]["errors"].as_u64() > Some(0), "{name}: {document:#}");
        let findings = texts(&document["findings"], "code");

        let human = ask(&lab, command, &[]);
        assert_eq!((human.code, of_people(&human.stderr)), (code, findings.clone()), "{name}");

        let sarif = ask(&lab, command, &["--format", "sarif"]);
        let results = &json(&sarif.stdout)["runs"][0]["results"];
        assert_eq!((sarif.code, texts(results, "ruleId")), (code, findings.clone()), "{name}");
        for result in results.as_array().unwrap() {
            let place = &result["locations"][0]["physicalLocation"];
            assert!(place["artifactLocation"]["uri"].is_string(), "{name}: {result:#}");
        }

        let gitlab = ask(&lab, command, &["--format", "gitlab"]);
        let report = json(&gitlab.stdout);
        assert_eq!((gitlab.code, texts(&report, "check_name")), (code, findings.clone()), "{name}");
        for entry in report.as_array().unwrap() {
            assert!(!entry["location"]["path"].as_str().unwrap().is_empty(), "{name}: {entry:#}");
        }

        let github = ask(&lab, command, &["--format", "github"]);
        let is_command = |line: &str| {
            ["::error ", "::warning ", "::notice "].iter().any(|level| line.starts_with(level))
        };
        assert!(github.stdout.lines().all(is_command), "{name}: {}", github.stdout);
        for found in findings.keys() {
            assert!(github.stdout.contains(&format!("title={found}::")), "{name}: {found}");
        }
        for format in [sarif, gitlab, github] {
            assert_eq!(format.stderr, "", "{name}");
        }
    }
}

#[test]
fn colour_and_quiet_mean_the_same_in_every_command() {
    let lab = broken();
    for (name, command) in FAILING {
        let quiet = ask(&lab, command, &["-q"]);
        assert!(!of_levels(&quiet.stderr).contains(&"note"), "{name}: {}", quiet.stderr);
        assert!(!quiet.stdout.contains("next"), "{name}: {}", quiet.stdout);
        assert!(quiet.stderr.contains("error["), "{name}");
        let coloured = ask(&lab, command, &["-q", "--color", "always"]);
        assert!(coloured.stderr.contains("\u{1b}["), "{name}: {}", coloured.stderr);
        assert_eq!(coloured.code, quiet.code, "{name}");
    }
}

fn of_levels(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| Some(line.split_once('[')?.0)).collect()
}

#[test]
fn a_stale_lock_is_annotated_at_its_line_of_environment_yml() {
    let lab = broken();
    fs_err::remove_file(lab.project.path("secrets.yml")).unwrap();
    let said = lab.envlock(&["solve", "--check", "--format", "github"]).stdout;
    assert!(said.starts_with("::error file=environment.yml,line=4,col=5,"), "{said}");
}

#[test]
fn no_secret_of_a_file_is_shown_with_its_line() {
    const CANARY: &str = "CANARYcanary0123456789";
    let token = format!("hvs.{CANARY}");
    let key = format!("-----BEGIN PRIVATE KEY-----\n  {CANARY}\n  -----END PRIVATE KEY-----");
    let said = |yml: &str, condarc: &str, secrets: &str, args: &[&str]| {
        let lab = Lab::new(world(), yml);
        fs_err::write(lab.project.home().join(".condarc"), condarc).unwrap();
        lab.project.write("secrets.yml", secrets);
        let output = lab.envlock(args);
        assert_ne!(output.code, Some(0), "{output:?}");
        let said = format!("{}{}", output.stdout, output.stderr);
        assert!(!said.contains(CANARY), "{said}");
        said
    };
    let manifest = "version: 1\nneeds: {}\n";
    let channel = format!("channels: ['https://me:{CANARY}@h/c?x']\ndependencies: [app]\n");
    assert!(said(&channel, "", manifest, &["solve"]).contains("1 | channels"));
    let pip = format!(
        "channels: [conda-forge]\ndependencies:\n  - pip:\n    - --index-url https://u:{CANARY}@h/s\n"
    );
    said(&pip, "", manifest, &["solve"]);
    let condarc = format!("channels:\n  - https://h/t/{CANARY}/c?x\nssl_verify: [x]\n");
    said("dependencies: [app]\n", &condarc, manifest, &["solve"]);
    let password = format!("proxy_servers: {{http: {{password: {CANARY}}}}}\n");
    said("dependencies: [app]\n", &password, manifest, &["config"]);
    let check = &["check-secrets", "--offline", "--manifest", "secrets.yml"];
    for wrong in [
        format!("# {token}\n{manifest}"),
        format!("version: 1\nneeds:\n  db: {{engine: kv2, password: {CANARY}}}\n"),
        format!("version: 1\nneeds:\n  db:\n    value: {CANARY}\n"),
        format!("version: 1\nneeds:\n  db: |\n  {key}\n"),
        format!("version: 1\ntoken: {CANARY}\nneeds: {{}}\n"),
    ] {
        said(YML, "", &wrong, check);
    }
}
