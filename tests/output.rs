//! What is printed where: one JSON document, 80 columns, no colour without a terminal, quiet.

use envlock_testkit::{Output, Subdir, TestMirror};
use unicode_width::UnicodeWidthStr;

use crate::support::{Lab, json};

const YML: &str = "channels: [conda-forge]\ndependencies:\n  - app\n";

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0 | lib");
        c.add("lib 1.2");
        c.add("left 1.0 | lib <1");
    })
}

/// Every command, ending well and badly, with its name.
fn every_answer(args: &[&str]) -> Vec<(&'static str, Output)> {
    let lab = Lab::solved(world(), YML);
    let with = |first: &[&'static str]| lab.with_mirrors(first[0], &[&first[1..], args].concat());
    let alone = |first: &[&str]| lab.envlock(&[first, args].concat());
    let mut answers = vec![
        ("solve", with(&["solve"])),
        ("solve", with(&["solve", "--dry-run"])),
        ("check", alone(&["solve", "--check"])),
        ("solve", with(&["solve", "--platform", "linxu-64"])),
        ("install", with(&["install", "--dry-run"])),
        ("install", with(&["install"])),
        ("install", with(&["install"])),
        ("verify", alone(&["verify"])),
        ("verify", alone(&["verify", "-p", "/no/such/prefix"])),
    ];
    fs_err::remove_file(lab.prefix().join("share/app/of")).unwrap();
    answers.push(("verify", alone(&["verify"])));
    lab.write_environment(
        "chanels: []\nchannels: [conda-forge]\ndependencies:\n  - app >=2\n  - left\n  - lib >=1\n  - nothing-like-it\n",
    );
    answers.push(("solve", with(&["solve"])));
    answers.push(("check", alone(&["solve", "--check"])));
    answers.push(("install", with(&["install"])));
    lab.project.write("envlock.lock", "a: [b\n");
    answers.push(("install", with(&["install"])));
    lab.write_environment("dependencies: 3\n");
    answers.push(("solve", with(&["solve"])));
    answers
}

#[test]
fn standard_output_is_exactly_one_json_document() {
    for (command, output) in every_answer(&["--format", "json"]) {
        assert_eq!(output.stderr, "", "{command}");
        let report = json(&output.stdout);
        assert_eq!(report["version"], 2);
        assert_eq!(report["command"], command);
        assert_eq!(keys(&report["result"]), of_schema(command, &report["result"]), "{command}");
        assert_eq!(report["exit_code"].as_i64(), output.code.map(i64::from), "{report:?}");
        let errors = report["findings"].as_array().unwrap();
        let errors = errors.iter().filter(|diagnostic| diagnostic["level"] == "error").count();
        assert_eq!(errors > 0, report["exit_code"] != 0, "{report:?}");
        assert_eq!(report["summary"]["errors"], errors, "{report:?}");
    }
}

fn keys(value: &serde_json::Value) -> Vec<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// The keys that the command's schema has for such a result.
fn of_schema(command: &str, result: &serde_json::Value) -> Vec<&'static str> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../../schemas/{command}.schema.json"));
    let schema = json(fs_err::read_to_string(file).unwrap().leak());
    let reference = schema["properties"]["result"]["anyOf"][0]["$ref"].as_str().unwrap();
    let name = reference.rsplit('/').next().unwrap();
    let schema = Box::leak(Box::new(schema["$defs"][name]["properties"].clone()));
    if result.is_null() { Vec::new() } else { keys(schema) }
}

