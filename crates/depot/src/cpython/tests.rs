//! The CPythons of this machine, packed and run from elsewhere.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Command;

use rattler_conda_types::package::{PackageFile, PathsJson};

use super::*;
use crate::{Format, PLACEHOLDER};

const IMPORTS: &str = "import ssl, sqlite3, ctypes, json, decimal, hashlib, zlib, bz2, lzma, \
    asyncio, multiprocessing, unittest, sysconfig, site, sys\n";

fn of_this_machine() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = std::env::split_paths(&path).collect();
    bin_directories(&path, std::env::home_dir().as_deref())
}

/// Python 3.10, the newest, and the system's, as far as the machine has them.
fn interpreters() -> Vec<Cpython> {
    let (all, system) = (of_this_machine(), vec!["/usr/bin".into()]);
    let mut found = BTreeMap::new();
    for (directories, requested) in [(&all, [3, 10]), (&all, [3, 999]), (&system, [3, 999])] {
        if let Ok(cpython) = Cpython::find(directories, requested) {
            found.insert(cpython.executable.clone(), cpython);
        }
    }
    found.into_values().collect()
}

/// What an installer does, as far as it matters: unpack and write the prefix into texts.
fn install(package: &Package, prefix: &Path) {
    let directory = tempfile::tempdir().unwrap();
    let built = package.write(directory.path(), Format::Conda).unwrap();
    rattler_package_streaming::fs::extract(&built.path, prefix).unwrap();
    for path in PathsJson::from_package_directory(prefix).unwrap().paths {
        if path.prefix_placeholder.is_some() {
            let file = prefix.join(path.relative_path);
            let text = fs_err::read_to_string(&file).unwrap();
            fs_err::write(file, text.replace(PLACEHOLDER, prefix.to_str().unwrap())).unwrap();
        }
    }
}

fn run(prefix: &Path, script: &str) -> String {
    let output =
        Command::new(prefix.join("bin/python")).args(["-c", script]).env_clear().output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_interpreter_of_this_machine_runs_from_a_long_path_and_loads_nothing_from_its_origin() {
    for cpython in interpreters() {
        let root = tempfile::tempdir().unwrap();
        let prefix = root.path().join("长".repeat(60)).join("d".repeat(120));
        install(&cpython.package().unwrap(), &prefix);
        let version = run(&prefix, "import platform; print(platform.python_version())");
        assert_eq!(version.trim_end(), cpython.version);

        let origin = cpython.prefix().to_str().unwrap();
        let is_shared = cpython.prefix.spellings.is_empty();
        let maps = run(&prefix, &format!("{IMPORTS}print(open('/proc/self/maps').read())"));
        let own = if is_shared { format!("{origin}/{}", cpython.library) } else { origin.into() };
        assert!(!maps.contains(&own), "{maps}");
        assert!(maps.contains("lib-dynload"), "{maps}");

        let script = "import sys\nfor p in [sys.prefix, sys.exec_prefix, *sys.path[1:]]: print(p)";
        for path in run(&prefix, script).lines() {
            assert!(Path::new(path).starts_with(&prefix), "{path}");
        }
        let site = prefix.join(&cpython.library).join("site-packages");
        fs_err::create_dir_all(&site).unwrap();
        fs_err::write(site.join("installed.py"), "print('here')").unwrap();
        assert_eq!(run(&prefix, "import installed"), "here\n");
    }
}

#[test]
fn what_was_installed_from_a_package_can_be_packed_again() {
    let Ok(cpython) = Cpython::find(&of_this_machine(), [3, 10]) else { return };
    let root = tempfile::tempdir().unwrap();
    let (one, other) = (root.path().join("one"), root.path().join("other"));
    install(&cpython.package().unwrap(), &one);
    let again = Cpython::find(&[one.join("bin")], [3, 10]).unwrap();
    assert_eq!(again.prefix(), one);
    install(&again.package().unwrap(), &other);
    let maps = run(&other, &format!("{IMPORTS}print(open('/proc/self/maps').read())"));
    assert!(!maps.contains(one.to_str().unwrap()), "{maps}");
}

#[test]
fn a_virtual_environment_leads_to_its_interpreter() {
    let Ok(cpython) = Cpython::find(&of_this_machine(), [3, 10]) else { return };
    let root = tempfile::tempdir().unwrap();
    let status = Command::new(&cpython.executable)
        .args(["-m", "venv", "--without-pip"])
        .arg(root.path())
        .status()
        .unwrap();
    assert!(status.success());
    let found = Cpython::find(&[root.path().join("bin")], [3, 10]).unwrap();
    // A link to the interpreter's folder may have been resolved.
    let real = |path: &Path| fs_err::canonicalize(path).unwrap();
    assert_eq!(real(&found.executable), real(&cpython.executable));
    assert_eq!(real(found.prefix()), real(cpython.prefix()));
}

#[test]
fn no_file_of_a_package_names_the_prefix_that_it_came_from() {
    let own = interpreters().into_iter().find(|cpython| !cpython.prefix.spellings.is_empty());
    let Some(cpython) = own else { return };
    let root = tempfile::tempdir().unwrap();
    install(&cpython.package().unwrap(), root.path());
    let origin = cpython.prefix().to_str().unwrap();
    let mut directories = vec![root.path().to_owned()];
    while let Some(directory) = directories.pop() {
        for item in fs_err::read_dir(directory).unwrap() {
            let path = item.unwrap().path();
            let kind = fs_err::symlink_metadata(&path).unwrap();
            assert_ne!(path.file_name(), Some(OsStr::new("test")));
            if kind.is_dir() {
                directories.push(path);
            } else if kind.is_file() {
                let bytes = fs_err::read(&path).unwrap();
                let found = memchr::memmem::find(&bytes, origin.as_bytes());
                assert!(found.is_none(), "{}", path.display());
            }
        }
    }
}

#[test]
fn the_record_is_one_of_python() {
    let Some(cpython) = interpreters().into_iter().next() else { return };
    let index = cpython.package().unwrap().index_json();
    assert_eq!(index["name"], "python");
    assert_eq!(index["version"], cpython.version);
    let site_packages = format!("{}/site-packages", cpython.library);
    assert_eq!(index["python_site_packages_path"], site_packages);
}

#[test]
fn without_any_the_error_tells_what_was_tried() {
    use envlock_report::AsFindings;
    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("python3.9"), "not executable").unwrap();
    let error = Cpython::find(&[directory.path().to_owned()], [3, 10]).unwrap_err();
    let diagnostic = error.findings().remove(0);
    assert_eq!(diagnostic.code, "no-cpython");
    assert!(diagnostic.notes[0].contains("python3.9 doesn't run: "), "{:?}", diagnostic.notes);
    assert!(diagnostic.help.unwrap().contains("`python3.10`"));
}
