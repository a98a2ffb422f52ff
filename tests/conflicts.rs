//! What can't be solved, told by the lines of environment.yml.

use envlock_testkit::TestMirror;

use crate::support::Lab;

fn world() -> TestMirror {
    TestMirror::new()
        .channel("conda-forge", |c| {
            c.add("python 3.10.9");
            c.add("python 3.11.4");
            c.add("numpy 1.24.3 py310_0 | python >=3.10,<3.11.0a0");
            c.add("numpy 1.26.0 py311_0 | python >=3.11,<3.12.0a0");
            c.add("tensorflow 2.13.1 py311_0 | python >=3.11,<3.12.0a0");
            c.add("tensorflow 2.12.1 py310_0 | python >=3.10,<3.11.0a0");
            c.add("left 1.0 | shared 1.*");
            c.add("right 1.0 | middle");
            c.add("middle 1.0 | shared 2.*");
            c.add("shared 1.0");
            c.add("shared 2.0");
        })
        .channel("bioconda", |c| {
            c.add("samtools 1.17");
            c.add("numpy 1.0 old_0");
        })
}

/// What is said; the exit code is 6 and there is no lock.
fn refused(yml: &str) -> String {
    let lab = Lab::new(world(), yml);
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(6), "{}{}", output.stdout, output.stderr);
    assert!(!lab.project.path("envlock.lock").exists());
    lab.shown(&output)
}