#[test]
fn a_usage_error_has_the_requested_format() {
    let lab = Lab::new(world(), YML);
    let output = lab.envlock(&["solve", "--platfrom", "linux-64", "--format=json"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(2), ""));
    insta::assert_snapshot!(output.stdout, @r#"
    {
      "version": 2,
      "command": "envlock",
      "exit": "usage",
      "exit_code": 2,
      "summary": {
        "errors": 1,
        "warnings": 0,
        "notes": 0
      },
      "findings": [
        {
          "code": "usage",
          "level": "error",
          "message": "unexpected argument '--platfrom' found",
          "notes": [
            "tip: a similar argument exists: '--platform'",
            "Usage: envlock solve --platform <PLATFORM>"
          ],
          "help": "`envlock COMMAND --help` lists the arguments of a command"
        }
      ],
      "result": null
    }
    "#);
    let nothing = lab.envlock(&["--format", "json"]);
    assert_eq!((nothing.code, nothing.stderr.as_str()), (Some(2), ""));
    assert_eq!(json(&nothing.stdout)["findings"][0]["message"], "a command is missing");
    for line in [&["solve", "--platfrom"][..], &["verify", "--nam", "--", "--format", "json"]] {
        let output = lab.envlock(line);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{line:?}");
        assert!(output.stderr.starts_with("error: unexpected argument"), "{}", output.stderr);
    }
    assert_eq!(lab.envlock(&["--version", "--format", "json"]).code, Some(0));
}

#[test]
fn a_wrong_command_line_is_a_document_in_every_format() {
    let lab = Lab::new(world(), YML);
    let document = |format: &str| {
        let output = lab.envlock(&["solve", "--platfrom", "linux-64", "--format", format]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(2), ""), "{format}");
        output.stdout
    };
    let sarif = json(&document("sarif"));
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"usage".into(), &"error".into()));
    let file = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(file, "environment.yml");
    let gitlab = json(&document("gitlab"));
    assert_eq!(gitlab[0]["check_name"], "usage");
    assert_eq!(gitlab[0]["location"]["path"], "environment.yml");
    let github = document("github");
    assert!(github.starts_with("::error title=usage::unexpected argument"), "{github}");
    assert_eq!(github.lines().count(), 1, "{github}");
}

#[test]
fn no_name_in_a_table_is_cut_or_broken() {
    let name = |text: &str| format!("{}_{text}_KEY", "A_LONG_NAME".repeat(5));
    let lab = Lab::new(world(), YML);
    let [first, second] = ["ACCESS", "SECRET"].map(name);
    lab.project.write(
        "secrets.yml",
        format!(
            "version: 1\nneeds:\n  aws:\n    engine: kv2\n    mount: secret\n    \
             path: a/{first}/b\n    fields: {{x: {first}, y: {second}}}\n"
        ),
    );
    for columns in ["20", "40", "80", "200"] {
        let mut command = lab.project.command(["secrets", "list"]);
        let output = Output::from(command.env("COLUMNS", columns).output().unwrap()).success();
        for word in [&first, &second, &format!("secret/a/{first}/b")] {
            assert!(output.contains(word), "{columns}: {output}");
        }
        assert!(!output.contains('…'), "{columns}: {output}");
    }
}

#[test]
fn no_name_in_a_notice_a_plan_or_a_finding_is_broken_at_any_width() {
    let package = format!("a-{}", "long-name-of-a-package-".repeat(2) + "end");
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add(&format!("{package} 1.0 build_0"));
        c.record(Subdir::Linux64, &format!("{package}-2-0.conda"), serde_json::json!({}));
    });
    let yml = format!("channels: [conda-forge]\ndependencies: [{package}]\n");
    let lab = Lab::new(world, &yml);
    // Nothing listens there.
    let mirror = "https://conda.anaconda.org/=http://127.0.0.1:1/a-path-of-a-mirror/";
    let mirrors = lab.world.mirror_args();
    let args = ["solve", "--mirror", mirror];
    let args: Vec<&str> = args.into_iter().chain(mirrors.iter().map(String::as_str)).collect();
    for columns in ["30", "40", "200"] {
        let mut command = lab.project.command(&args);
        let output = Output::from(command.env("COLUMNS", columns).output().unwrap());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let names = [package.clone(), format!("{package}-2-0.conda"), "127.0.0.1:1".to_owned()];
        let all = format!("{}{}", output.stdout, output.stderr);
        for name in names {
            assert!(all.contains(&name), "{columns} {name}: {all}");
        }
        assert!(!all.contains('…'), "{columns}: {all}");
        let mut command = lab.project.command(["install", "--dry-run", "-p", &package]);
        let output = Output::from(command.env("COLUMNS", columns).output().unwrap()).success();
        assert!(output.contains(&package), "{columns}: {output}");
        assert!(!output.contains('…'), "{columns}: {output}");
    }
}

