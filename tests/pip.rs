//! The pip section: locked beside the conda packages and installed with them.

use std::process::Command;

use envlock_depot::{Cpython, Wheel, bin_directories};
use envlock_testkit::{
    Fault, Listing, TestIndex, TestMirror, TestProjects, parse_package, parse_wheel,
};

use crate::support::PipLab;

/// A channel with a Python that is only a record, and conda packages that wheels may need.
fn channel() -> TestMirror {
    TestMirror::new().channel("conda-forge", |c| {
        c.package(&parse_package("python 3.10.13 h_0_cpython"));
        c.package(&parse_package("pip 24.0 pyhd_0 | python").noarch_python());
        c.package(&parse_package("numpy 1.24.3 py310_0 | python"));
    })
}

fn yml(lines: &[&str]) -> String {
    let lines = lines.iter().map(|line| format!("    - '{line}'\n")).collect::<Vec<_>>().concat();
    format!(
        "channels: [conda-forge]\ndependencies:\n  - python=3.10\n  - pip\n  - numpy=1.24\n  - pip:\n{lines}"
    )
}

/// The index of most tests.
fn index() -> TestIndex {
    TestIndex::new().projects(|p| {
        p.add("app 1.0 | lib>=1");
        p.add("app 2.0 | lib>=2");
        p.add("lib 1.5");
        p.add("lib 2.1 | numpy>=1.20");
        p.add("numpy 1.26.0");
    })
}

/// Returns a project whose pip section has these lines.
fn lab(index: &TestIndex, lines: &[&str]) -> PipLab {
    PipLab::new(channel(), &yml(lines), index)
}

#[test]
fn wheels_are_locked_with_their_hashes_beside_the_conda_packages() {
    let index = index();
    let lab = lab(&index, &["app"]);
    lab.solve(&["-q"]).success();
    let lock = lab.lock();
    for file in ["app-2.0-py3-none-any.whl", "lib-2.1-py3-none-any.whl"] {
        assert!(lock.contains(file), "{lock}");
    }
    assert!(!lock.contains("numpy-1.26"), "conda has numpy:\n{lock}");
    assert!(!lock.contains("pip-resolved"), "{lock}");
    // Nothing changes, and nothing is asked for twice.
    assert_eq!(lab.solve(&["--check"]).code, Some(0));
    let before = lab.lock();
    lab.solve(&["-q"]).success();
    assert_eq!(lab.lock(), before);
}

#[test]
fn a_locked_version_stays_until_it_is_upgraded() {
    let mut index = index();
    let lab = lab(&index, &["app"]);
    lab.solve(&["-q"]).success();
    index.update_projects(|p| {
        p.add("app 3.0 | lib>=2");
    });
    lab.solve(&["-q"]).success();
    assert!(lab.lock().contains("app-2.0-"));
    lab.solve(&["-q", "--upgrade"]).success();
    assert!(lab.lock().contains("app-3.0-"));
}

#[test]
fn a_conda_package_that_does_not_fit_is_a_conflict_with_both_lines() {
    let index = index();
    let lab = lab(&index, &["numpy>=1.25"]);
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[pip-no-solution]: the pip section doesn't fit the package numpy of conda
      (linux-64)
      --> environment.yml:7:8
      7 |     - 'numpy>=1.25'
        |        ^^^^^^^^^^^
      - environment.yml:5:5: `numpy=1.24` gives numpy 1.24.3
      - Because only numpy<1.25 is available and you require numpy>=1.25, we can
        conclude that your requirements are unsatisfiable.
      help: change one of the lines, or take the package from conda alone
    -- exit 6
    ");
    assert!(!lab.has_lock());
}

