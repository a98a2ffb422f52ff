//! The commands after `next:`: each repeats the flags that it needs and ends with 0.

use std::process::Command;

use envlock_testkit::{Output, Subdir, TestMirror, parse_package};

use crate::support::{BINARY, Lab};

const YML: &str = "channels: [conda-forge]\ndependencies: [app]\n";

const MANIFEST: &str = "version: 1\nneeds:\n  db: {engine: kv2, mount: secret, path: a, \
    fields: {x: DB_PASSWORD}}\npolicies: {p: {file: p.hcl}}\nprofiles: {ci: {attach: [p]}}\n";

fn lab(environment_yml: &str) -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(&parse_package("app 1.0").executable("bin/app", "#!/bin/sh\necho app\n"));
        c.add_for(Subdir::Osx64, "app 1.0");
        c.add("gpu 1.0 | __cuda >=900");
    });
    let lab = Lab::new(world, environment_yml);
    lab.project.write("p.hcl", "path \"secret/data/a\" { capabilities = [\"read\"] }\n");
    lab
}

/// The commands after `next:` in an output.
fn next(output: &Output) -> Vec<String> {
    let lines = output.stdout.replace(" \\\n  ", " ");
    let next = lines.lines().filter_map(|line| {
        let (start, command) = line.split_once(": ")?;
        // What follows a comma describes the command, or is another one for conda.
        let command = command.rsplit(", or ").next()?.split(", which ").next()?;
        start.starts_with("next").then(|| command.replace("COMMAND", "app"))
    });
    next.collect()
}

/// Types a line into a shell in the project's folder.
fn type_line(lab: &Lab, line: &str) -> Output {
    let line = line.strip_prefix("envlock ").unwrap_or_else(|| panic!("{line}"));
    let envlock = lab.project.command([""; 0]);
    let variables = envlock.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let output = Command::new("sh")
        .args(["-c", &format!("'{BINARY}' {line}")])
        .env_clear()
        .envs(variables)
        .current_dir(lab.project.root())
        .output();
    output.unwrap().into()
}

/// Runs a command, and then what its output and theirs suggest. Returns the suggested commands.
fn follow(lab: &Lab, command: &str, args: &[&str]) -> Vec<String> {
    let output = match command {
        "verify" => lab.envlock(&[&["verify"], args].concat()),
        _ => lab.with_mirrors(command, args),
    };
    assert!(matches!(output.code, Some(0 | 1)), "{output:?}");
    let mut waiting = next(&output);
    let mut typed = Vec::new();
    while let Some(line) = waiting.pop() {
        assert!(typed.len() < 10, "{typed:?}");
        let output = type_line(lab, &line);
        assert_eq!(output.code, Some(0), "{line}: {output:?}");
        waiting.extend(next(&output));
        typed.push(line);
    }
    typed
}

/// The commands without the address of the test's mirror.
fn shortened(lab: &Lab, typed: &[String]) -> Vec<String> {
    let mirrors = lab.world.mirror_args().join(" ");
    let short = |line: &String| line.replace('\'', "").replace(&format!(" {mirrors}"), "");
    typed.iter().map(short).collect()
}

#[test]
fn a_solve_leads_to_an_install_and_that_to_a_run() {
    let lab = lab(YML);
    let typed = follow(&lab, "solve", &[]);
    assert_eq!(shortened(&lab, &typed), ["envlock install", "envlock run -- app"]);
}

#[test]
fn a_lock_of_one_of_the_platforms_is_installed_as_it_is() {
    let yml = "channels: [conda-forge]\nplatforms: [linux-64, osx-64]\ndependencies: [app]\n";
    let lab = lab(yml);
    let typed = follow(&lab, "solve", &["--platform", "linux-64"]);
    assert_eq!(shortened(&lab, &typed), ["envlock install --frozen", "envlock run -- app"]);
    let typed = follow(&lab, "fetch", &[]);
    let typed = shortened(&lab, &typed);
    assert_eq!(typed, ["envlock install --offline --frozen"]);
    let typed = follow(&lab, "bundle", &["-o", "bundle"]);
    assert!(typed[0].contains("--frozen"), "{typed:?}");
    let typed = follow(&lab, "solve", &[]);
    assert_eq!(shortened(&lab, &typed)[0], "envlock install");
}

