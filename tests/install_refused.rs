//! What `envlock install` refuses, and what lets it go on all the same.

use envlock_testkit::{Subdir, TestMirror, files_containing, parse_package};

use crate::support::Lab;

const YML: &str = "channels: [conda-forge]\ndependencies: [app]\n";

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.package(
            &parse_package("app 1.0 | lib").executable("bin/app", "#!/bin/sh\necho app 1.0\n"),
        );
        c.add("lib 1.2");
    })
}

fn app(lab: &Lab) -> String {
    lab.envlock(&["run", "app"]).success()
}

#[test]
fn a_stale_lock_is_an_error_unless_frozen_is_set() {
    let lab = Lab::solved(world(), YML);
    lab.write_environment(&YML.replace("[app]", "[app >=2]"));
    let output = lab.install(&[]);
    assert_eq!(output.code, Some(5));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[stale-lock]: `app >=2` is requested, but the lock has app-1.0-0.conda
      (linux-64)
      --> environment.yml:2:16
      2 | dependencies: [app >=2]
        |                ^^^^^^^
      help: run `envlock solve`; `envlock install --frozen` installs it as it is
    -- exit 5
    ");
    assert!(!lab.project.path(".envlock").exists());
    lab.install(&["-q", "--frozen"]).success();
    assert_eq!(app(&lab), "app 1.0\n");
}

#[test]
fn a_lock_may_travel_without_its_environment_file() {
    let lab = Lab::solved(world(), YML);
    fs_err::remove_file(lab.project.path("environment.yml")).unwrap();
    lab.install(&["-q"]).success();
    assert_eq!(app(&lab), "app 1.0\n");
}

#[test]
fn another_platform_is_refused() {
    let lab = Lab::solved(world(), YML);
    let output = lab.install(&["--platform", "osx-arm64"]);
    assert_eq!(output.code, Some(2));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[other-platform]: osx-arm64 can't be installed on this machine, which is
      linux-64
      help: leave `--platform` out, or install on a machine of the platform
            osx-arm64
    -- exit 2
    ");
    let mut world = world();
    world.update_channel("conda-forge", |c| {
        c.add_for(Subdir::Win64, "app 1.0");
    });
    let lab = Lab::new(world, YML);
    lab.solve(&["-q", "--platform", "win-64"]).success();
    let output = lab.install(&[]);
    assert_eq!(output.code, Some(2));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[platform-not-locked]: the lock has no packages for linux-64, only for
      win-64
      help: add it: `envlock solve --platform win-64 --platform linux-64`
    -- exit 2
    ");
}

#[test]
fn a_machine_without_required_virtual_packages_is_an_error() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0 | __glibc >=2.28");
        c.add("gpu 1.0 | __cuda >=12");
    });
    let lab = Lab::new(world, "channels: [conda-forge]\ndependencies: [app, gpu]\n");
    lab.solve(&["-q", "--virtual-package", "__cuda=12.2"]).success();
    let lab = lab.env("CONDA_OVERRIDE_GLIBC", "2.17").env("CONDA_OVERRIDE_CUDA", "");
    let output = lab.install(&[]);
    assert_eq!(output.code, Some(1));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[unmet-virtual-packages]: this machine lacks what the lock requires
      - app needs __glibc >=2.28; this machine has 2.17
      - gpu needs __cuda >=12; this machine has none
      help: install on a machine that has it; or, if the target machine has it, set
            `CONDA_OVERRIDE_…` (such as CONDA_OVERRIDE_CUDA=12.2)
    -- exit 1
    ");
    assert!(!lab.prefix().exists());
    let lab = lab.env("CONDA_OVERRIDE_GLIBC", "2.35").env("CONDA_OVERRIDE_CUDA", "12.2");
    lab.install(&["-q"]).success();
}

