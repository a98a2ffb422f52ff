//! The files of a project that aren't what they should be, and command lines that aren't.

use envlock_testkit::TestMirror;

use crate::support::Lab;

fn lab(environment_yml: &str) -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    });
    Lab::new(world, environment_yml)
}

/// What `solve` says of an environment.yml that it can't use.
fn refused(environment_yml: &str) -> String {
    let lab = lab(environment_yml);
    let output = lab.solve(&[]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(!lab.project.path("envlock.lock").exists());
    lab.shown(&output)
}

#[test]
fn broken_yaml_is_an_error_with_line_and_column() {
    insta::assert_snapshot!(refused("name: x\ndependencies:\n  - a: [b\n"), @"
    -- stderr
    error[syntax-error]: this isn't valid YAML: while parsing a flow sequence,
      expected ',' or ']'
      --> environment.yml:4:1
    -- exit 2
    ");
}

#[test]
fn an_invalid_spec_is_an_error_with_line_and_column() {
    insta::assert_snapshot!(refused("dependencies:\n  - python=3.10\n  - numpy=>1.2\n"), @"
    -- stderr
    error[match-spec-invalid]: `=>` isn't an operator
      --> environment.yml:3:10
      3 |   - numpy=>1.2
        |          ^^^^^
      help: the operators are `=`, `==`, `!=`, `>=`, `<=`, `>`, `<`, `~=`
    -- exit 2
    ");
}

#[test]
fn several_mistakes_are_reported_in_one_run() {
    let said = refused("channels: conda-forge\ndependencies:\n  - 3\n  - numpy >>1\nname: [a]\n");
    insta::assert_snapshot!(said, @"
    -- stderr
    error[wrong-type]: `channels` must be a list, and this is text
      --> environment.yml:1:11
      1 | channels: conda-forge
        |           ^^^^^^^^^^^
      help: write it like `- conda-forge`

    error[wrong-type]: a dependency must be a package, and this is a number
      --> environment.yml:3:5
      3 |   - 3
        |     ^
      help: write it like `- python=3.10`

    error[match-spec-invalid]: `>>` isn't an operator
      --> environment.yml:4:11
      4 |   - numpy >>1
        |           ^^^
      help: the operators are `=`, `==`, `!=`, `>=`, `<=`, `>`, `<`, `~=`

    error[wrong-type]: `name` must be text, and this is a list
      --> environment.yml:5:7
      5 | name: [a]
        |       ^^^
      help: write it like `name: my-env`
    -- exit 2
    ");
}

#[test]
fn an_empty_file_is_refused() {
    insta::assert_snapshot!(refused(""), @"
    -- stderr
    error[empty-environment]: this file is empty
      --> environment.yml:1:1
      help: it needs at least `dependencies:` with a list of packages
    -- exit 2
    ");
}

#[test]
fn a_missing_file_is_an_error_that_suggests_another_file() {
    let lab = lab("dependencies: []\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-f", "environment.yaml"])), @"
    -- stderr
    error[no-such-file]: environment.yaml doesn't exist
      help: there is environment.yml: use it with `-f environment.yml`
    -- exit 2
    ");
    fs_err::remove_file(lab.project.path("environment.yml")).unwrap();
    insta::assert_snapshot!(lab.shown(&lab.solve(&[])), @"
    -- stderr
    error[no-such-file]: environment.yml doesn't exist
      help: run envlock where environment.yml is, or name the file with `-f FILE`
    -- exit 2
    ");
    insta::assert_snapshot!(lab.shown(&lab.install(&[])), @"
    -- stderr
    error[no-such-file]: envlock.lock doesn't exist
      help: make it with `envlock solve`
    -- exit 2
    ");
}

#[test]
fn a_binary_file_is_an_error_with_the_place_of_the_byte() {
    let lab = lab("");
    lab.project.write("environment.yml", b"name: a\nchannels: [\xff\xfe]\n");
    let output = lab.solve(&[]);
    assert_eq!(output.code, Some(2));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[not-utf8]: the file isn't UTF-8 text
      --> environment.yml:2:12
      help: save the file as UTF-8
    -- exit 2
    ");
}

#[test]
fn endless_and_large_files_are_not_read() {
    let lab = lab("channels: [conda-forge]\ndependencies: [app]\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-f", "/dev/zero"])), @"
    -- stderr
    error[not-a-file]: /dev/zero is not a file
      help: write its content into a file, and name that file
    -- exit 2
    ");
    for args in [&["solve", "--lock", "/dev/zero"][..], &["install", "--lock", "/dev/zero"]] {
        let output = lab.envlock(args);
        assert_eq!(output.code, Some(2), "{args:?} {}", output.stderr);
        assert!(output.stderr.contains("/dev/zero is not a file"), "{}", output.stderr);
    }
    let file = fs_err::File::create(lab.project.path("large.yml")).unwrap();
    file.set_len(16_000_001).unwrap();
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-f", "large.yml"])), @"
    -- stderr
    error[file-too-large]: large.yml has more than 16 MB
      help: check that it is the right file; nothing of it was read
    -- exit 2
    ");
}

#[test]
fn a_folder_instead_of_a_file_is_an_error() {
    let lab = lab("");
    fs_err::create_dir(lab.project.path("folder")).unwrap();
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-f", "folder"])), @"
    -- stderr
    error[not-a-file]: folder is a folder, not a file
      help: name a file instead
    -- exit 2
    ");
}

#[test]
fn an_unwritable_lock_is_an_error() {
    let lab = lab("channels: [conda-forge]\ndependencies: [app]\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q", "--lock", "no/such/envlock.lock"])), @"
    -- stderr
    error[output-unwritable]: no/such/envlock.lock can't be written: its folder
      doesn't exist
      - nothing was written; an existing file is unchanged
    -- exit 3
    ");
}

#[test]
fn wrong_command_lines_end_with_2() {
    let lab = lab("channels: [conda-forge]\ndependencies: [app]\n");
    for wrong in [
        &["solve", "--no-such-flag"][..],
        &["solve", "--check", "--dry-run"],
        &["sovle"],
        &["install", "-p", "a", "-n", "b"],
        &["run"],
        &["solve", "--virtual-package", "cuda=12"],
        &["solve", "--mirror", "tunna"],
        &["solve", "--platform", "noarch"],
        &["install", "-n", "../x"],
        &["install", "-n", "base"],
        &["verify", "-n", ".."],
    ] {
        let output = lab.envlock(wrong);
        assert_eq!(output.code, Some(2), "{wrong:?} {}", output.stderr);
        assert_eq!(output.stdout, "", "{wrong:?}");
        assert!(!output.stderr.is_empty(), "{wrong:?}");
    }
}

#[test]
fn an_invalid_virtual_package_is_an_error_with_the_valid_formats() {
    let lab = lab("channels: [conda-forge]\ndependencies: [app]\n");
    let output = lab.solve(&["--virtual-package", "cuda=12"]);
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[virtual-package-unusable]: `cuda=12` isn't a virtual package: write
      `__cuda=12.2`, `__cuda=` for none, `host` or `default`
    -- exit 2
    ");
    let lab = lab.env("CONDA_OVERRIDE_CUDA", "zwölf");
    insta::assert_snapshot!(lab.shown(&lab.solve(&[])), @"
    -- stderr
    error[override-malformed]: CONDA_OVERRIDE_CUDA=zwölf isn't a version: malformed
      version string 'zwölf': encountered more characters but expected none
      help: for example `CONDA_OVERRIDE_CUDA=12.2`, or `CONDA_OVERRIDE_CUDA=` for a
            machine without it
    -- exit 2
    ");
}