#[test]
fn the_files_are_repeated() {
    let lab = lab("no environment");
    lab.project.write("env/my file.yml", YML);
    lab.project.write("env/secrets.yml", MANIFEST.replace("p.hcl", "../p.hcl"));
    let typed = follow(&lab, "solve", &["-f", "env/my file.yml", "--lock", "it's.lock"]);
    let files = "-f env/my file.yml --lock \"its.lock\"";
    assert_eq!(
        shortened(&lab, &typed),
        [
            format!("envlock install {files}"),
            format!("envlock check-secrets {files} --offline"),
            format!("envlock run {files} -- app")
        ]
    );
}

#[test]
fn a_stale_lock_is_installed_again_as_it_is() {
    let lab = lab(YML);
    lab.solve(&[]).success();
    lab.write_environment(&YML.replace("app", "app <1"));
    lab.install(&["--frozen"]).success();
    fs_err::remove_file(lab.prefix().join("bin/app")).unwrap();
    let verified = lab.envlock(&["verify"]);
    assert_eq!(next(&verified), ["envlock install --frozen --replace"], "{verified:?}");
    follow(&lab, "verify", &[]);
    lab.envlock(&["verify"]).success();
}

#[test]
fn a_lock_that_this_machine_cannot_install_leads_to_no_install() {
    let lab = lab(YML);
    for args in [&["--platform", "osx-64"][..], &["--virtual-package", "__cuda=999"]] {
        if args[0] == "--virtual-package" {
            fs_err::remove_file(lab.project.path("envlock.lock")).unwrap();
            lab.write_environment("channels: [conda-forge]\ndependencies: [gpu]\n");
        }
        let solved = lab.solve(args);
        assert_eq!(next(&solved), [""; 0], "{solved:?}");
        solved.success();
    }
}

#[test]
fn a_name_that_no_folder_can_have_leads_to_no_install() {
    let lab = lab("no environment");
    lab.project.write("env files/x.yml", YML);
    let solved = lab.solve(&["-f", "env files/x.yml"]);
    assert_eq!(next(&solved), [""; 0], "{solved:?}");
    solved.success();
}

#[test]
fn a_name_or_a_path_of_a_prefix_is_repeated() {
    let lab = lab(YML);
    lab.solve(&[]).success();
    let typed = follow(&lab, "install", &["-n", "ml"]);
    assert_eq!(typed, ["envlock run -n ml -- app"]);
    let typed = follow(&lab, "install", &["-p", "a b"]);
    assert_eq!(typed, ["envlock run -p 'a b' -- app"]);
    fs_err::remove_file(lab.project.path("a b/bin/app")).unwrap();
    let verified = lab.envlock(&["verify", "-p", "a b"]);
    assert_eq!(next(&verified), ["envlock install -p 'a b' --replace"]);
    let mirrors = lab.world.mirror_args().join(" ");
    let output = type_line(&lab, &format!("{} {mirrors}", next(&verified)[0]));
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn needs_without_their_manifest_lead_to_no_check() {
    let lab = lab(YML);
    lab.project.write("secrets.yml", MANIFEST);
    lab.solve(&[]).success();
    fs_err::remove_file(lab.project.path("secrets.yml")).unwrap();
    let installed = lab.install(&["--frozen"]);
    assert_eq!(next(&installed), ["envlock run -- app"]);
    installed.success();
}

#[test]
fn a_bundle_is_installed_by_the_command_that_it_prints() {
    let lab = lab("no environment");
    lab.project.write("sub/x.yml", YML);
    lab.solve(&["-f", "sub/x.yml"]).success();
    let bundled = lab.with_mirrors("bundle", &["-f", "sub/x.yml", "-o", "my bundle"]);
    let line = next(&bundled).remove(0);
    assert!(line.contains("-f sub/x.yml") && !line.contains("--without-pip"), "{line}");
    assert!(type_line(&lab, &line).success().contains("installed 1 package"));
}
