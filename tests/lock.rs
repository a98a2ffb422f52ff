//! envlock.lock: its eight rules, each by name.

use envlock_testkit::{Subdir, TestMirror};

use crate::support::Lab;

const YML: &str = "channels: [conda-forge]\ndependencies:\n  - app >=1\n";

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0 | lib >=1; __glibc >=2.17");
        c.add("lib 1.2");
        c.add_for(Subdir::OsxArm64, "app 1.0 | lib >=1");
        c.add_for(Subdir::OsxArm64, "lib 1.2");
    })
}

fn solved() -> Lab {
    Lab::solved(world(), YML)
}

#[test]
fn rule_1_the_lock_has_the_origin_for_any_source() {
    let lab = solved();
    let lock = lab.lock();
    assert!(lock.contains("https://conda.anaconda.org/conda-forge/linux-64/app-1.0-0.conda"));
    assert!(!lock.contains("127.0.0.1"), "{lock}");
    // The same by a folder of the mirror's, byte for byte.
    let folder = lab.world.root().join("anaconda/cloud").display().to_string();
    fs_err::remove_file(lab.project.path("envlock.lock")).unwrap();
    let mirror = format!("https://conda.anaconda.org/=file://{folder}/");
    lab.envlock(&["solve", "-q", "--no-origin", "--mirror", &mirror]).success();
    assert_eq!(lab.lock(), lock);
}

#[test]
fn rule_1_a_base_url_that_would_smuggle_the_mirror_in_is_rewritten() {
    let mut world = world();
    let base = format!("{}/linux-64/", world.channel_url("conda-forge"));
    world.update_channel("conda-forge", |c| c.set_info("base_url", base));
    let lab = Lab::solved(world, YML);
    assert_eq!(lab.lock(), solved().lock());
}

#[test]
fn rule_1_a_base_url_at_another_host_is_refused() {
    let mut world = world();
    world.update_channel("conda-forge", |c| c.set_info("base_url", "https://evil.example/x/"));
    let lab = Lab::new(world, YML);
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(3), "{}", output.stdout);
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[index-unavailable]: no source delivers the index of conda-forge/linux-64
      --> environment.yml:1:12
      1 | channels: [conda-forge]
        |            ^^^^^^^^^^^
      | tried:
      |   http://mirror/anaconda/cloud/conda-forge/linux-64/repodata.json:
      |     unreadable: its base_url `https://evil.example/x/` leads away from the
      |     channel, and only the channel's own server may say so
      help: try again later or name another source with `--mirror PREFIX=URL`;
            `--offline` uses what was fetched before

    error[index-unavailable]: no source delivers the index of conda-forge/noarch
      --> environment.yml:1:12
      1 | channels: [conda-forge]
        |            ^^^^^^^^^^^
      | tried:
      |   http://mirror/anaconda/cloud/conda-forge/noarch/repodata.json:
      |     unreadable: its base_url `https://evil.example/x/` leads away from the
      |     channel, and only the channel's own server may say so
      help: try again later or name another source with `--mirror PREFIX=URL`;
            `--offline` uses what was fetched before
    -- exit 3
    ");
    assert!(!lab.project.path("envlock.lock").exists());
}

#[test]
fn rule_2_a_credential_in_a_pip_line_or_a_variable_is_refused_at_its_line() {
    let lab = Lab::new(
        world(),
        &format!(
            "{YML}  - pip:\n    - git+https://me:geheim@github.com/x/y.git\n    \
             - --find-links https://h/?sig=geheim\nvariables:\n  URL: https://me:geheim@h/\n"
        ),
    );
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[pip-credential]: `git+https://me:***@github.com/x/y.git` has a URL with a
      credential
      --> environment.yml:5:7
      5 |     - git+https://me:***@github.com/x/y.git
        |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: write a variable such as `${TOKEN}` instead, because the lock would
            contain the credential; or let pip read it from its keyring or from
            ~/.netrc

    error[pip-credential]: `--find-links https://h/?***` has a URL with a credential
      --> environment.yml:6:7
      6 |     - --find-links https://h/?***
        |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: write a variable such as `${TOKEN}` instead, because the lock would
            contain the credential; or let pip read it from its keyring or from
            ~/.netrc

    error[variable-credential]: the variable `URL` has a URL with a credential
      --> environment.yml:8:8
      8 |   URL: https://me:***@h/
        |   ^^^^^^^^^^^^^^^^^^^^^^
      help: remove it, because the lock would contain it; set the variable where the
            job runs, and declare a need in secrets.yml

    warning[pip-missing]: there is a `pip:` section, but `pip` isn't a dependency
      --> environment.yml:4:5
      4 |   - pip:
        |     ^^^
      help: add `- pip` above it
    -- exit 2
    ");
    assert!(lab.world.requests("*").is_empty(), "before anything is asked");
    assert!(!lab.project.path("envlock.lock").exists());
}