#[test]
fn a_pip_section_without_wheels_is_an_error_unless_it_is_skipped() {
    let conda = "channels: [conda-forge]\ndependencies:\n  - app\n";
    let lab = Lab::solved(world(), conda);
    lab.write_environment(&format!("{conda}  - pip:\n    - requests==2.31\n"));
    // As earlier versions made it.
    let specs = "        specs:\n        - app\n";
    let pip = "        pip:\n        - requests==2.31\n        pip-resolved: false\n";
    let lock = lab.lock();
    assert!(lock.contains(specs), "{lock}");
    lab.project.write("envlock.lock", lock.replace(specs, &format!("{specs}{pip}")));
    assert_eq!(lab.install(&["-q"]).code, Some(5));
    let output = lab.install(&["-q", "--frozen"]);
    assert_eq!(output.code, Some(1));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[pip-skipped]: the lock doesn't resolve the pip section: 1 line would be
      missing
      - not in the lock: requests==2.31
      help: install the conda packages alone with `--without-pip`
    -- exit 1
    ");
    assert!(!lab.prefix().exists());
    insta::assert_snapshot!(lab.shown(&lab.install(&["-q", "--frozen", "--without-pip"])), @"
    -- stdout
    installed 2 packages, 2 files, into ~/project/.envlock/project
    -- exit 0
    ");
    assert_eq!(app(&lab), "app 1.0\n");
}

#[test]
fn a_package_that_would_write_outside_is_refused_and_nothing_is_written() {
    let mut lab = Lab::solved(world(), YML);
    lab.install(&["-q"]).success();
    lab.world.update_channel("conda-forge", |c| {
        c.package(&parse_package("app 2.0").file_with_raw_path("../../../../escaped", "x"));
    });
    lab.write_environment(&YML.replace("[app]", "[app >=2]"));
    lab.solve(&["-q"]).success();
    let output = lab.install(&["-q"]);
    assert_eq!(output.code, Some(3));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[package-malformed]: app-2.0-0.conda can't be unpacked:
      `../../../../escaped` leads out of its folder
      - its sha256 is that of its record, so its channel has it like this; nothing
        was changed
      help: request another build of it, and report it to the maintainers of the
            channel
    -- exit 3
    ");
    let around = lab.project.root().parent().unwrap().to_owned();
    assert!(!files_containing(&around, "escaped").iter().any(|p| p.ends_with("escaped")));
    assert_eq!(app(&lab), "app 1.0\n");
}

#[test]
fn a_package_whose_link_leads_out_is_refused() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(&parse_package("app 1.0").symlink("share/out", "../../../.."));
    });
    let lab = Lab::solved(world, "channels: [conda-forge]\ndependencies: [app]\n");
    let output = lab.install(&["-q"]);
    assert_eq!(output.code, Some(1));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[hostile-package]: app-1.0-0 is refused: `share/out` is a symbolic link
      that leads out of the prefix, to `../../../..`
      help: don't install this package; report it to the channel that serves it
    -- exit 1
    ");
    assert!(!lab.prefix().exists());
}

#[test]
fn an_unwritable_folder_is_an_error() {
    let lab = Lab::solved(world(), YML);
    let output = lab.install(&["-q", "-p", "/sys/env"]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.starts_with("error["), "{}", output.stderr);
    assert!(output.stderr.contains("-p"), "{}", output.stderr);
}

#[test]
fn a_folder_of_prefixes_that_leads_out_of_the_project_is_refused_and_nothing_is_written_there() {
    let lab = Lab::solved(world(), YML);
    let outside = lab.project.home().join("outside");
    fs_err::create_dir(&outside).unwrap();
    let link = lab.project.path(".envlock");
    for target in [outside.as_path(), &outside.join("absent"), std::path::Path::new("..")] {
        std::os::unix::fs::symlink(target, &link).unwrap();
        for args in [&["-q"][..], &["-q", "--replace"], &["-q", "--dry-run"]] {
            let output = lab.install(args);
            assert_eq!(output.code, Some(2), "{}", output.stderr);
            let text = crate::support::one_line(&output.stderr);
            assert!(text.contains("is a symbolic link that leads out of the project"), "{text}");
        }
        for command in [&["verify", "-q"][..], &["run", "app"]] {
            assert_eq!(lab.envlock(command).code, Some(2), "{command:?}");
        }
        assert_eq!(fs_err::read_dir(&outside).unwrap().count(), 0);
        fs_err::remove_file(&link).unwrap();
    }
    fs_err::create_dir(lab.project.path("prefixes")).unwrap();
    std::os::unix::fs::symlink("prefixes", &link).unwrap();
    lab.install(&["-q"]).success();
    assert_eq!(app(&lab), "app 1.0\n");
}
