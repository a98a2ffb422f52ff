//! `envlock solve`: from environment.yml to the lock.

use envlock_testkit::{Subdir, TestMirror};

use crate::support::{BINARY, Lab};

const SMALL: &str = "channels: [conda-forge]\ndependencies:\n  - app\n";

fn small() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0 | lib >=1");
        c.add("lib 1.2");
        c.add_for(Subdir::OsxArm64, "app 1.0 | lib >=1");
        c.add_for(Subdir::OsxArm64, "lib 1.2");
    })
}

#[test]
fn a_first_solve_writes_the_lock_and_suggests_the_next_command() {
    let lab = Lab::new(small(), SMALL);
    insta::assert_snapshot!(lab.shown(&lab.solve(&[])), @"
    -- stdout
    linux-64  2 packages  1.9 kB to download at most
    wrote envlock.lock
    next: envlock install --mirror 'https://conda.anaconda.org/=http://mirror/anaconda/cloud/' --mirror 'https://repo.anaconda.com/=http://mirror/anaconda/' --no-origin
    -- stderr
        index  2 indexes, 495 B fetched
        solve  2 packages
    -- exit 0
    ");
    assert_eq!(lab.locked("linux-64"), ["app-1.0-0", "lib-1.2-0"]);
}

#[test]
fn a_second_solve_changes_no_byte() {
    let lab = Lab::solved(small(), SMALL);
    let before = lab.lock();
    insta::assert_snapshot!(lab.shown(&lab.solve(&["--quiet"])), @"
    -- stdout
    linux-64  2 packages  1.9 kB to download at most
    envlock.lock is up to date
    -- exit 0
    ");
    assert_eq!(lab.lock(), before);
}

#[test]
fn platforms_are_from_the_command_line_the_file_the_lock_or_the_machine() {
    let platforms = |lab: &Lab| {
        let platforms = ["linux-64", "linux-aarch64", "osx-arm64"];
        platforms
            .into_iter()
            .filter(|platform| !lab.locked(platform).is_empty())
            .collect::<Vec<_>>()
    };
    let lab = Lab::new(small(), SMALL);
    lab.solve(&["--platform", "osx-arm64"]).success();
    assert_eq!(platforms(&lab), ["osx-arm64"]);
    lab.solve(&[]).success();
    assert_eq!(platforms(&lab), ["osx-arm64"], "the lock's, where nobody says another");
    lab.write_environment(&format!("{SMALL}platforms: [linux-64]\n"));
    lab.solve(&[]).success();
    assert_eq!(platforms(&lab), ["linux-64"], "the file's before the lock's");
    lab.solve(&["--platform", "osx-arm64", "--platform", "linux-64"]).success();
    assert_eq!(platforms(&lab), ["linux-64", "osx-arm64"], "the command line's before the file's");
}

#[test]
fn several_platforms_are_solved_into_one_lock() {
    let lab = Lab::new(small(), &format!("{SMALL}platforms: [osx-arm64, linux-64]\n"));
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stdout
    linux-64   2 packages  1.9 kB to download at most
    osx-arm64  2 packages  1.9 kB to download at most
    wrote envlock.lock
    -- exit 0
    ");
    insta::assert_snapshot!(lab.lock(), @"
    version: 7
    platforms:
    - name: linux-64
      virtual-packages:
      - __archspec=1=x86_64
      - __glibc=2.28=0
      - __linux=4.18=0
      - __unix=0=0
    - name: osx-arm64
      virtual-packages:
      - __archspec=1=m1
      - __osx=13.0=0
      - __unix=0=0
    environments:
      default:
        channels:
        - url: https://conda.anaconda.org/conda-forge/
        packages:
          linux-64:
          - conda: https://conda.anaconda.org/conda-forge/linux-64/app-1.0-0.conda
          - conda: https://conda.anaconda.org/conda-forge/linux-64/lib-1.2-0.conda
          osx-arm64:
          - conda: https://conda.anaconda.org/conda-forge/osx-arm64/app-1.0-0.conda
          - conda: https://conda.anaconda.org/conda-forge/osx-arm64/lib-1.2-0.conda
    packages:
    - conda: https://conda.anaconda.org/conda-forge/linux-64/app-1.0-0.conda
      sha256: 47d2dfb4793a6030f8490f4b6345c01f7bc3a6bd060e2fbd9463b1182ee0a63b
      md5: cbd3bdbb80ec584f2fdd3b6aa07058e6
      depends:
      - lib >=1
      license: BSD-3-Clause
      size: 970
      timestamp: 1700000000000
    - conda: https://conda.anaconda.org/conda-forge/linux-64/lib-1.2-0.conda
      sha256: 41cd21b7cc60b3c8d267228c7ef9a580da13dd9b7834dd3db8c31a53c45ac962
      md5: bea65ce454d481fa584e995d00a38665
      license: BSD-3-Clause
      size: 948
      timestamp: 1700000000000
    - conda: https://conda.anaconda.org/conda-forge/osx-arm64/app-1.0-0.conda
      sha256: 7c5dd393570a8490ce302b538119c8fff749cac3ebf536fdd813ef82aa62d19f
      md5: c73c30061e5c033f35acf8995f32f8a6
      depends:
      - lib >=1
      license: BSD-3-Clause
      size: 965
      timestamp: 1700000000000
    - conda: https://conda.anaconda.org/conda-forge/osx-arm64/lib-1.2-0.conda
      sha256: 6240f672aa67c98f648cc3b34e9e9b1962c59fad1e138beaf382dd3ad7c97270
      md5: ab4f8c1a65d1812b438faa72045a8022
      license: BSD-3-Clause
      size: 946
      timestamp: 1700000000000
    envlock:
      version: 1
      name: project
      requested:
        channel-priority: strict
        channels:
        - name: conda-forge
          urls:
          - https://conda.anaconda.org/conda-forge/
        platforms:
          linux-64:
            specs:
            - app
          osx-arm64:
            specs:
            - app
    ");
}

#[test]
fn selectors_ask_each_platform_for_its_own() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        for name in ["on-linux", "on-unix", "not-linux", "everywhere"] {
            c.add(&format!("{name} 1"));
            c.add_for(Subdir::OsxArm64, &format!("{name} 1"));
            c.add_for(Subdir::Win64, &format!("{name} 1"));
        }
    });
    let lab = Lab::solved(
        world,
        "channels: [conda-forge]\nplatforms: [linux-64, osx-arm64, win-64]\ndependencies:\n\
         - on-linux  # [linux]\n- on-unix  # [linux or osx]\n- not-linux  # [not linux]\n\
         - everywhere\n",
    );
    assert_eq!(lab.locked("linux-64"), ["everywhere-1-0", "on-linux-1-0", "on-unix-1-0"]);
    assert_eq!(lab.locked("osx-arm64"), ["everywhere-1-0", "not-linux-1-0", "on-unix-1-0"]);
    assert_eq!(lab.locked("win-64"), ["everywhere-1-0", "not-linux-1-0"]);
}

