//! The index, its wheels and its sdists as pip takes them: pip is right, not our reading of the
//! standards.

use std::path::{Path, PathBuf};
use std::process::Command;

use envlock_depot::{Cpython, bin_directories, demo_wheels};
use tempfile::TempDir;

use super::*;
use crate::tell::tell;
use crate::{ListedMetadata, Listing, Output, Sdist, Wheel};

type Edit = fn(&mut TestProjects);

/// What each install has in common. Compiling takes longer than all the rest.
const INSTALL: [&str; 3] = ["install", "--no-cache-dir", "--no-compile"];

/// An environment without packages, into which the pip of a CPython 3.10 installs.
struct Pip {
    /// The file that runs pip for the interpreter that executes it (since pip 22.3).
    runner: PathBuf,
    directory: TempDir,
}

impl Pip {
    /// Creates an environment; `None` if this machine has no CPython 3.10 with such a pip.
    fn new() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path: Vec<_> = std::env::split_paths(&path).collect();
        let directories = bin_directories(&path, std::env::home_dir().as_deref());
        let found = Cpython::find(&directories, [3, 10]).ok();
        let python = found.filter(|found| found.is_requested_version)?.executable;
        let directory = tempfile::tempdir().unwrap();
        let code = "import sys, venv, pip; venv.create(sys.argv[1]); print(pip.__path__[0])";
        let venv = directory.path().join("venv");
        let made = Command::new(python).args(["-I", "-c", code]).arg(venv).output().unwrap();
        let pip = String::from_utf8(made.stdout).unwrap();
        let runner = Path::new(pip.trim_end()).join("__pip-runner__.py");
        runner.exists().then_some(Self { runner, directory })
    }

    fn venv(&self) -> PathBuf {
        self.directory.path().join("venv")
    }

    /// A command that reads nothing of this machine's settings.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.directory.path())
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("PIP_NO_INPUT", "1")
            .env("PIP_RETRIES", "0");
        command
    }

    /// Runs pip for the environment.
    fn pip(&self, args: &[&str]) -> Output {
        let mut command = self.command(&self.venv().join("bin/python"));
        command.arg(&self.runner).args(args).output().unwrap().into()
    }

    /// Installs requirements from an index.
    fn install(&self, index: &TestIndex, requirements: &[&str]) -> Output {
        self.pip(&[&INSTALL[..], &["--index-url", &index.index_url()], requirements].concat())
    }

    /// Runs a program of the environment and returns what it prints.
    fn run(&self, program: &str, args: &[&str]) -> String {
        let program = self.venv().join("bin").join(program);
        Output::from(self.command(&program).args(args).output().unwrap()).success()
    }

    /// Returns `NAME-VERSION` of what is installed, sorted.
    fn installed(&self) -> Vec<String> {
        let library = fs_err::read_dir(self.venv().join("lib/python3.10/site-packages")).unwrap();
        let names = library.map(|item| item.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> =
            names.filter_map(|name| Some(name.strip_suffix(".dist-info")?.to_owned())).collect();
        names.sort();
        names
    }
}

/// Creates an environment, or ends the test with a message.
macro_rules! pip_or_skip {
    ($test:expr) => {
        match Pip::new() {
            Some(pip) => pip,
            None => return tell(concat!("skipped: ", $test, " (no CPython 3.10 with pip)")),
        }
    };
}

/// Returns what a failed run printed.
#[track_caller]
fn failure(output: Output) -> String {
    assert_ne!(output.code, Some(0), "\n{}{}", output.stdout, output.stderr);
    output.stdout + &output.stderr
}

fn demo() -> TestIndex {
    TestIndex::new().projects(|p| {
        for wheel in demo_wheels() {
            p.wheel(&wheel);
        }
    })
}

#[test]
fn pip_installs_the_demo_from_each_form_and_from_a_flat_page() {
    let forms: [(&str, Edit); 2] =
        [("html", TestProjects::html_only), ("json", TestProjects::json_only)];
    for (form, set) in forms {
        let pip = pip_or_skip!("pip_installs_the_demo_from_each_form_and_from_a_flat_page");
        let index = demo().projects(set);
        pip.install(&index, &["greet-pip"]).success();
        assert_eq!(index.requests("/simple/greet-pip-words/").len(), 1);
        let said = pip.run("greet-pip", &["你"]);
        let prefix = pip.venv();
        let prefix = prefix.display();
        let expected = format!(
            "Servus, 你!\ngreet-pip 1.0.0 in {prefix}\ngreet-pip-words 1.1.0 in {prefix}\n"
        );
        assert_eq!(said, expected, "{form}");
        assert_eq!(pip.installed(), ["greet_pip-1.0.0", "greet_pip_words-1.1.0"]);
        pip.pip(&["check"]).success();
        // Every hash of RECORD is right, also after pip has rewritten it.
        pip.pip(&["uninstall", "--yes", "greet-pip", "greet-pip-words"]).success();
        let flat = index.find_links_url();
        pip.pip(&[&INSTALL[..], &["--no-index", "--find-links", &flat, "greet-pip"]].concat())
            .success();
        assert_eq!(pip.installed().len(), 2);
    }
}

