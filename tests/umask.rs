//! The permissions of an environment under different umasks.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use envlock_testkit::{Output, TestMirror, parse_package};

use crate::support::{BINARY, Lab};

fn lab() -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.package(
            &parse_package("app 1.0 | lib").executable("bin/app", "#!/bin/sh\necho app 1.0\n"),
        );
        c.tar_bz2();
        c.package(&parse_package("lib 1.2").prefix_text("etc/lib.conf", "root = {PREFIX}\n"));
    });
    Lab::solved(world, "channels: [conda-forge]\ndependencies: [app]\n")
}

/// Runs the program with a umask.
fn with_umask(lab: &Lab, umask: u32, command: &str) -> Output {
    let envlock = lab.project.command([""; 0]);
    let variables = envlock.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mirrors = if command == "install" { lab.world.mirror_args() } else { Vec::new() };
    Command::new("sh")
        .args(["-c", &format!("umask {umask:04o}; exec \"$@\""), "sh", BINARY, command, "-q"])
        .args(mirrors)
        .env_clear()
        .envs(variables)
        .current_dir(lab.project.root())
        .output()
        .unwrap()
        .into()
}

/// The permissions of everything below a folder, relative to it. Links have none.
fn modes(root: &Path) -> BTreeMap<PathBuf, u32> {
    let mut modes = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs_err::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            if !metadata.is_symlink() {
                let path = path.strip_prefix(root).unwrap().to_owned();
                modes.insert(path, metadata.permissions().mode() & 0o7777);
            }
        }
    }
    modes
}

#[test]
fn an_environment_has_the_same_permissions_under_every_umask_except_those_that_it_masks() {
    let mut unmasked = BTreeMap::new();
    for umask in [0o000, 0o022, 0o077] {
        let lab = lab();
        let output = with_umask(&lab, umask, "install");
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let found = modes(&lab.prefix());
        if umask == 0 {
            assert_eq!(found[Path::new("bin/app")], 0o755);
            unmasked.clone_from(&found);
        }
        let expected: BTreeMap<_, _> =
            unmasked.iter().map(|(path, mode)| (path.clone(), mode & !umask)).collect();
        assert_eq!(found, expected, "{umask:04o}");
        let output = with_umask(&lab, umask, "verify");
        assert_eq!(output.code, Some(0), "{}", output.stderr);
    }
}
