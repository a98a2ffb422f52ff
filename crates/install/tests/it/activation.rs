//! Activated environments.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use envlock_install::activate::{ActivateError, Activated, Variables, environment, exec};
use rattler_conda_types::Subdir;

use crate::support::{World, install};

fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

fn get<'a>(activated: &'a Activated, name: &str) -> Option<&'a str> {
    activated.variables.get(OsStr::new(name)).and_then(|value| value.to_str())
}

fn activate(prefix: &Path, inherited: &[(&str, &str)]) -> Activated {
    environment(prefix, Subdir::Linux64, variables(inherited)).unwrap()
}

#[test]
fn variables_scripts_and_path_are_set_as_conda_sets_them() {
    let world = World::new();
    let script = "export FROM_SCRIPT=\"$LINES_OF $CONDA_PREFIX\"\nunset GONE\necho hello\n";
    let package = world.package("a", "1").file("etc/conda/activate.d/a.sh", script).done();
    let mut wanted = world.wanted("envs/环 境", vec![package]);
    wanted.variables.insert("LINES_OF".into(), "two\nlines $HOME `id` \"'".into());
    wanted.variables.insert("lower".into(), "kept".into());
    wanted.variables.insert("LEFT".into(), "***unset***".into());
    install(&wanted).unwrap();
    let inherited = [("PATH", "/usr/bin:/bin"), ("GONE", "x"), ("ODD", "$(touch /nowhere)\n=`")];
    let activated = activate(&wanted.prefix, &inherited);
    let prefix = wanted.prefix.to_str().unwrap();
    assert_eq!(get(&activated, "PATH").unwrap(), format!("{prefix}/bin:/usr/bin:/bin"));
    assert_eq!(get(&activated, "CONDA_PREFIX"), Some(prefix));
    assert_eq!(get(&activated, "CONDA_DEFAULT_ENV"), Some("环 境"));
    assert_eq!(get(&activated, "CONDA_SHLVL"), Some("1"));
    assert_eq!(get(&activated, "LINES_OF"), Some("two\nlines $HOME `id` \"'"));
    assert_eq!(get(&activated, "lower"), Some("kept"));
    assert_eq!(get(&activated, "LEFT"), None);
    assert_eq!(get(&activated, "GONE"), None);
    assert_eq!(get(&activated, "ODD"), Some("$(touch /nowhere)\n=`"));
    let expected = format!("two\nlines $HOME `id` \"' {prefix}");
    assert_eq!(get(&activated, "FROM_SCRIPT"), Some(expected.as_str()));
    assert_eq!(activated.said, "hello\n");
    for shells_own in ["_", "SHLVL", "PWD"] {
        assert_eq!(get(&activated, shells_own), None, "{shells_own}");
    }
}

#[test]
fn the_environment_before_is_deactivated() {
    let world = World::new();
    let package = |name: &str, folder: &str, text: &str| {
        world.package(name, "1").file(&format!("etc/conda/{folder}/x.sh"), text).done()
    };
    let mut old = world.wanted("old", vec![package("o", "deactivate.d", "export BYE=1\n")]);
    old.variables.insert("OLD".into(), "1".into());
    install(&old).unwrap();
    let new = world.wanted("new", vec![package("n", "activate.d", "export HI=$BYE\n")]);
    install(&new).unwrap();
    let first = activate(&old.prefix, &[("PATH", "/bin")]);
    assert_eq!(get(&first, "OLD"), Some("1"));
    let second = environment(&new.prefix, Subdir::Linux64, first.variables).unwrap();
    assert_eq!(get(&second, "OLD"), None);
    assert_eq!(get(&second, "HI"), Some("1"));
    assert_eq!(get(&second, "CONDA_SHLVL"), Some("2"));
    assert_eq!(get(&second, "CONDA_PREFIX_1"), old.prefix.to_str());
    assert_eq!(get(&second, "PATH").unwrap(), format!("{}/bin:/bin", new.prefix.display()));
}

#[test]
fn a_script_that_ends_the_shell_is_an_error_with_its_output() {
    let world = World::new();
    let script = "echo no licence >&2\nexit 0\n";
    let package = world.package("a", "1").file("etc/conda/activate.d/a.sh", script).done();
    let wanted = world.wanted("env", vec![package]);
    install(&wanted).unwrap();
    let error = environment(&wanted.prefix, Subdir::Linux64, Variables::new()).unwrap_err();
    assert!(
        matches!(&error, ActivateError::Script { said, .. } if said == "no licence\n"),
        "{error:?}"
    );
}

#[test]
fn verify_without_an_environment_is_an_error() {
    let world = World::new();
    let error = environment(&world.prefix("none"), Subdir::Linux64, Variables::new()).unwrap_err();
    assert!(matches!(error, ActivateError::NoEnvironment(_)));
}

/// Tells the child which environment and which script.
const PREFIX: &str = "ENVLOCK_TEST_PREFIX";
const SCRIPT: &str = "ENVLOCK_TEST_SCRIPT";

#[test]
#[ignore = "the child of the test below"]
fn child() {
    let Ok(prefix) = std::env::var(PREFIX) else { return };
    let script = std::env::var_os(SCRIPT).unwrap();
    let inherited = std::env::vars_os().collect();
    let activated = environment(Path::new(&prefix), Subdir::Linux64, inherited).unwrap();
    let error = exec(&["sh".into(), "-c".into(), script], &activated);
    panic!("{error}");
}

#[test]
fn a_command_replaces_the_process_so_its_exit_and_signals_are_its_own() {
    let world = World::new();
    let mut wanted = world.wanted(
        "环 境",
        vec![world.package("a", "1").script("bin/tool", "#!/bin/sh\necho tool $1\n").done()],
    );
    wanted.variables.insert("GREETING".into(), "你好".into());
    install(&wanted).unwrap();
    let run = |script: &str| -> (u32, Output) {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "activation::child", "--ignored", "--nocapture"])
            .env(PREFIX, &wanted.prefix)
            .env(SCRIPT, script)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        (child.id(), child.wait_with_output().unwrap())
    };
    let (id, output) = run("tool \"$GREETING\"; echo pid $$; exit 7");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("tool 你好\n") && said.contains(&format!("pid {id}\n")), "{said}");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(run("kill -TERM $$").1.status.signal(), Some(15));
}