#[test]
fn every_form_of_a_match_spec_selects_the_same_as_conda() {
    let world = || {
        TestMirror::new().channel("conda-forge", |c| {
            c.add("numpy 1.24.3 py310_0");
            c.add("numpy 1.24.3 py311_0");
            c.add("numpy 1.24.4 py310_0");
            c.add("numpy 1.26.0 py310_0");
            c.add("numpy 2.1.0 py311_1");
            c.add("numpy 3.0.0 py311_0");
        })
    };
    let lab = Lab::new(world(), SMALL);
    for (spec, expected) in [
        ("numpy", "numpy-3.0.0-py311_0"),
        ("numpy=1.24", "numpy-1.24.4-py310_0"),
        ("numpy=1.24.3=py310_0", "numpy-1.24.3-py310_0"),
        ("numpy==1.24.3=py311*", "numpy-1.24.3-py311_0"),
        ("numpy 1.24.3 py310*", "numpy-1.24.3-py310_0"),
        ("numpy==1.24.4", "numpy-1.24.4-py310_0"),
        ("numpy>=1,<2|>=2.1,<3", "numpy-2.1.0-py311_1"),
        ("numpy >=1.24,<1.26", "numpy-1.24.4-py310_0"),
        ("numpy 1.26*", "numpy-1.26.0-py310_0"),
        ("numpy!=3.0.0", "numpy-2.1.0-py311_1"),
        ("numpy~=1.24.3", "numpy-1.24.4-py310_0"),
        ("'numpy[version=\"<2\",build=\"py310*\"]'", "numpy-1.26.0-py310_0"),
        ("'numpy[build_number=1]'", "numpy-2.1.0-py311_1"),
        ("conda-forge::numpy<2", "numpy-1.26.0-py310_0"),
        ("'conda-forge/linux-64::numpy<2'", "numpy-1.26.0-py310_0"),
        ("NumPy=1.24.4", "numpy-1.24.4-py310_0"),
    ] {
        lab.write_environment(&format!("channels: [conda-forge]\ndependencies:\n  - {spec}\n"));
        lab.solve(&["--quiet"]).success();
        assert_eq!(lab.locked("linux-64"), [expected], "{spec}");
        assert_eq!(lab.envlock(&["solve", "--check"]).code, Some(0), "{spec}");
        fs_err::remove_file(lab.project.path("envlock.lock")).unwrap();
    }
}

