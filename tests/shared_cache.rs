//! A cache that a user may read and not write, and a cache that a group shares.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use envlock_testkit::{Output, TestMirror};

use crate::support::{BINARY, Lab};

const YML: &str = "channels: [conda-forge]\ndependencies: [app]\n";
/// The number of the user `nobody` on most systems.
const NOBODY: &str = "65534";

fn mirror() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0 | lib");
        c.add("lib 1.0");
    })
}

/// Whether this process may write everywhere: permissions don't hold for root.
fn is_root() -> bool {
    let folder = tempfile::tempdir().unwrap();
    chmod(folder.path(), 0o500);
    fs_err::write(folder.path().join("file"), "").is_ok()
}

fn chmod(path: &Path, mode: u32) {
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Sets the mode of a folder and of all folders in it; files get the mode without `x`.
fn chmod_all(folder: &Path, mode: u32) {
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_symlink() {
        } else if path.is_dir() {
            chmod_all(&path, mode);
        } else {
            chmod(&path, mode & 0o666);
        }
    }
    chmod(folder, mode);
}

/// Runs envlock with the test's mirror as a user for whom permissions hold. `None` if that isn't
/// possible on this machine.
fn as_user(lab: &Lab, command: &str, args: &[&str]) -> Option<Output> {
    let mirrors = lab.world.mirror_args();
    let mirrors: Vec<&str> = mirrors.iter().map(String::as_str).collect();
    let args = [&[command][..], &mirrors, args].concat();
    let mut plain = lab.project.command(&args);
    if !is_root() {
        return Some(plain.output().unwrap().into());
    }
    let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")];
    let setpriv = || {
        let mut command = Command::new("setpriv");
        command.args(&ids).arg("--clear-groups").arg(BINARY);
        command
    };
    if !setpriv().arg("--version").output().is_ok_and(|output| output.status.success()) {
        envlock_testkit::skip_test("no other user can run the program here");
        return None;
    }
    let mut command = setpriv();
    command.args(&args).current_dir(lab.project.root()).env_clear();
    let set = plain.get_envs().filter_map(|(name, value)| Some((name, value?)));
    command.envs(set);
    Some(command.output().unwrap().into())
}

/// A lab whose packages are in the cache, and whose cache only its owner may write.
fn with_read_only_cache() -> Lab {
    let lab = Lab::solved(mirror(), YML);
    lab.with_mirrors("fetch", &["-q"]).success();
    chmod_all(&lab.project.root(), 0o777);
    let outside = lab.project.root().parent().map(Path::to_owned);
    if let Some(folder) = outside {
        chmod(&folder, 0o777);
    }
    chmod_all(&lab.project.home(), 0o777);
    chmod_all(&lab.project.cache(), 0o555);
    lab
}

#[test]
fn with_a_read_only_cache_solve_install_and_doctor_work() {
    let mut lab = with_read_only_cache();
    let Some(output) = as_user(&lab, "solve", &["-q"]) else { return };
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let output = as_user(&lab, "install", &["-q"]).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let output = as_user(&lab, "doctor", &[]).unwrap();
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("is read-only"), "{}", output.stdout);

    // An index that changed is used and not stored, with a note.
    lab.world.update_channel("conda-forge", |c| {
        c.add("app 2.0 | lib");
    });
    let output = as_user(&lab, "solve", &["--upgrade"]).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("note[cache-read-only]"), "{}", output.stderr);
    assert!(lab.lock().contains("app-2.0-0.conda"), "{}", lab.lock());

    // A package that the cache lacks can't be added.
    let output = as_user(&lab, "install", &["-q"]).unwrap();
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.contains("cache-unusable"), "{}", output.stderr);
    chmod_all(&lab.project.cache(), 0o777);
}

#[test]
fn the_second_user_of_a_group_adds_to_the_cache_of_the_first() {
    let lab = Lab::new(mirror(), YML);
    // The administrator makes the folder; the users have the usual umask, 022.
    fs_err::create_dir_all(lab.project.cache()).unwrap();
    chmod(&lab.project.cache(), 0o777);
    lab.with_mirrors("solve", &["-q"]).success();
    for folder in ["index", "tmp"] {
        let mode = fs_err::metadata(lab.project.cache().join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o777, "{folder}");
    }
    let mut indexes = fs_err::read_dir(lab.project.cache().join("index")).unwrap();
    let is_readable = |entry: std::io::Result<fs_err::DirEntry>| {
        entry.unwrap().metadata().unwrap().permissions().mode() & 0o444 == 0o444
    };
    assert!(indexes.all(is_readable));

    fs_err::remove_file(lab.project.path("envlock.lock")).unwrap();
    for folder in [lab.project.root().parent().unwrap(), &lab.project.root()] {
        chmod(folder, 0o777);
    }
    chmod_all(&lab.project.home(), 0o777);
    let Some(output) = as_user(&lab, "solve", &["-q"]) else { return };
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let output = as_user(&lab, "install", &["-q"]).unwrap();
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(lab.project.cache().join("pkgs").is_dir());
}
