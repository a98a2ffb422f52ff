//! Activated environments.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use envlock_install::activate::{ActivateError, Activated, Variables, activate, exec};
use envlock_install::{PrefixState, UnusableEnvironment, VerifyError, state, verify};
use envlock_model::progress::NoProgress;
use envlock_report::{AsFindings, Code};
use rattler_conda_types::Subdir;

use crate::support::{TestCache, install};

fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

fn get<'a>(activated: &'a Activated, name: &str) -> Option<&'a str> {
    activated.variables.get(OsStr::new(name)).and_then(|value| value.to_str())
}

fn activated(prefix: &Path, inherited: &[(&str, &str)]) -> Activated {
    activate(prefix, Subdir::Linux64, variables(inherited)).unwrap()
}

#[test]
fn variables_scripts_and_path_are_set_as_conda_sets_them() {
    let cache = TestCache::new();
    let script = "export FROM_SCRIPT=\"$LINES_OF $CONDA_PREFIX\"\nunset GONE\necho hello\n";
    let package = cache.package("a", "1").file("etc/conda/activate.d/a.sh", script).build();
    let mut request = cache.request("envs/环 境", vec![package]);
    request.variables.insert("LINES_OF".into(), "two\nlines $HOME `id` \"'".into());
    request.variables.insert("lower".into(), "kept".into());
    request.variables.insert("LEFT".into(), "***unset***".into());
    install(&request).unwrap();
    let inherited = [("PATH", "/usr/bin:/bin"), ("GONE", "x"), ("ODD", "$(touch /nowhere)\n=`")];
    let activated = activated(&request.prefix, &inherited);
    let prefix = request.prefix.to_str().unwrap();
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
    assert_eq!(activated.script_output, "hello\n");
    for shells_own in ["_", "SHLVL", "PWD"] {
        assert_eq!(get(&activated, shells_own), None, "{shells_own}");
    }
}

#[test]
fn the_environment_before_is_deactivated() {
    let cache = TestCache::new();
    let package = |name: &str, folder: &str, text: &str| {
        cache.package(name, "1").file(&format!("etc/conda/{folder}/x.sh"), text).build()
    };
    let mut old = cache.request("old", vec![package("o", "deactivate.d", "export BYE=1\n")]);
    old.variables.insert("OLD".into(), "1".into());
    install(&old).unwrap();
    let new = cache.request("new", vec![package("n", "activate.d", "export HI=$BYE\n")]);
    install(&new).unwrap();
    let first = activated(&old.prefix, &[("PATH", "/bin")]);
    assert_eq!(get(&first, "OLD"), Some("1"));
    let second = activate(&new.prefix, Subdir::Linux64, first.variables).unwrap();
    assert_eq!(get(&second, "OLD"), None);
    assert_eq!(get(&second, "HI"), Some("1"));
    assert_eq!(get(&second, "CONDA_SHLVL"), Some("2"));
    assert_eq!(get(&second, "CONDA_PREFIX_1"), old.prefix.to_str());
    assert_eq!(get(&second, "PATH").unwrap(), format!("{}/bin:/bin", new.prefix.display()));
}

#[test]
fn a_script_that_ends_the_shell_is_an_error_with_its_output() {
    let cache = TestCache::new();
    let script = "echo no licence >&2\nexit 0\n";
    let package = cache.package("a", "1").file("etc/conda/activate.d/a.sh", script).build();
    let request = cache.request("env", vec![package]);
    install(&request).unwrap();
    let error = activate(&request.prefix, Subdir::Linux64, Variables::new()).unwrap_err();
    assert!(
        matches!(&error, ActivateError::Script { script_output, .. } if script_output == "no licence\n"),
        "{error:?}"
    );
}

#[test]
fn activation_without_an_environment_is_an_error() {
    let cache = TestCache::new();
    let error = activate(&cache.prefix("none"), Subdir::Linux64, Variables::new()).unwrap_err();
    assert!(matches!(error, ActivateError::Environment(UnusableEnvironment::Absent(_))));
}

#[test]
fn an_unfinished_or_moved_environment_is_not_activated() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").file("share/a", "1").build();
    let request = cache.request("env", vec![package]);
    install(&request).unwrap();
    let error =
        |name: &str| activate(&cache.prefix(name), Subdir::Linux64, Variables::new()).unwrap_err();
    let record = request.prefix.join("conda-meta/envlock");
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace("\"complete\": true", "\"complete\": false")).unwrap();
    assert!(matches!(error("env"), ActivateError::Environment(UnusableEnvironment::Unfinished(_))));
    std::fs::write(&record, text).unwrap();
    // Through a link, it is the same directory.
    std::os::unix::fs::symlink(&request.prefix, cache.prefix("link")).unwrap();
    activate(&cache.prefix("link"), Subdir::Linux64, Variables::new()).unwrap();
    std::fs::rename(&request.prefix, cache.prefix("moved")).unwrap();
    let moved = error("moved");
    assert!(
        matches!(&moved, ActivateError::Environment(UnusableEnvironment::Moved { recorded, .. }) if *recorded == request.prefix)
    );
    assert_eq!(moved.findings()[0].code, Code::MovedPrefix);
    std::os::unix::fs::symlink(cache.prefix("moved"), cache.prefix("link-to-moved")).unwrap();
    let help = error("link-to-moved").findings().remove(0).help.unwrap();
    assert!(help.starts_with("it is a symbolic link: remove it"), "{help}");
    let compared = verify(&cache.prefix("moved"), 1, &NoProgress).unwrap_err();
    assert!(matches!(compared, VerifyError::Environment(UnusableEnvironment::Moved { .. })));
    let state = state(&cache.prefix("moved")).unwrap();
    assert_eq!(state, PrefixState::Moved { from: request.prefix.clone() });
}