#[test]
fn a_finding_in_json_has_a_code_and_a_place() {
    let lab = Lab::new(world(), "channels: [conda-forge]\ndependencies:\n  - appp\n");
    let output = lab.solve(&["--format", "json"]);
    insta::assert_snapshot!(output.stdout, @r#"
    {
      "version": 2,
      "command": "solve",
      "exit": "no-solution",
      "exit_code": 6,
      "summary": {
        "errors": 1,
        "warnings": 0,
        "notes": 0
      },
      "findings": [
        {
          "code": "unknown-package",
          "level": "error",
          "message": "no channel has a package named appp for linux-64",
          "place": {
            "file": "environment.yml",
            "line": 3,
            "column": 5,
            "end_column": 9
          },
          "notes": [
            "searched: conda-forge"
          ],
          "help": "the nearest name is app (in conda-forge)"
        }
      ],
      "result": null
    }
    "#);
}

#[test]
#[cfg(target_os = "linux")]
fn unwritable_output_is_an_error_on_stderr() {
    let lab = Lab::solved(world(), YML);
    for format in ["human", "json"] {
        let mut command = lab.project.command(["solve", "--check", "-q", "--format", format]);
        let full = fs_err::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = command.stdout(full.into_file()).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(
            stderr.starts_with("error[output-failed]: standard output can't be written: No space"),
            "{stderr}"
        );
    }
}

#[test]
fn a_solve_in_json_has_every_change() {
    let lab = Lab::new(world(), YML);
    insta::assert_snapshot!(lab.solve(&["--format", "json"]).stdout, @r#"
    {
      "version": 2,
      "command": "solve",
      "exit": "success",
      "exit_code": 0,
      "summary": {
        "errors": 0,
        "warnings": 0,
        "notes": 0
      },
      "findings": [],
      "result": {
        "lock": "envlock.lock",
        "name": "project",
        "written": true,
        "platforms": [
          {
            "platform": "linux-64",
            "packages": 2,
            "wheels": 0,
            "bytes": 1905,
            "changes": [
              {
                "package": "app",
                "before": null,
                "after": "1.0 0"
              },
              {
                "package": "lib",
                "before": null,
                "after": "1.2 0"
              }
            ]
          }
        ],
        "need_changes": []
      }
    }
    "#);
}

#[test]
fn no_line_is_wider_than_80_columns_unless_it_cannot_be_broken() {
    for (command, output) in every_answer(&[]) {
        for line in output.stderr.lines().chain(output.stdout.lines()) {
            let longest = line.split(' ').map(UnicodeWidthStr::width).max().unwrap_or(0);
            assert!(line.width() <= 80 || longest > 30 || line.contains('`'), "{command}: {line}");
        }
    }
}

#[test]
fn output_without_a_terminal_has_no_colour_unless_requested() {
    for (command, output) in every_answer(&[]) {
        assert!(!output.stderr.contains('\u{1b}'), "{command}: {}", output.stderr);
        assert!(!output.stdout.contains('\u{1b}'), "{command}: {}", output.stdout);
    }
    let lab = Lab::new(world(), "dependencies: 3\n");
    let coloured = lab.envlock(&["solve", "--color", "always"]);
    assert!(coloured.stderr.contains("\u{1b}["));
    let plain = lab.envlock(&["solve", "--color", "never"]);
    assert!(!plain.stderr.contains('\u{1b}'));
}

#[test]
fn quiet_keeps_warnings_and_errors() {
    for (command, output) in every_answer(&["--quiet"]) {
        let talk = output.stderr.lines().find(|line| {
            !line.starts_with("error[")
                && !line.starts_with("warning[")
                && !line.starts_with("  ")
                && !line.is_empty()
        });
        assert_eq!(talk, None, "{command}");
        let errs = output.stderr.contains("error[");
        assert_eq!(errs, output.code != Some(0), "{command}: {}", output.stderr);
        assert!(!output.stdout.contains("next"), "{command}: {}", output.stdout);
    }
}

#[test]
fn help_and_version_are_data() {
    let lab = Lab::new(TestMirror::new(), "");
    assert_eq!(
        lab.envlock(&["--version"]).success(),
        concat!("envlock ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let commands: [&[&str]; 17] = [
        &["solve"],
        &["install"],
        &["fetch"],
        &["bundle"],
        &["verify"],
        &["run"],
        &["check-secrets"],
        &["secrets", "list"],
        &["policy"],
        &["policy", "generate"],
        &["policy", "lint"],
        &["policy", "explain"],
        &["policy", "test"],
        &["explain"],
        &["config"],
        &["doctor"],
        &["demo"],
    ];
    for command in commands {
        let help = lab.envlock(&[command, &["--help"]].concat()).success();
        let command = command.join(" ");
        // clap doesn't wrap the line with the usage.
        for line in help.lines().filter(|line| !line.starts_with("Usage:")) {
            assert!(line.width() <= 80, "{command}: {line}");
        }
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let lab = Lab::solved(world(), YML);
    let mut child = lab
        .project
        .command(["solve", "--check"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert_eq!(output.status.code(), Some(0));
}
