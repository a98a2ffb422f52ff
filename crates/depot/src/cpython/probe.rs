//! Runs a candidate and checks it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;

use super::{Cpython, Prefix, SkipReason, elf};

/// Prints the facts of the interpreter. In a virtual environment they are those of its base
/// interpreter.
const SCRIPT: &str = "
import json, os, site, sys, sysconfig
print(json.dumps({
    'implementation': sys.implementation.name,
    'version': '.'.join(map(str, sys.version_info[:3])),
    'executable': os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable),
    'prefix': sys.base_prefix,
    'stdlib': sysconfig.get_path('stdlib'),
    'site_packages': site.getsitepackages(['.']),
}))
";

#[derive(Deserialize)]
struct Facts {
    implementation: String,
    version: String,
    executable: PathBuf,
    prefix: PathBuf,
    stdlib: PathBuf,
    site_packages: Vec<PathBuf>,
}

/// The prefixes that Python shares with everything else: a path into one of them isn't
/// Python's own.
const SHARED_PREFIXES: [&str; 3] = ["/", "/usr", "/usr/local"];

pub(super) fn probe(executable: &Path) -> Result<Cpython, SkipReason> {
    check(run(Command::new(executable))?)
}

fn check(facts: Facts) -> Result<Cpython, SkipReason> {
    if facts.implementation != "cpython" {
        return Err(SkipReason::OtherImplementation(facts.implementation));
    }
    let short = facts.version.rsplit_once('.').map_or("", |(short, _)| short);
    let library = format!("lib/python{short}");
    // An interpreter that was moved looks for this landmark from its executable upwards.
    if facts.stdlib != facts.prefix.join(&library) || !facts.stdlib.join("os.py").exists() {
        return Err(SkipReason::LibraryElsewhere(facts.stdlib));
    }
    let has_dist_packages =
        facts.site_packages.contains(&Path::new(".").join(&library).join("dist-packages"));
    let cpython = Cpython {
        executable: facts.executable,
        version: facts.version,
        is_requested_version: false,
        skipped: Vec::new(),
        prefix: Prefix { spellings: spellings(&facts.prefix), path: facts.prefix },
        library,
        has_dist_packages,
    };
    check_run_path(&cpython)?;
    Ok(cpython)
}

fn run(mut python: Command) -> Result<Facts, SkipReason> {
    let output = python
        .args(["-I", "-c", SCRIPT])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| SkipReason::DoesNotRun(error.to_string()))?;
    let facts = serde_json::from_slice(&output.stdout).ok();
    facts
        .filter(|_| output.status.success())
        .ok_or_else(|| SkipReason::DoesNotRun(first_error_line(&output)))
}

/// Returns the first line of its error output, or its exit status if there is none.
fn first_error_line(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line = stderr.lines().map(str::trim).find(|line| !line.is_empty());
    line.map_or_else(|| output.status.to_string(), str::to_owned)
}

fn spellings(prefix: &Path) -> Vec<String> {
    let real = fs_err::canonicalize(prefix).ok();
    let mut spellings: Vec<_> = [Some(prefix.to_owned()), real]
        .into_iter()
        .flatten()
        .filter_map(|path| path.into_os_string().into_string().ok())
        .filter(|path| !SHARED_PREFIXES.contains(&path.as_str()))
        .collect();
    spellings.dedup();
    spellings
}

/// A `libpython` must be found in the prefix, through a run path that can be made relative:
/// the dynamic linker's own list would lead a copy back to the original.
fn check_run_path(cpython: &Cpython) -> Result<(), SkipReason> {
    let mut bytes = fs_err::read(&cpython.executable)
        .map_err(|error| SkipReason::DoesNotRun(error.to_string()))?;
    let dynamic = elf::read(&bytes).ok_or(SkipReason::NotElf)?;
    elf::make_relative(&mut bytes, &dynamic, "bin", &cpython.prefix.spellings)
        .map_err(|elf::NoRoom| SkipReason::NoRoomForRunPath("its executable".to_owned()))?;
    let leads_to_lib =
        dynamic.run_paths(&bytes).any(|path| path.trim_end_matches('/') == "$ORIGIN/../lib");
    let is_own = |name: &str| leads_to_lib && cpython.prefix.library(name).is_some();
    let mut needed = dynamic.needed.into_iter();
    match needed.find(|name| name.starts_with("libpython") && !is_own(name)) {
        Some(name) => Err(SkipReason::SharedLibraryElsewhere(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns why a shell script instead of a Python is skipped.
    fn refused(script: &str) -> SkipReason {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]);
        run(shell).and_then(check).map(|cpython| cpython.version).unwrap_err()
    }

    #[test]
    fn a_shim_that_fails_is_skipped_with_its_message() {
        let reason = refused("echo 'pyenv: python3.10: command not found' >&2; exit 127");
        assert_eq!(reason.to_string(), "doesn't run: pyenv: python3.10: command not found");
    }

    #[test]
    fn what_says_something_else_or_nothing_is_skipped() {
        for text in ["echo hello", "exit 1", "kill -9 $$"] {
            let reason = refused(text);
            assert!(matches!(reason, SkipReason::DoesNotRun(_)), "{text}: {reason}");
        }
        let missing = probe(Path::new("/nowhere/python3.10")).map(|cpython| cpython.version);
        assert!(matches!(missing, Err(SkipReason::DoesNotRun(_))));
    }

    #[test]
    fn another_implementation_is_named() {
        let reason = refused(
            r#"echo '{"implementation": "pypy", "version": "3.10.13", "executable": "/p",
            "prefix": "/p", "stdlib": "/p/lib/python3.10", "site_packages": []}'"#,
        );
        assert_eq!(reason.to_string(), "is pypy, not CPython");
    }

    #[test]
    fn a_path_into_the_system_is_not_pythons_own() {
        assert!(spellings(Path::new("/usr")).is_empty());
        let own = tempfile::tempdir().unwrap();
        let link = own.path().join("链接");
        std::os::unix::fs::symlink(own.path(), &link).unwrap();
        assert_eq!(spellings(&link).len(), 2);
    }
}