#[test]
fn rule_4_comments_order_and_wider_specs_leave_a_lock_fresh() {
    let lab = Lab::solved(world(), &format!("{YML}  - lib\nvariables: {{A: '1', B: '2'}}\n"));
    for fresh in [
        "# a comment\nvariables: {B: '2', A: '1'}\ndependencies: [lib, app >=1]\nchannels: [conda-forge]\n",
        "channels: [conda-forge]\ndependencies: [lib >=1, app]  # wider and narrower\nvariables: {A: '1', B: '2'}\n",
        "name: project\nchannels: ['https://conda.anaconda.org/conda-forge/']\ndependencies: [lib, app=1.0]\nvariables: {A: '1', B: '2'}\n",
    ] {
        lab.write_environment(fresh);
        lab.world.clear_requests();
        let output = lab.solve(&["--check", "-q"]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{fresh}");
        assert!(lab.world.requests("*").is_empty(), "no network");
    }
    insta::assert_snapshot!(lab.shown(&lab.envlock(&["solve", "--check"])), @"
    -- stdout
    envlock.lock still matches environment.yml
    -- exit 0
    ");
}

#[test]
fn rule_4_each_changed_spec_is_reported_with_its_line() {
    let lab = Lab::solved(world(), &format!("{YML}  - lib\nvariables: {{A: '1', B: '2'}}\n"));
    let before = lab.lock();
    lab.write_environment(
        "name: other\nchannels: [bioconda, conda-forge]\nplatforms: [linux-64, osx-arm64]\n\
         dependencies:\n  - app >=2\n  - new-one\n  - pip:\n    - flask\nvariables: {A: '1', B: '3'}\n",
    );
    let output = lab.envlock(&["solve", "--check"]);
    assert_eq!(output.code, Some(5));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stdout
    envlock.lock no longer matches environment.yml
    -- stderr
    error[stale-lock]: `lib` is no longer requested (linux-64)
      help: run `envlock solve`; `envlock install --frozen` installs it as it is

    error[stale-lock]: the channels were [conda-forge] and are [bioconda,
      conda-forge]
      help: run `envlock solve`; `envlock install --frozen` installs it as it is

    error[stale-lock]: the name was project and is other
      help: run `envlock solve`; `envlock install --frozen` installs it as it is

    error[stale-lock]: the variable B changed
      help: run `envlock solve`; `envlock install --frozen` installs it as it is

    error[stale-lock]: osx-arm64 is requested, but not in the lock
      --> environment.yml:3:23
      3 | platforms: [linux-64, osx-arm64]
        |                       ^^^^^^^^^
      help: run `envlock solve`; `envlock install --frozen` installs it as it is

    error[stale-lock]: `app >=2` is requested, but the lock has app-1.0-0.conda
      (linux-64)
      --> environment.yml:5:5
      5 |   - app >=2
        |     ^^^^^^^
      help: run `envlock solve`; `envlock install --frozen` installs it as it is

    error[stale-lock]: `new-one` is requested, but the lock has no such package
      (linux-64)
      --> environment.yml:6:5
      6 |   - new-one
        |     ^^^^^^^
      help: run `envlock solve`; `envlock install --frozen` installs it as it is

    error[stale-lock]: the pip line `flask` is requested, but not in the lock
      (linux-64)
      --> environment.yml:8:7
      8 |     - flask
        |       ^^^^^
      help: run `envlock solve`; `envlock install --frozen` installs it as it is

    warning[pip-missing]: there is a `pip:` section, but `pip` isn't a dependency
      --> environment.yml:7:5
      7 |   - pip:
        |     ^^^
      help: add `- pip` above it
    -- exit 5
    ");
    assert_eq!(lab.lock(), before);
    assert_eq!(lab.install(&[]).code, Some(5), "install refuses it");
    assert!(!lab.prefix().exists());
}

#[test]
fn rule_4_a_platform_that_is_no_longer_listed_is_reported_with_the_list() {
    let yml = |platforms: &str| {
        format!("channels: [conda-forge]\nplatforms: [{platforms}]\ndependencies: [app]\n")
    };
    let lab = Lab::solved(world(), &yml("linux-64, osx-arm64"));
    lab.write_environment(&yml("linux-64"));
    insta::assert_snapshot!(lab.shown(&lab.envlock(&["solve", "--check"])), @"
    -- stdout
    envlock.lock no longer matches environment.yml
    -- stderr
    error[stale-lock]: osx-arm64 is in the lock, but no longer requested
      --> environment.yml:2:13
      2 | platforms: [linux-64]
        |             ^^^^^^^^
      help: run `envlock solve`; `envlock install --frozen` installs it as it is
    -- exit 5
    ");
}

#[test]
fn rule_4_the_order_of_channels_is_a_change() {
    let world = world().channel("bioconda", |c| {
        c.add("bio 1");
    });
    let lab = Lab::solved(world, "channels: [conda-forge, bioconda]\ndependencies: [app]\n");
    lab.write_environment("channels: [bioconda, conda-forge]\ndependencies: [app]\n");
    let output = lab.envlock(&["solve", "--check", "-q"]);
    assert_eq!(output.code, Some(5));
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stdout
    envlock.lock no longer matches environment.yml
    -- stderr
    error[stale-lock]: the channels were [conda-forge, bioconda] and are [bioconda,
      conda-forge]
      help: run `envlock solve`; `envlock install --frozen` installs it as it is
    -- exit 5
    ");
}

#[test]
fn rule_5_locked_packages_stay_unless_the_index_no_longer_has_them() {
    let mut lab = solved();
    lab.world.update_channel("conda-forge", |c| {
        c.add("app 2.0 | lib >=1");
        c.add("lib 1.9");
    });
    lab.solve(&["-q"]).success();
    assert_eq!(lab.locked("linux-64"), ["app-1.0-0", "lib-1.2-0"]);
    // Another request moves what it must and no more.
    lab.write_environment("channels: [conda-forge]\ndependencies: [app >=2]\n");
    lab.solve(&["-q"]).success();
    assert_eq!(lab.locked("linux-64"), ["app-2.0-0", "lib-1.2-0"]);
    // lib 1.2 is gone from the index.
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 2.0 | lib >=1");
        c.add("lib 1.9");
    });
    let lab = Lab { world, project: lab.project };
    lab.solve(&["-q"]).success();
    assert_eq!(lab.locked("linux-64"), ["app-2.0-0", "lib-1.9-0"]);
}

#[test]
fn rule_6_virtual_packages_are_fixed_until_set_and_then_stay() {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("gpu 1.0 cpu_0");
        c.add("gpu 2.0 cuda_0 | __cuda >=12");
    });
    let lab = Lab::new(world, "channels: [conda-forge]\ndependencies: [gpu]\n");
    let solved = |args: &[&str]| {
        lab.solve(&[&["-q"], args].concat()).success();
        let cuda: Vec<_> =
            lab.lock().lines().filter(|line| line.contains("__cuda=")).map(str::to_owned).collect();
        (lab.locked("linux-64").remove(0), cuda.concat().trim().to_owned())
    };
    let (gpu, cpu) = ("gpu-2.0-cuda_0".to_owned(), "gpu-1.0-cpu_0".to_owned());
    assert_eq!(solved(&[]), (cpu.clone(), String::new()));
    let cuda = "- __cuda=12.2=0".to_owned();
    // What is locked stays; with another assumption it may be better to solve anew.
    fs_err::remove_file(lab.project.path("envlock.lock")).unwrap();
    assert_eq!(solved(&["--virtual-package", "__cuda=12.2"]), (gpu.clone(), cuda.clone()));
    assert_eq!(solved(&[]), (gpu, cuda), "what was set stays");
    assert_eq!(solved(&["--virtual-package", "default"]), (cpu, String::new()));
}

