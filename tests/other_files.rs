//! Files of other tools, and environment files that list nothing.

use envlock_testkit::TestMirror;

use crate::support::{Lab, one_line};

const YML: &str = "channels: [conda-forge]\ndependencies: [app]\n";
const CONDA_LOCK: &str = "version: 1\nmetadata:\n  channels:\n  - url: conda-forge\npackage:\n- name: app\n  \
                          dependencies: {}\n";
const PIXI_LOCK: &str = "version: 6\nenvironments:\n  default:\n    channels: []\npackages: []\n";
const EXPLICIT: &str =
    "# platform: linux-64\n@EXPLICIT\nhttps://h.example/linux-64/app-1.0-0.conda\n";

fn lab(environment_yml: &str) -> Lab {
    let world = TestMirror::new().channel("conda-forge", |c| {
        c.add("app 1.0");
    });
    Lab::new(world, environment_yml)
}

#[test]
fn a_lock_of_another_tool_is_named_as_what_it_is_and_stays_unchanged() {
    for (text, name) in [
        (PIXI_LOCK, "a lock file of pixi"),
        (CONDA_LOCK, "a lock file of conda-lock"),
        (EXPLICIT, "an explicit list of packages"),
        ("[[package]]\nname = \"app\"\n", "a lock file of pip, uv or Poetry"),
        (
            "lock-version = \"1.0\"\n[[packages]]\nname = \"app\"\n",
            "a lock file of pip, uv or Poetry",
        ),
        ("{\"metadata\": {}, \"package\": []}\n", "a lock file of conda-lock"),
        ("  @explicit\nhttps://h/c/noarch/a-1-0.conda\n", "an explicit list of packages"),
        ("https://h/c/noarch/a-1-0.conda#0123\n", "an explicit list of packages"),
        ("{\"_meta\": {}, \"default\": {}}", "a lock file of Pipenv"),
        ("app==1.0\n", "a list of requirements"),
        (YML, "an environment.yml"),
    ] {
        let lab = lab(YML);
        lab.project.write("other.lock", text);
        for args in [
            &["solve", "--lock", "other.lock"][..],
            &["solve", "--check", "--lock", "other.lock"],
            &["install", "--lock", "other.lock"],
            &["fetch", "--lock", "other.lock"],
        ] {
            let output = lab.envlock(args);
            let shown = one_line(&output.stderr);
            assert_eq!(output.code, Some(2), "{args:?} {shown}");
            assert!(shown.contains(&format!("other.lock is {name}")), "{args:?} {shown}");
            assert!(!shown.contains("remove"), "{args:?} {shown}");
            assert_eq!(lab.project.read("other.lock"), text);
        }
    }
}

#[test]
fn an_incomplete_lock_of_envlock_is_not_called_a_lock_of_pixi() {
    let lab = lab(YML);
    lab.solve(&["-q"]).success();
    let lock = lab.lock();
    let end = lock.find("\nenvlock:").unwrap();
    lab.project.write("envlock.lock", &lock[..=end]);
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(2));
    assert!(one_line(&output.stderr).contains("git checkout envlock.lock"), "{}", output.stderr);
    assert!(!output.stderr.contains("pixi"), "{}", output.stderr);
}

#[test]
fn a_lock_of_another_tool_is_no_environment_file() {
    for (text, name) in [
        (PIXI_LOCK, "a lock file of pixi"),
        (CONDA_LOCK, "a lock file of conda-lock"),
        (EXPLICIT, "an explicit list of packages"),
        ("[project]\nname = \"app\"\n", "a pyproject.toml"),
        ("lock-version = \"1.0\"\n[[packages]]\nname = \"app\"\n", "a lock file of pip"),
        ("app==1.0\nother>=2\n", "a list of requirements"),
    ] {
        let lab = lab(YML);
        lab.project.write("other.yml", text);
        let output = lab.envlock(&["solve", "-f", "other.yml"]);
        let shown = one_line(&output.stderr);
        assert_eq!(output.code, Some(2), "{shown}");
        assert!(shown.contains(&format!("error[other-format]: other.yml is {name}")), "{shown}");
    }
    let lab = lab(YML);
    lab.solve(&["-q"]).success();
    let output = lab.envlock(&["solve", "-f", "envlock.lock"]);
    assert!(output.stderr.contains("--lock"), "{}", output.stderr);
}

#[test]
fn an_environment_without_dependencies_is_an_error_unless_it_says_so() {
    for (text, place) in [
        ("name: x\nchannels: [conda-forge]\n", "environment.yml:1:1"),
        ("name: x\ndependancies:\n  - app\n", "environment.yml:2:1"),
        ("name: x\nDependencies:\n  - app\n", "environment.yml:2:1"),
        ("name: x\ndependencies:\n", "environment.yml:2:1"),
        ("name: x\ndependencies: ~\n", "environment.yml:2:1"),
    ] {
        let lab = lab(text);
        let output = lab.solve(&["-q"]);
        assert_eq!(output.code, Some(2), "{text}{}", output.stderr);
        assert!(output.stderr.contains("error[no-dependencies]"), "{text}{}", output.stderr);
        assert!(output.stderr.contains(place), "{text}{}", output.stderr);
        assert!(!lab.project.path("envlock.lock").exists());
    }
    let lab = lab("channels: [conda-forge]\ndependencies: []\n");
    lab.solve(&["-q"]).success();
}

#[test]
fn a_pip_key_at_the_top_of_the_file_is_an_error() {
    let lab = lab("channels: [conda-forge]\ndependencies: [app]\npip:\n  - requests\n");
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[misplaced-pip]: `pip` is a key at the top of the file, where its lines
      have no effect
      --> environment.yml:3:1
      3 | pip:
        | ^^^
      help: move it into the list of `dependencies`, as `- pip:` with its lines
            below it
    -- exit 2
    ");
}

#[test]
fn a_regular_expression_is_called_one() {
    for spec in ["pkg ^1\\.7$", "^pk.*$", "pkg=^1\\.7$", "pkg[version='^1\\.(7|8)$']", "pkg ^1/7$"]
    {
        let lab = lab(&format!(
            "channels: [conda-forge]\ndependencies: [\"{}\"]\n",
            spec.replace('\\', "\\\\")
        ));
        let output = lab.solve(&["-q"]);
        assert_eq!(output.code, Some(2), "{spec}{}", output.stderr);
        assert!(output.stderr.contains("is a regular expression"), "{spec}{}", output.stderr);
    }
}
