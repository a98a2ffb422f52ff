//! What a machine is assumed to have: said, kept, and compared with the machine.

use envlock_testkit::TestMirror;

use crate::support::Lab;

const YML: &str = "channels: [conda-forge]\nplatforms: [linux-64]\ndependencies: [app]\n";

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    })
}

#[test]
fn a_word_is_no_version_of_a_virtual_package() {
    let lab = Lab::new(world(), YML).env("CONDA_OVERRIDE_CUDA", "garbage");
    let output = lab.solve(&[]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("CONDA_OVERRIDE_CUDA=garbage"), "{}", output.stderr);
    assert!(!lab.project.path("envlock.lock").exists());
}

#[test]
fn two_versions_of_one_virtual_package_are_refused() {
    let lab = Lab::new(world(), YML);
    let output = lab.solve(&["--virtual-package", "__cuda=1", "--virtual-package", "__cuda=2"]);
    insta::assert_snapshot!(lab.shown(&output), @"
    -- stderr
    error[virtual-package-unusable]: `__cuda=1` contradicts `__cuda=2`: keep one of
      them
    -- exit 2
    ");
}

#[test]
fn settings_are_kept_with_a_note_until_they_are_reset() {
    let lab = Lab::new(world(), YML);
    let cuda = ["--virtual-package", "__cuda=12.2"];
    lab.solve(&cuda).success();
    insta::assert_snapshot!(lab.shown(&lab.solve(&[])), @"
    -- stdout
    linux-64  1 package  942 B to download at most
    envlock.lock is up to date
    -- stderr
        index  2 indexes, 0 B fetched
        solve  1 package
    note[virtual-packages-kept]: linux-64 is still assumed to have __cuda=12.2=0
      - the lock keeps it from an earlier run
      help: `envlock solve --virtual-package default` restores the defaults
    -- exit 0
    ");
    assert!(!lab.solve(&cuda).stderr.contains("still assumed"), "set in this run");
    lab.solve(&["--virtual-package", "default"]).success();
    assert!(!lab.lock().contains("__cuda"));
    assert!(!lab.solve(&[]).stderr.contains("still assumed"));
}

#[test]
fn an_assumed_virtual_package_that_the_machine_lacks_is_a_warning() {
    let lab = Lab::new(world(), YML).env("CONDA_OVERRIDE_CUDA", "");
    let set = ["--virtual-package", "__glibc=99.0", "--virtual-package", "__cuda=12.2"];
    lab.solve(&set).success();
    let output = lab.install(&["-q"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    insta::assert_snapshot!(output.stderr, @"
    warning[virtual-packages-differ]: the lock was made for a machine with
      __cuda=12.2=0, __glibc=99.0=0
      - this machine doesn't have it; no package depends on it by name, but one may
        have been built for it
      help: `envlock solve --virtual-package default` makes a lock for the default
            assumptions
    ");
}