#[test]
fn rule_6_condas_overrides_set_them_too_and_the_flag_wins() {
    let yml = "channels: [conda-forge]\ndependencies: [app]\n";
    let lab = Lab::new(world(), yml).env("CONDA_OVERRIDE_CUDA", "11.8");
    lab.solve(&["-q"]).success();
    assert!(lab.lock().contains("- __cuda=11.8=0\n"), "{}", lab.lock());
    lab.solve(&["-q", "--virtual-package", "__cuda=12.4"]).success();
    assert!(lab.lock().contains("- __cuda=12.4=0\n"), "{}", lab.lock());
}

#[test]
fn rule_6_the_machine_that_solves_does_not_matter_unless_it_is_asked_for() {
    let lab = Lab::new(world(), YML).env("CONDA_OVERRIDE_GLIBC", "2.99");
    lab.solve(&["-q", "--virtual-package", "default", "--virtual-package", "__glibc=2.28"])
        .success();
    assert_eq!(lab.lock(), solved().lock());
    lab.solve(&["-q", "--virtual-package", "host"]).success();
    assert!(lab.lock().contains("- __glibc=2.99=0\n"), "{}", lab.lock());
}

#[test]
fn rule_7_a_variable_named_ci_changes_nothing() {
    let plain = Lab::new(world(), YML);
    let ci = Lab::new(world(), YML).env("CI", "true").env("GITHUB_ACTIONS", "true");
    assert_eq!(plain.shown(&plain.solve(&[])), ci.shown(&ci.solve(&[])));
    assert_eq!(plain.lock(), ci.lock());
}

#[test]
fn a_lock_that_cannot_be_read_is_never_written_over() {
    let lab = Lab::new(world(), YML);
    lab.project.write("envlock.lock", "something: else\n");
    assert_eq!(lab.solve(&["-q"]).code, Some(2));
    assert_eq!(lab.lock(), "something: else\n");
}

#[test]
fn the_lock_does_not_depend_on_the_formats_of_index_and_archives() {
    let lock = |tell: fn(&mut envlock_testkit::TestChannel)| {
        let world = TestMirror::new().channel("conda-forge", |c| {
            tell(c);
            c.add("app 1.0 | lib");
            c.add("lib 1.2");
        });
        Lab::solved(world, YML).lock()
    };
    let both = lock(|_| {});
    assert_eq!(lock(envlock_testkit::TestChannel::json_only), both);
    assert_eq!(lock(envlock_testkit::TestChannel::zst_only), both);
    let old = lock(envlock_testkit::TestChannel::tar_bz2);
    assert!(old.contains("linux-64/lib-1.2-0.tar.bz2\n"), "{old}");
}