#[test]
fn a_dry_run_lists_the_differences_and_writes_nothing() {
    let mut lab = Lab::solved(small(), SMALL);
    let before = lab.lock();
    lab.world.update_channel("conda-forge", |c| {
        c.add("app 2.0 | lib >=2; tool");
        c.add("lib 2.0");
        c.add("tool 0.1");
    });
    lab.write_environment("channels: [conda-forge]\ndependencies: [app >=2]\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["--dry-run", "-q"])), @"
    -- stdout
    linux-64  3 packages  2.9 kB to download at most
    ~  app   1.0 -> 2.0
    ~  lib   1.2 -> 2.0
    +  tool  0.1 0
    dry run: envlock.lock is unchanged
    -- exit 0
    ");
    assert_eq!(lab.lock(), before);
    lab.write_environment("channels: [conda-forge]\ndependencies: [lib]\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["--dry-run", "-q"])), @"
    -- stdout
    linux-64  1 package  948 B to download at most
    -  app  1.0 0
    dry run: envlock.lock is unchanged
    -- exit 0
    ");
    assert_eq!(lab.lock(), before);
}

#[test]
fn a_dry_run_without_a_lock_leaves_none() {
    let lab = Lab::new(small(), SMALL);
    insta::assert_snapshot!(lab.shown(&lab.solve(&["--dry-run", "-q"])), @"
    -- stdout
    linux-64  2 packages  1.9 kB to download at most
    +  app  1.0 0
    +  lib  1.2 0
    dry run: envlock.lock is unchanged
    -- exit 0
    ");
    assert!(!lab.project.path("envlock.lock").exists());
}

#[test]
fn an_offline_solve_gives_the_same_bytes_without_requests() {
    let lab = Lab::solved(small(), SMALL);
    let online = lab.lock();
    fs_err::remove_file(lab.project.path("envlock.lock")).unwrap();
    lab.world.clear_requests();
    lab.solve(&["--offline"]).success();
    assert_eq!(lab.lock(), online);
    assert_eq!(lab.world.requests("*").len(), 0);
}

#[test]
fn an_offline_solve_without_a_cache_names_what_is_missing() {
    let lab = Lab::new(small(), SMALL);
    let output = lab.solve(&["--offline", "-q"]);
    assert_eq!(output.code, Some(3));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[not-cached]: the index of conda-forge/linux-64 isn't in the cache, and
      this is offline
      --> environment.yml:1:12
      1 | channels: [conda-forge]
        |            ^^^^^^^^^^^
      help: run the same command once without `--offline`

    error[not-cached]: the index of conda-forge/noarch isn't in the cache, and this
      is offline
      --> environment.yml:1:12
      1 | channels: [conda-forge]
        |            ^^^^^^^^^^^
      help: run the same command once without `--offline`
    -- exit 3
    ");
}

#[test]
fn a_record_without_sha256_is_skipped_with_a_warning() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
        let newer = c.add("app 2.0");
        c.remove_field(&newer, "sha256");
    });
    let lab = Lab::new(world, SMALL);
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stdout
    linux-64  1 package  942 B to download at most
    wrote envlock.lock
    -- stderr
    warning[no-sha256]: app-2.0-0.conda would have been the choice, but its index
      gives no sha256
      - a package that can't be verified is never locked; app-1.0-0.conda is used
        instead
    -- exit 0
    ");
    assert_eq!(lab.locked("linux-64"), ["app-1.0-0"]);
}

