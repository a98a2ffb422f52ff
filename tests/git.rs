//! The project's folder in a git repository.

use envlock_testkit::TestMirror;

use crate::support::Lab;

const YML: &str = "channels: [conda-forge]\ndependencies: [app]\n";

fn world() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    })
}

#[test]
fn the_folder_of_the_default_prefixes_is_ignored_by_git() {
    let lab = Lab::solved(world(), YML);
    lab.install(&["--dry-run"]).success();
    assert!(!lab.project.path(".envlock").exists());
    lab.install(&["-p", "elsewhere/env"]).success();
    assert!(!lab.project.path("elsewhere/.gitignore").exists());
    lab.install(&[]).success();
    let ignored = lab.project.read(".envlock/.gitignore");
    assert!(ignored.lines().any(|line| line == "*"), "{ignored}");
    // The user's own file is kept.
    lab.project.write(".envlock/.gitignore", "mine\n");
    fs_err::remove_dir_all(lab.prefix()).unwrap();
    lab.install(&[]).success();
    assert_eq!(lab.project.read(".envlock/.gitignore"), "mine\n");
}