#[test]
fn pip_puts_the_files_of_each_scheme_in_their_places() {
    let pip = pip_or_skip!("pip_puts_the_files_of_each_scheme_in_their_places");
    let wheel = Wheel::new("schemes", "1")
        .data_file("data", "share/schemes/data.txt", "data")
        .data_file("headers", "schemes.h", "int x;")
        .data_file("purelib", "schemes_pure.py", "")
        .script("run-schemes", "#!python\nimport sys; print(sys.prefix)\n")
        .executable("schemes/tool", "#!/bin/sh\n")
        .file("schemes/文, \"x\".txt", "text")
        .gui_script("schemes-window = builtins:print");
    let index = TestIndex::new().projects(|p| {
        p.wheel(&wheel);
    });
    pip.install(&index, &["schemes"]).success();
    let venv = pip.venv();
    assert_eq!(pip.run("run-schemes", &[]), format!("{}\n", venv.display()));
    let library = venv.join("lib/python3.10/site-packages");
    for path in ["share/schemes/data.txt", "include/site/python3.10/schemes/schemes.h"] {
        assert!(venv.join(path).exists(), "{path}");
    }
    assert!(venv.join("bin/schemes-window").exists());
    assert!(library.join("schemes_pure.py").exists());
    let mode = |path: &str| {
        use std::os::unix::fs::PermissionsExt;
        fs_err::metadata(library.join(path)).unwrap().permissions().mode()
    };
    assert_ne!(mode("schemes/tool") & 0o100, 0);
    assert_eq!(mode("schemes/文, \"x\".txt") & 0o100, 0);
}

#[test]
fn pip_builds_an_sdist_with_its_own_backend_and_nothing_else() {
    let pip = pip_or_skip!("pip_builds_an_sdist_with_its_own_backend_and_nothing_else");
    let sdist = |name| {
        Sdist::new(name, "2.0")
            .requires_python(">=3.8")
            .requires_dist(["idna>=3"])
            .console_script(format!("{name} = {name}:main"))
            .file(&format!("src/{name}.py"), "def main(): print('built')\n")
    };
    let index = TestIndex::new().projects(|p| {
        p.add("idna 3.4");
        p.sdist(&sdist("static"));
        p.sdist(&sdist("dynamic").dynamic("Requires-Dist"));
    });
    pip.install(&index, &["static", "dynamic"]).success();
    assert_eq!(pip.installed(), ["dynamic-2.0", "idna-3.4", "static-2.0"]);
    assert_eq!(
        (pip.run("static", &[]), pip.run("dynamic", &[])),
        ("built\n".into(), "built\n".into())
    );
    pip.pip(&["check"]).success();
    let packages = index.requests("/simple/*").len();
    assert_eq!(packages, 3, "a build asks the index for nothing");
}

#[test]
fn a_build_can_fail_and_can_need_other_packages() {
    let pip = pip_or_skip!("a_build_can_fail_and_can_need_other_packages");
    let fails = Sdist::new("fails", "1").before_build("raise RuntimeError('no compiler')");
    let needs = Sdist::new("needs", "1").build_requires(["helper"]).before_build("import helper");
    let index = TestIndex::new().projects(|p| {
        p.add("helper 1");
        p.sdist(&fails);
        p.sdist(&needs);
    });
    assert!(failure(pip.install(&index, &["fails"])).contains("no compiler"));
    pip.install(&index, &["needs"]).success();
    assert_eq!(pip.installed(), ["needs-1"]);
}

#[test]
fn pip_installs_a_tree_also_as_editable() {
    let pip = pip_or_skip!("pip_installs_a_tree_also_as_editable");
    let tree = tempfile::tempdir().unwrap();
    let sdist = Sdist::new("tree", "1").file("src/tree.py", "WORD = 'first'\n");
    sdist.write_tree(tree.path()).unwrap();
    let index = TestIndex::new();
    let path = tree.path().to_str().unwrap();
    let word = || pip.run("python", &["-c", "import tree; print(tree.WORD)"]);
    pip.install(&index, &[path]).success();
    assert_eq!(word(), "first\n");
    pip.install(&index, &["--editable", path]).success();
    fs_err::write(tree.path().join("src/tree.py"), "WORD = 'second'\n").unwrap();
    assert_eq!(word(), "second\n");
}