#[test]
fn a_pip_section_without_python_is_an_error_at_its_first_line() {
    let yml = "channels: [conda-forge]\ndependencies:\n  - app\n  - pip:\n    - requests==2.31\n    - flask\n";
    let lab = Lab::new(small(), yml);
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[pip-python]: the pip section can't be resolved: the conda packages for
      linux-64 have no Python
      --> environment.yml:5:7
      5 |     - requests==2.31
        |       ^^^^^^^^^^^^^^
      help: add `- python=3.10` above the pip section

    warning[pip-missing]: there is a `pip:` section, but `pip` isn't a dependency
      --> environment.yml:4:5
      4 |   - pip:
        |     ^^^
      help: add `- pip` above it
    -- exit 2
    ");
}

#[test]
fn an_unknown_key_a_prefix_and_an_unknown_platform_are_reported_by_line() {
    let lab = Lab::new(small(), &format!("prefix: /opt/env\nchanels: []\n{SMALL}"));
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stdout
    linux-64  2 packages  1.9 kB to download at most
    wrote envlock.lock
    -- stderr
    warning[prefix-key-ignored]: `prefix` is ignored: it is a path on the machine
      that wrote the file
      --> environment.yml:1:1
      1 | prefix: /opt/env
        | ^^^^^^
      help: remove it; to install into another prefix, use
            `envlock install -p PREFIX`

    warning[unknown-key]: the key `chanels` is unknown and is ignored
      --> environment.yml:2:1
      2 | chanels: []
        | ^^^^^^^
      help: did you mean `channels`?
    -- exit 0
    ");
    let lab = Lab::new(small(), &format!("{SMALL}platforms:\n  - linux-64\n  - osx-arm46\n"));
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[unknown-platform]: there is no platform `osx-arm46`
      --> environment.yml:6:5
      6 |   - osx-arm46
        |     ^^^^^^^^^
      help: did you mean `osx-arm64`?
    -- exit 2
    ");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["--platform", "linxu-64"])), @"
    -- stderr
    error[unknown-platform]: there is no platform `linxu-64`
      help: did you mean `linux-64`?
    -- exit 2
    ");
}

#[test]
fn a_project_in_chinese_is_solved_and_named() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(&envlock_testkit::parse_package("app 1.0").field("summary", "一个软件包"));
    });
    let project = envlock_testkit::Project::named(
        "机器学习 项目",
        BINARY,
        "channels: [conda-forge]\ndependencies:\n  - app  # 应用\nvariables:\n  GREETING: 你好\n",
    );
    let lab = Lab { world, project };
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stdout
    linux-64  1 package  806 B to download at most
    wrote envlock.lock
    -- exit 0
    ");
    assert!(lab.lock().contains("name: 机器学习 项目"), "{}", lab.lock());
    assert_eq!(lab.envlock(&["solve", "--check"]).code, Some(0));
}

#[test]
fn any_order_of_the_file_gives_the_same_bytes() {
    let lab = Lab::new(small(), "");
    let solved = |yml: &str| {
        lab.write_environment(yml);
        lab.solve(&["-q"]).success();
        let lock = lab.lock();
        fs_err::remove_file(lab.project.path("envlock.lock")).unwrap();
        lock
    };
    let first = solved(
        "name: x\nchannels: [conda-forge]\nplatforms: [linux-64, osx-arm64]\n\
         dependencies: [app, lib >=1]\nvariables: {A: '1', B: '2'}\n",
    );
    let second = solved(
        "variables: {B: '2', A: '1'}  # a comment\ndependencies: [lib >=1, app]\n\
         platforms: [osx-arm64, linux-64]\nchannels: [conda-forge]\nname: x\n",
    );
    assert_eq!(first, second);
}
