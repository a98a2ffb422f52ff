//! `envlock verify`: every file of a prefix against its record.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use envlock_testkit::{TestMirror, parse_package};

use crate::support::Lab;

fn lab() -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(
            &parse_package("app 1.0")
                .executable("bin/app", "#!/bin/sh\n")
                .file("share/app/same-size", "aaaa")
                .file("share/app/longer", "aaaa")
                .file("share/app/gone", "aaaa")
                .prefix_text("etc/app.conf", "root = {PREFIX}\n")
                .symlink("share/app/link", "longer"),
        );
    });
    let lab = Lab::solved(world, "channels: [conda-forge]\ndependencies: [app]\n");
    lab.install(&["-q"]).success();
    lab
}

#[test]
fn every_file_that_differs_is_named_with_its_package() {
    let lab = lab();
    let path = |path: &str| lab.prefix().join(path);
    fs_err::write(path("share/app/same-size"), "bbbb").unwrap();
    fs_err::write(path("share/app/longer"), "aaaaa").unwrap();
    fs_err::remove_file(path("share/app/gone")).unwrap();
    fs_err::remove_file(path("share/app/link")).unwrap();
    std::os::unix::fs::symlink("elsewhere", path("share/app/link")).unwrap();
    fs_err::set_permissions(path("bin/app"), std::fs::Permissions::from_mode(0o644)).unwrap();
    fs_err::write(
        path("etc/app.conf"),
        lab.project.read(".envlock/project/etc/app.conf").replace("root", "toor"),
    )
    .unwrap();
    fs_err::write(path("share/额外"), "x").unwrap();
    let output = lab.envlock(&["verify", "-q"]);
    assert_eq!(output.code, Some(1));
    insta::assert_snapshot!(lab.shown(&output).replace(&lab.prefix().display().to_string(), "PREFIX"), @"
    -- stdout
    7 differences in ~/project/.envlock/project
    -- stderr
    error[file-changed]: bin/app (app) has mode 0644 instead of 0755

    error[file-changed]: etc/app.conf (app) has other bytes

    error[file-changed]: share/app/link (app) points to elsewhere instead of longer

    error[file-changed]: share/app/longer (app) has 5 bytes instead of 4

    error[file-changed]: share/app/same-size (app) has other bytes

    error[file-missing]: share/app/gone (app) is missing

    error[file-untracked]: share/额外 belongs to no package
    -- exit 1
    ");
}

#[test]
fn names_of_files_are_escaped_and_long_ones_not_broken() {
    let lab = lab();
    let deep = "a-long-name-of-a-folder/".repeat(3) + "and-of-a-file";
    let path = lab.prefix().join(&deep);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, "x").unwrap();
    fs_err::write(lab.prefix().join("\u{1b}[2J\u{7}\nerror: x"), "x").unwrap();
    let output = lab.envlock(&["verify", "-q"]);
    insta::assert_snapshot!(lab.shown(&output), @r"
    -- stdout
    2 differences in ~/project/.envlock/project
    -- stderr
    error[file-untracked]: \u{1b}[2J\u{7}\nerror: x belongs to no package

    error[file-untracked]:
      a-long-name-of-a-folder/a-long-name-of-a-folder/a-long-name-of-a-folder/and-of-a-file
      belongs to no package
    -- exit 1
    ");
    let told = lab.envlock(&["verify"]).stderr;
    assert_eq!(told.lines().next().unwrap().trim(), "verify  6 files, 0 differ, 2 untracked");
}

#[test]
fn a_replaced_environment_verifies() {
    let lab = lab();
    fs_err::write(lab.prefix().join("share/app/same-size"), "bbbb").unwrap();
    assert_eq!(lab.envlock(&["verify", "-q"]).code, Some(1));
    lab.install(&["-q", "--replace"]).success();
    lab.envlock(&["verify", "-q"]).success();
}

#[test]
fn verify_without_an_environment_is_an_error() {
    let lab = lab();
    let output = lab.envlock(&["verify", "-p", "elsewhere"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("elsewhere"), "{}", output.stderr);
}

#[test]
fn beside_an_install_it_waits_and_names_no_false_differences() {
    let lab = lab();
    // An install holds this lock while the prefix is neither the old one nor the new one.
    let path = lab.prefix().with_file_name(".project~lock");
    let lock = fs_err::OpenOptions::new().write(true).open(path).unwrap().into_file();
    lock.lock().unwrap();
    let whole = lab.prefix().join("share/app/longer");
    fs_err::remove_file(&whole).unwrap();
    let mut verify = lab.project.command(["verify"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(verify.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert!(line.contains("wait"), "{line}");
    assert_eq!(verify.try_wait().unwrap(), None);
    fs_err::write(&whole, "aaaa").unwrap();
    lock.unlock().unwrap();
    told.read_to_string(&mut line).unwrap();
    assert!(verify.wait().unwrap().success(), "{line}");
}
