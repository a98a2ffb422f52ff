//! `envlock run`: the program becomes the command.

use std::io::Write as _;
use std::process::Stdio;

use envlock_testkit::{TestMirror, parse_package};

use crate::support::Lab;

/// An environment with a command, a variable and an activation script.
fn lab() -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(
            &parse_package("app 1.0")
                .executable("bin/app", "#!/bin/sh\nprintf '<%s>' \"$@\"\n")
                .executable(
                    "etc/conda/activate.d/app.sh",
                    "export FROM_SCRIPT=\"脚本 $CONDA_PREFIX\"\n",
                ),
        );
    });
    let lab = Lab::solved(
        world,
        "channels: [conda-forge]\ndependencies: [app]\nvariables:\n  GREETING: 你好 world\n",
    );
    lab.install(&["-q"]).success();
    lab
}

#[test]
fn run_has_the_exit_code_of_the_command() {
    let lab = lab();
    for code in [0, 1, 2, 3, 5, 42, 255] {
        let output = lab.envlock(&["run", "--", "sh", "-c", &format!("exit {code}")]);
        assert_eq!(output.code, Some(code));
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    }
}

#[test]
fn a_signal_reaches_the_command() {
    use std::os::unix::process::ExitStatusExt as _;
    let lab = lab();
    let status = lab.project.command(["run", "--", "sh", "-c", "kill -TERM $$"]).status().unwrap();
    assert_eq!(status.signal(), Some(15));
}

#[test]
fn the_command_is_the_same_process() {
    let lab = lab();
    let child = lab
        .project
        .command(["run", "--", "sh", "-c", "echo $$"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), id.to_string());
}

#[test]
fn arguments_are_passed_unchanged() {
    let lab = lab();
    let said = lab.envlock(&["run", "app", "a b", "--help", "-q", "--", "*", "$HOME", "你好", ""]);
    assert_eq!(said.success(), "<a b><--help><-q><--><*><$HOME><你好><>");
}

#[test]
fn standard_input_is_passed_through() {
    let lab = lab();
    let mut child = lab
        .project
        .command(["run", "--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all("你好\n".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "你好\n");
}

#[test]
fn scripts_variables_and_the_path_are_those_of_the_environment() {
    let lab = lab();
    let script = "echo $FROM_SCRIPT; echo $GREETING; echo $CONDA_PREFIX; command -v app";
    let said = lab.envlock(&["run", "--", "sh", "-c", script]).success();
    let prefix = lab.prefix().display().to_string();
    assert_eq!(said, format!("脚本 {prefix}\n你好 world\n{prefix}\n{prefix}/bin/app\n"));
}

#[test]
fn a_missing_command_is_an_error() {
    let lab = lab();
    let output = lab.envlock(&["run", "no-such-command"]);
    assert_eq!(output.code, Some(2));
    assert!(
        output.stderr.starts_with("error[no-such-command]: no-such-command can't be run"),
        "{}",
        output.stderr
    );
    assert_eq!(output.stdout, "");
}

#[test]
fn a_missing_environment_is_an_error() {
    let lab = lab();
    for args in [&["run", "-p", "elsewhere", "app"][..], &["run", "-n", "elsewhere", "app"]] {
        let output = lab.envlock(args);
        assert_ne!(output.code, Some(0));
        assert!(output.stderr.contains("elsewhere"), "{}", output.stderr);
    }
    fs_err::remove_dir_all(lab.prefix()).unwrap();
    insta::assert_snapshot!(lab.shown(&lab.envlock(&["run", "app"])), @"
    -- stderr
    error[no-environment]: there is no environment at
      `~/project/.envlock/project`
      help: make it with `envlock install`
    -- exit 2
    ");
    fs_err::remove_file(lab.project.path("envlock.lock")).unwrap();
    insta::assert_snapshot!(lab.shown(&lab.envlock(&["run", "app"])), @"
    -- stderr
    error[no-such-file]: envlock.lock doesn't exist
      help: make it with `envlock solve`
    -- exit 2
    ");
}

#[test]
fn a_number_in_a_packages_variables_is_set_as_text() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        let json = "{\"THREADS\": 3, \"RATIO\": 1.5, \"ON\": true, \"NAME\": \"x\"}";
        c.package(&parse_package("app 1.0").file("etc/conda/env_vars.d/app.json", json));
    });
    let lab = Lab::solved(world, "channels: [conda-forge]\ndependencies: [app]\n");
    lab.install(&["-q"]).success();
    let shell = "printf '%s' \"$THREADS $RATIO $ON $NAME\"";
    assert_eq!(lab.envlock(&["run", "--", "sh", "-c", shell]).success(), "3 1.5 True x");
}