#[test]
fn unknown_names_versions_and_conflicts_come_in_one_run_each_with_its_line() {
    let said = refused(
        "channels: [conda-forge]\ndependencies:\n  - python=3.10\n  - nunpy\n  - numpy=1.99\n  \
         - tensorflow=2.13.0\n  - left\n  - right\n",
    );
    insta::assert_snapshot!(said, @"
    -- stderr
    error[unknown-package]: no channel has a package named nunpy for linux-64
      --> environment.yml:4:5
      4 |   - nunpy
        |     ^^^^^
      - searched: conda-forge
      help: the nearest name is numpy (in conda-forge)

    error[no-such-version]: there is no numpy 1.99; the nearest is 1.26.0, which
      needs Python 3.11, but environment.yml:3 requests 3.10
      --> environment.yml:5:5
      5 |   - numpy=1.99
        |     ^^^^^^^^^^
      - versions, the nearest first: 1.26.0, 1.24.3
      - numpy 1.26.0 depends on `python >=3.11,<3.12.0a0`
      help: the nearest that fits the other lines that can be met is 1.24.3: write
            `numpy=1.24.3`

    error[no-such-version]: there is no tensorflow 2.13.0; the nearest is 2.13.1,
      which needs Python 3.11, but environment.yml:3 requests 3.10
      --> environment.yml:6:5
      6 |   - tensorflow=2.13.0
        |     ^^^^^^^^^^^^^^^^^
      - versions, the nearest first: 2.13.1, 2.12.1
      - tensorflow 2.13.1 depends on `python >=3.11,<3.12.0a0`
      help: the nearest that fits the other lines that can be met is 2.12.1: write
            `tensorflow=2.12.1`

    error[dependency-conflict]: these 2 lines can't be met together: `left`, `right`
      --> environment.yml:7:5
      7 |   - left
        |     ^^^^
      - environment.yml:8 requests `right`
      - middle 1.0 needs shared 2
      - left 1.0 needs shared 1
      - right 1.0 needs middle
      help: loosen one of these lines
    -- exit 6
    ");
}

#[test]
fn the_nearest_version_is_named_with_the_line_that_excludes_it() {
    let said =
        refused("channels: [conda-forge]\ndependencies:\n  - python=3.10\n  - tensorflow=2.13.0\n");
    insta::assert_snapshot!(said, @"
    -- stderr
    error[no-such-version]: there is no tensorflow 2.13.0; the nearest is 2.13.1,
      which needs Python 3.11, but environment.yml:3 requests 3.10
      --> environment.yml:4:5
      4 |   - tensorflow=2.13.0
        |     ^^^^^^^^^^^^^^^^^
      - versions, the nearest first: 2.13.1, 2.12.1
      - tensorflow 2.13.1 depends on `python >=3.11,<3.12.0a0`
      help: the nearest that fits the other lines is 2.12.1: write
            `tensorflow=2.12.1`
    -- exit 6
    ");
}

#[test]
fn a_conflict_is_explained_by_the_needs_that_contradict_each_other() {
    insta::assert_snapshot!(refused("channels: [conda-forge]\ndependencies:\n  - left\n  - right\n"), @"
    -- stderr
    error[dependency-conflict]: these 2 lines can't be met together: `left`, `right`
      --> environment.yml:3:5
      3 |   - left
        |     ^^^^
      - environment.yml:4 requests `right`
      - middle 1.0 needs shared 2
      - left 1.0 needs shared 1
      - right 1.0 needs middle
      help: loosen one of these lines
    -- exit 6
    ");
}

#[test]
fn a_package_hidden_by_strict_priority_is_an_error_with_help() {
    let said = refused("channels: [bioconda, conda-forge]\ndependencies:\n  - numpy=1.26\n");
    insta::assert_snapshot!(said, @"
    -- stderr
    error[hidden-by-priority]: strict channel priority uses bioconda for numpy, so
      that of conda-forge is hidden
      --> environment.yml:3:5
      3 |   - numpy=1.26
        |     ^^^^^^^^^^
      - bioconda comes first and has numpy, but no version that matches
        `numpy=1.26`: 1.0
      help: write `conda-forge::numpy=1.26`, or list conda-forge before bioconda
    -- exit 6
    ");
}

#[test]
fn a_package_of_another_channel_is_an_error_that_names_the_channel() {
    let said =
        refused("channels: [conda-forge, bioconda]\ndependencies:\n  - conda-forge::samtools\n");
    insta::assert_snapshot!(said, @"
    -- stderr
    error[not-in-channel]: conda-forge has no package named samtools for linux-64
      --> environment.yml:3:5
      3 |   - conda-forge::samtools
        |     ^^^^^^^^^^^^^^^^^^^^^
      help: bioconda has it: write `bioconda::samtools`, or `samtools`
    -- exit 6
    ");
}

#[test]
fn a_missing_virtual_package_is_an_error_with_the_flag() {
    let mut world = world();
    world.update_channel("conda-forge", |c| {
        c.add("gpu 1.0 | __cuda >=12");
    });
    let lab = Lab::new(world, "channels: [conda-forge]\ndependencies:\n  - gpu\n");
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(6));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[dependency-conflict]: `gpu` can't be installed: a dependency isn't
      available
      --> environment.yml:3:5
      3 |   - gpu
        |     ^^^
      - gpu 1.0 needs __cuda >=12, but linux-64 is assumed to have no __cuda
      help: if the machines have it, solve with `--virtual-package __cuda=12`
    -- exit 6
    ");
}

#[test]
fn a_dependency_that_no_channel_has_is_an_error() {
    let mut world = world();
    world.update_channel("conda-forge", |c| {
        c.add("broken 1.0 | not-there >=2");
    });
    let lab = Lab::new(world, "channels: [conda-forge]\ndependencies:\n  - broken\n");
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(6));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[dependency-conflict]: `broken` can't be installed: a dependency isn't
      available
      --> environment.yml:3:5
      3 |   - broken
        |     ^^^^^^
      - broken 1.0 needs not-there >=2, but no channel has not-there
      help: request another version, or add the channel that has the dependency
    -- exit 6
    ");
}

#[test]
fn an_existing_lock_is_not_changed() {
    let yml = "channels: [conda-forge]\ndependencies: [left]\n";
    let lab = Lab::solved(world(), yml);
    let before = lab.lock();
    lab.write_environment("channels: [conda-forge]\ndependencies: [left, right]\n");
    assert_eq!(lab.solve(&["-q"]).code, Some(6));
    assert_eq!(lab.lock(), before);
}

#[test]
fn what_fails_on_one_platform_names_it() {
    let mut world = world();
    world.update_channel("conda-forge", |c| {
        c.add_for(envlock_testkit::Subdir::OsxArm64, "left 1.0");
    });
    let yml = "channels: [conda-forge]\nplatforms: [linux-64, osx-arm64]\ndependencies:\n  - left\n  - shared\n";
    let lab = Lab::new(world, yml);
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(6));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[unknown-package]: no channel has a package named shared for osx-arm64
      --> environment.yml:5:5
      5 |   - shared
        |     ^^^^^^
      - searched: conda-forge
      - on osx-arm64
      help: check the name, or add the channel that has it to `channels:`
    -- exit 6
    ");
}
