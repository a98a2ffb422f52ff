//! `envlock demo`: the main job, from nothing.

use std::process::Command;

use envlock_testkit::Project;

use crate::support::BINARY;

/// Only where the machine has a Python that the demo can be made of.
fn has_python(project: &Project) -> bool {
    let folders =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let folders = envlock_depot::bin_directories(&folders, Some(&project.home()));
    envlock_depot::Cpython::find(&folders, [3, 10]).is_ok()
}

#[test]
fn the_demo_runs_twice_and_leaves_a_python_that_is_its_own() {
    let project = Project::new(BINARY, "").env("HOME", std::env::var("HOME").unwrap_or_default());
    if !has_python(&project) {
        return;
    }
    let said = project.envlock(["demo"]).success();
    for command in ["solve --mirror", "install --mirror", "run -- python", "run -- greet", "verify"]
    {
        assert!(said.contains(&format!("$ envlock {command}")), "{command}: {said}");
    }
    assert!(said.contains("GREETING is 你好\n"), "{said}");
    project.envlock(["demo"]).success();

    // What it says at the end works without its server, in its folder.
    let (_, afterwards) = said.rsplit_once("$ envlock ").unwrap();
    let words = shlex::split(afterwards).unwrap();
    let mut again = project.command(&words);
    let again = again.current_dir(project.path("envlock-demo")).output().unwrap();
    let told = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(again.status.success() && told.contains("up to date"), "{words:?}: {again:?}");

    let prefix = project.path("envlock-demo/.envlock/demo");
    let python = prefix.join("bin/python");
    let version = Command::new(&python).arg("-V").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let made_of = said.lines().find_map(|line| line.split_once("Python ")?.1.split_once(" from "));
    let (number, _) = made_of.unwrap();
    assert_eq!(version, format!("Python {number}\n"));

    let origin = said.split_once(" from ").unwrap().1.split_once(",\n").unwrap().0;
    let origin = std::path::Path::new(origin).parent().unwrap().parent().unwrap();
    let maps = Command::new(&python)
        .args(["-c", "import ssl, sqlite3, ctypes, zlib; print(open('/proc/self/maps').read())"])
        .output()
        .unwrap();
    let maps = String::from_utf8(maps.stdout).unwrap();
    assert!(maps.contains(&prefix.display().to_string()), "{maps}");
    let origin = format!(" {}/", origin.display());
    // A Python of the system shares its libraries with every other program.
    if origin != " /usr/" {
        assert!(!maps.contains(&origin), "{maps}");
    }
}

#[test]
fn a_folder_with_other_files_is_not_changed() {
    let project = Project::new(BINARY, "");
    project.write("envlock-demo/mine", "x");
    let output = project.envlock(["demo"]);
    assert_eq!(project.read("envlock-demo/mine"), "x");
    assert_ne!(output.code, Some(0));
    assert!(output.stderr.starts_with("error["), "{}", output.stderr);
}

#[test]
fn a_folder_with_other_files_is_an_error_before_any_output() {
    let project = Project::new(BINARY, "");
    project.write("full/thesis.txt", "x");
    project.write("file", "x");
    for folder in ["full", "file"] {
        let output = project.envlock(["demo", "--folder", folder]);
        assert_eq!(output.code, Some(2), "{}{}", output.stdout, output.stderr);
        assert_eq!(output.stdout, "");
        let said = "exists and wasn't made by the demo";
        assert!(output.stderr.split_whitespace().collect::<Vec<_>>().join(" ").contains(said));
    }
}