#[test]
fn a_package_that_no_index_has_is_named_with_near_ones() {
    let mut index = index();
    index.update_projects(|p| {
        p.add("requests 2.31.0");
    });
    let lab = lab(&index, &["requests-vault-client"]);
    insta::assert_snapshot!(lab.shown(&lab.solve(&["-q"])), @"
    -- stderr
    error[pip-unknown]: no index has a package named `requests-vault-client`
      --> environment.yml:7:8
      7 |     - 'requests-vault-client'
        |        ^^^^^^^^^^^^^^^^^^^^^
      help: did you mean `requests`?
    -- exit 6
    ");
}

#[test]
fn an_index_that_fails_is_not_one_without_the_package() {
    for fault in [Fault::status(503), Fault::status(403), Fault::Html, Fault::Close] {
        let index = index().with_fault("*/simple/lib/*", fault.clone());
        let lab = lab(&index, &["app"]);
        let output = lab.solve(&["-q"]);
        assert_eq!(output.code, Some(3), "{fault:?}: {}", output.stderr);
        assert!(!lab.has_lock(), "{fault:?}");
    }
}

#[test]
fn what_would_be_built_is_refused_at_its_line() {
    let index = index();
    for lines in [
        ["--no-binary app", "app"],
        ["--find-links ./wheels", "app"],
        ["app", "lib @ git+https://forge.example/o/lib.git"],
    ] {
        let lab = lab(&index, &lines);
        let output = lab.solve(&["-q"]);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(output.stderr.contains("pip-not-lockable"), "{}", output.stderr);
        assert!(!lab.has_lock());
    }
}

#[test]
fn a_yanked_file_is_not_chosen() {
    let mut index = index();
    index.update_projects(|p| {
        p.wheel_listed(&parse_wheel("lib 2.2"), Listing::new().yanked("broken"));
    });
    let lab = lab(&index, &["app"]);
    lab.solve(&["-q"]).success();
    assert!(lab.lock().contains("lib-2.1-"));
}

/// A channel with this machine's Python 3.10; none where there is none.
fn python() -> Option<TestMirror> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let home = std::env::home_dir();
    let found = Cpython::find(&bin_directories(&folders, home.as_deref()), [3, 10]).ok()?;
    let python = found.package().expect("a package of the interpreter");
    Some(TestMirror::new().channel("conda-forge", |c| {
        c.package(&python);
        c.package(&parse_package("pip 24.0 pyhd_0 | python").noarch_python());
    }))
}

const REAL: &str =
    "channels: [conda-forge]\ndependencies:\n  - python\n  - pip\n  - pip:\n    - app\n";

fn app() -> Wheel {
    parse_wheel("app 2.0 | lib>=2")
        .console_script("app = app:main")
        .file("app/__init__.py", "import lib\ndef main():\n    print('app', lib.WORD)\n")
}

#[test]
fn an_install_puts_wheels_and_conda_packages_in_place_together() {
    let Some(world) = python() else { return };
    let index = TestIndex::new().projects(|p| {
        p.wheel(&app());
        p.wheel(&parse_wheel("lib 2.1").file("lib.py", "WORD = '你好'\n"));
    });
    let lab = PipLab::new(world, REAL, &index);
    lab.solve(&["-q"]).success();
    lab.install(&["-q"]).success();
    assert_eq!(lab.envlock(&["run", "app"]).success(), "app 你好\n");
    lab.envlock(&["verify", "-q"]).success();
    let up_to_date = lab.install(&[]).success();
    assert!(up_to_date.ends_with("is up to date: 4 packages\n"), "{up_to_date}");

    let script = "import importlib.metadata as m\nfor name in ('app', 'lib'):\n    d = m.distribution(name)\n    print(name, d.version, d.read_text('INSTALLER').strip(), (d.read_text('REQUESTED') is not None), all(f.locate().exists() for f in d.files))";
    let said = Command::new(lab.prefix().join("bin/python")).args(["-c", script]).output();
    let said = String::from_utf8(said.expect("Python runs").stdout).expect("text");
    assert_eq!(said, "app 2.0 envlock True True\nlib 2.1 envlock False True\n");
    let wheels = lab.prefix().join("conda-meta/app-2.0-py3_none_any.wheel");
    assert!(wheels.is_file(), "the record of a wheel isn't one of conda's");
}