#[test]
fn numbers_and_truth_values_are_variables_as_conda_writes_them() {
    let cache = TestCache::new();
    let json = r#"{"THREADS": 4, "RATE": 0.5, "ON": true, "NAME": "x"}"#;
    let package = cache.package("a", "1").file("etc/conda/env_vars.d/a.json", json).build();
    let request = cache.request("env", vec![package]);
    install(&request).unwrap();
    let activated = activated(&request.prefix, &[("PATH", "/bin")]);
    let names = ["THREADS", "RATE", "ON", "NAME"];
    assert_eq!(names.map(|name| get(&activated, name)), ["4", "0.5", "True", "x"].map(Some));
}

#[test]
fn a_file_of_variables_that_no_process_can_have_is_named_with_a_help_that_helps() {
    for (json, message) in [
        (r#"{"A=B": "x"}"#, "sets a variable that can't be set: \"A=B\""),
        (r#"{"": "x"}"#, "sets a variable that can't be set: \"\""),
        (r#"{"A": "a\u0000b"}"#, "sets a variable that can't be set: \"A\""),
        (r#"["A"]"#, "isn't a JSON object"),
        ("", "isn't a JSON object"),
    ] {
        let cache = TestCache::new();
        let package = cache.package("a", "1").file("etc/conda/env_vars.d/a.json", json).build();
        let request = cache.request("env", vec![package]);
        install(&request).unwrap();
        let error = activate(&request.prefix, Subdir::Linux64, Variables::new()).unwrap_err();
        let finding = error.findings().remove(0);
        assert_eq!(finding.code, Code::MalformedVariables);
        assert!(finding.message.contains("env_vars.d/a.json"), "{finding:?}");
        assert!(finding.message.contains(message), "{json}: {finding:?}");
        assert!(!finding.help.unwrap().contains("--replace"));
    }
    let cache = TestCache::new();
    let json = "\u{feff}{\"A\": \"x\"}";
    let package = cache.package("a", "1").file("etc/conda/env_vars.d/a.json", json).build();
    let request = cache.request("env", vec![package]);
    install(&request).unwrap();
    assert_eq!(get(&activated(&request.prefix, &[("PATH", "/bin")]), "A"), Some("x"));
}

#[test]
fn a_background_process_of_a_script_is_not_waited_for() {
    let cache = TestCache::new();
    // It ends when this test opens the pipe.
    let script = "mkfifo \"$CONDA_PREFIX/$FIFO\"; cat \"$CONDA_PREFIX/$FIFO\" &\n";
    let package = cache
        .package("a", "1")
        .file("etc/conda/activate.d/a.sh", &format!("FIFO=activated\n{script}"))
        .script("bin/.a-post-link.sh", &format!("FIFO=linked\n{script}"))
        .build();
    let mut request = cache.request("env", vec![package]);
    request.run_post_link_scripts = true;
    install(&request).unwrap();
    let end = |name: &str| {
        let pipe = request.prefix.join(name);
        drop(std::fs::OpenOptions::new().write(true).open(&pipe).unwrap());
        std::fs::remove_file(pipe).unwrap();
    };
    end("linked");
    end("activated");
    activated(&request.prefix, &[("PATH", "/usr/bin:/bin")]);
    end("activated");
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
    let activated = activate(Path::new(&prefix), Subdir::Linux64, inherited).unwrap();
    let error = exec(&["sh".into(), "-c".into(), script], &activated);
    panic!("{error}");
}

#[test]
fn a_command_replaces_the_process_so_its_exit_and_signals_are_its_own() {
    let cache = TestCache::new();
    let mut request = cache.request(
        "环 境",
        vec![cache.package("a", "1").script("bin/tool", "#!/bin/sh\necho tool $1\n").build()],
    );
    request.variables.insert("GREETING".into(), "你好".into());
    install(&request).unwrap();
    let run = |script: &str| -> (u32, Output) {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "activation::child", "--ignored", "--nocapture"])
            .env(PREFIX, &request.prefix)
            .env(SCRIPT, script)
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        (child.id(), child.wait_with_output().unwrap())
    };
    let (id, output) = run("tool \"$GREETING\"; echo pid $$; exit 7");
    let script_output = String::from_utf8_lossy(&output.stdout);
    assert!(
        script_output.contains("tool 你好\n") && script_output.contains(&format!("pid {id}\n")),
        "{script_output}"
    );
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(run("kill -TERM $$").1.status.signal(), Some(15));
}