#[test]
fn pip_avoids_what_is_yanked_or_for_another_python() {
    let pip = pip_or_skip!("pip_avoids_what_is_yanked_or_for_another_python");
    let mut index = TestIndex::new().projects(|p| {
        p.add("a 1.0");
        p.wheel_listed(&Wheel::new("a", "1.1"), Listing::new().yanked("it loses data"));
        p.wheel(&Wheel::new("a", "1.2").requires_python(">=3.99"));
        p.add("a 1.3 cp399-abi3-any");
    });
    for set in [TestProjects::html_only, TestProjects::json_only] as [Edit; 2] {
        index.update_projects(set);
        pip.install(&index, &["--force-reinstall", "a"]).success();
        assert_eq!(pip.installed(), ["a-1.0"]);
    }
    let output = pip.install(&index, &["a==1.1"]);
    assert!(output.stderr.contains("it loses data"), "{}", output.stderr);
    assert_eq!(pip.installed(), ["a-1.1"]);
    assert!(failure(pip.install(&index, &["a==1.2"])).contains("Requires-Python >=3.99"));
}

#[test]
fn pip_resolves_by_the_metadata_beside_a_wheel() {
    let pip = pip_or_skip!("pip_resolves_by_the_metadata_beside_a_wheel");
    let listed = |listed: ListedMetadata| {
        TestIndex::new().projects(|p| {
            p.wheel_listed(&Wheel::new("a", "1"), Listing::new().metadata(listed));
            p.html_only();
        })
    };
    let index = listed(ListedMetadata::OfTheWheel);
    pip.install(&index, &["a"]).success();
    assert_eq!(index.requests("*/a-1-py3-none-any.whl.metadata").len(), 1);
    let other = "Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: nowhere\n";
    let index = listed(ListedMetadata::Other(other.into()));
    let said = failure(pip.install(&index, &["--force-reinstall", "a"]));
    assert!(said.contains("nowhere"), "{said}");
    assert_eq!(index.requests("*.whl").len(), 0);
    let index = listed(ListedMetadata::None);
    pip.install(&index, &["--force-reinstall", "a"]).success();
    assert_eq!(index.requests("*.metadata").len(), 0);
}

#[test]
fn pip_refuses_files_that_are_not_what_the_index_says() {
    let pip = pip_or_skip!("pip_refuses_files_that_are_not_what_the_index_says");
    let wheel = Wheel::new("a", "1").file("a.py", "A = 1\n");
    let wrong = Listing::new().sha256("00".repeat(32));
    let index = TestIndex::new().projects(|p| {
        p.wheel_listed(&wheel, wrong);
    });
    let said = failure(pip.install(&index, &["a"]));
    assert!(said.contains("DO NOT MATCH THE HASHES"), "{said}");
    let index = TestIndex::new()
        .projects(|p| {
            p.wheel(&wheel);
        })
        .with_fault("*.whl", Fault::Corrupt);
    let said = failure(pip.install(&index, &["a"]));
    assert!(said.contains("DO NOT MATCH THE HASHES"), "{said}");
}

#[test]
fn pip_refuses_wheels_that_are_made_to_be_refused() {
    let pip = pip_or_skip!("pip_refuses_wheels_that_are_made_to_be_refused");
    let wheel = || Wheel::new("a", "1").file("a.py", "");
    for (what, wheel, reason) in [
        ("other name", Wheel::new("b", "1").file_name("a-1-py3-none-any.whl"), "b"),
        ("other version", wheel().metadata_field("Version", "2"), "inconsistent version"),
        ("outside", wheel().file("../../outside.py", ""), "outside"),
        ("no METADATA", wheel().without("METADATA"), "METADATA"),
        ("no WHEEL", wheel().without("WHEEL"), "WHEEL"),
        ("no module", wheel().console_script("x = "), "x ="),
        // The last one, since pip leaves a part of it behind.
        ("no RECORD", wheel().without("RECORD"), "RECORD"),
    ] {
        // With metadata beside it, pip wouldn't look for that of the wheel.
        let listing = Listing::new().metadata(ListedMetadata::None);
        let index = TestIndex::new().projects(|p| {
            p.wheel_listed(&wheel, listing);
        });
        let page = index.find_links_url();
        let said =
            failure(pip.pip(&[&INSTALL[..], &["--no-index", "--find-links", &page, "a"]].concat()));
        assert!(said.contains(reason), "{what}: {said}");
    }
}

#[test]
fn pip_logs_in_with_the_name_and_password_of_the_url() {
    let pip = pip_or_skip!("pip_logs_in_with_the_name_and_password_of_the_url");
    let index = demo().with_login("*", "user", "pass");
    failure(pip.install(&index, &["greet-pip"]));
    let url = index.index_url_with_login("user", "pass");
    pip.pip(&[&INSTALL[..], &["--index-url", &url, "greet-pip"]].concat()).success();
    assert_eq!(pip.installed().len(), 2);
}