#[test]
fn a_wheel_changed_by_a_byte_is_refused_and_the_old_environment_runs_on() {
    let Some(world) = python() else { return };
    let mut index = TestIndex::new().projects(|p| {
        p.wheel(&app());
        p.wheel(&parse_wheel("lib 2.1").file("lib.py", "WORD = 'old'\n"));
    });
    let lab = PipLab::new(world, REAL, &index);
    lab.solve(&["-q"]).success();
    lab.install(&["-q"]).success();
    index.update_projects(|p| {
        p.wheel(&parse_wheel("lib 2.2").file("lib.py", "WORD = 'new'\n"));
    });
    lab.solve(&["-q", "--upgrade"]).success();
    index.add_fault("*/lib-2.2*.whl", Fault::Corrupt);
    let refused = lab.install(&["-q"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(refused.stderr.contains("wrong sha256"), "{}", refused.stderr);
    assert_eq!(lab.envlock(&["run", "-q", "app"]).success(), "app old\n");
}

#[test]
fn hostile_wheels_are_refused_before_the_prefix_is_touched() {
    let Some(world) = python() else { return };
    let cases = [
        parse_wheel("app 2.0").file("../../../../evil.py", "x"),
        parse_wheel("app 2.0").file("/tmp/evil.py", "x"),
        parse_wheel("app 2.0").console_script("../evil = app:main"),
        parse_wheel("app 2.0").console_script("a/b = app:main"),
        parse_wheel("app 2.0").metadata_text("Metadata-Version: 2.1\nName: other\nVersion: 2.0\n"),
    ];
    let mut lab = PipLab::new(world, REAL, &TestIndex::new());
    for wheel in cases {
        let index = TestIndex::new().projects(|p| {
            p.wheel(&wheel);
        });
        lab = lab.with_index(&index);
        let solved = lab.solve(&["-q", "--upgrade"]);
        if solved.code == Some(0) {
            let refused = lab.install(&["-q"]);
            assert_ne!(refused.code, Some(0), "{wheel:?}");
            assert!(!refused.stderr.contains("panicked"), "{}", refused.stderr);
        }
        assert!(!lab.prefix().exists(), "{wheel:?}");
    }
}

/// A project that has installed app and lib.
fn installed() -> Option<(PipLab, TestIndex)> {
    let world = python()?;
    let index = TestIndex::new().projects(|p| {
        p.wheel(&app());
        p.wheel(&parse_wheel("lib 2.1").file("lib.py", "WORD = 'old'\n"));
    });
    let lab = PipLab::new(world, REAL, &index);
    lab.solve(&["-q"]).success();
    lab.install(&["-q"]).success();
    Some((lab, index))
}

#[test]
fn what_is_fetched_is_installed_without_a_network() {
    let Some((lab, index)) = installed() else { return };
    fs_err::remove_dir_all(lab.prefix()).expect("the prefix");
    drop(index);
    lab.install(&["-q", "--offline"]).success();
    assert_eq!(lab.envlock(&["run", "app"]).success(), "app old\n");
}

#[test]
fn a_bundle_has_the_wheels_and_installs_from_its_folder() {
    let Some((lab, index)) = installed() else { return };
    lab.bundle(&["-q", "-o", "bundle"]).success();
    let wheels = lab.project.path("bundle/wheels");
    let mut names: Vec<_> = fs_err::read_dir(&wheels)
        .expect("the wheels")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    assert_eq!(names, ["app-2.0-py3-none-any.whl", "lib-2.1-py3-none-any.whl"]);
    drop(index);
    let lab = lab.env("ENVLOCK_CACHE_DIR", "another cache");
    fs_err::remove_dir_all(lab.prefix()).expect("the prefix");
    let bundle = format!(
        "https://conda.anaconda.org/conda-forge/=file://{}/",
        lab.project.path("bundle").display()
    );
    lab.envlock(&["install", "-q", "--mirror", &bundle, "--no-origin"]).success();
    assert_eq!(lab.envlock(&["run", "app"]).success(), "app old\n");
}

#[test]
fn a_lock_is_made_again_from_the_cache_without_a_network() {
    let index = index();
    let lab = lab(&index, &["app"]);
    lab.solve(&["-q"]).success();
    let lock = lab.lock();
    fs_err::remove_file(lab.project.path("envlock.lock")).expect("the lock");
    drop(index);
    lab.solve(&["-q", "--offline"]).success();
    assert_eq!(lab.lock(), lock);
    lab.write_environment(&yml(&["other"]));
    let output = lab.solve(&["-q", "--offline"]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
}

#[test]
fn verify_sees_a_changed_file_of_a_wheel() {
    let Some((lab, _index)) = installed() else { return };
    let module = lab.prefix().join("lib/python3.10/site-packages/lib.py");
    fs_err::remove_file(&module).expect("the module");
    fs_err::write(&module, "WORD = 'evil'\n").expect("the module");
    let verified = lab.envlock(&["verify"]);
    assert_eq!(verified.code, Some(1));
    assert!(verified.stderr.contains("site-packages/lib.py"), "{}", verified.stderr);
}

#[test]
fn without_pip_the_conda_packages_are_installed_alone() {
    let Some((lab, _index)) = installed() else { return };
    lab.install(&["-q", "--without-pip", "--replace"]).success();
    assert_ne!(lab.envlock(&["run", "-q", "app"]).code, Some(0));
    lab.envlock(&["verify", "-q"]).success();
    lab.install(&["-q"]).success();
    assert_eq!(lab.envlock(&["run", "app"]).success(), "app old\n");
}

#[test]
fn the_lock_is_the_same_through_another_mirror() {
    let index = index();
    let lab = lab(&index, &["app"]);
    lab.solve(&["-q"]).success();
    let lock = lab.lock();
    assert!(!lock.contains("127.0.0.1"), "{lock}");
    let mut html = TestIndex::new().projects(|p| {
        p.add("app 1.0 | lib>=1");
        p.add("app 2.0 | lib>=2");
        p.add("lib 1.5");
        p.add("lib 2.1 | numpy>=1.20");
        p.add("numpy 1.26.0");
    });
    html.update_projects(TestProjects::html_only);
    fs_err::remove_file(lab.project.path("envlock.lock")).expect("the lock");
    let lab = lab.with_index(&html).env("ENVLOCK_CACHE_DIR", "another cache");
    lab.solve(&["-q"]).success();
    assert_eq!(lab.lock(), lock);
}

#[test]
fn a_hash_on_a_line_must_be_that_of_the_file() {
    let index = index();
    let digest = "0".repeat(64);
    let lab = lab(&index, &[&format!("app==1.0 --hash=sha256:{digest}")]);
    let output = lab.solve(&["-q"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("pip-hash"), "{}", output.stderr);
    assert!(!lab.has_lock());
}

#[test]
fn a_private_name_is_never_taken_from_the_public_index_while_its_own_is_down() {
    let public = index();
    let private = TestIndex::new()
        .projects(|p| {
            p.add("lib 9.0");
        })
        .with_fault("/simple/*", Fault::status(503));
    let line = format!("--extra-index-url {}", private.index_url());
    let lab = lab(&public, &[&line, "lib"]);
    // Without `--no-origin`, which forbids the private index.
    let mirrors = lab.world.mirror_args();
    let args: Vec<_> = mirrors.iter().map(String::as_str).filter(|a| *a != "--no-origin").collect();
    let output = lab.envlock(&lab.flags(&[&["solve", "-q"], &args[..]].concat()));
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(!lab.has_lock());
    private.clear_faults();
    lab.envlock(&lab.flags(&[&["solve", "-q"], &args[..]].concat())).success();
    assert!(lab.lock().contains("lib-9.0-"), "{}", lab.lock());
}
