//! `.pyc` files and entry points, with a real Python where the machine has one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use envlock_install::verify;
use envlock_model::progress::NoProgress;
use rattler_conda_types::PrefixRecord;
use rattler_conda_types::prefix_record::PathType;

use crate::support::{Package, TestCache, install, tree};

/// A CPython of this machine with hash-based `.pyc` files, and its `major.minor`.
fn real_python() -> Option<(PathBuf, String)> {
    let home = std::env::var_os("HOME").map(PathBuf::from)?;
    let versions = std::fs::read_dir(home.join(".pyenv/versions")).ok();
    let pyenv =
        versions.into_iter().flatten().flatten().map(|entry| entry.path().join("bin/python3"));
    pyenv.chain([PathBuf::from("/usr/bin/python3")]).find_map(|python| {
        let script =
            "import sys; assert sys.version_info >= (3, 8); print('%d.%d' % sys.version_info[:2])";
        let output = Command::new(&python).args(["-c", script]).output().ok()?;
        let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !version.is_empty()).then_some((python, version))
    })
}

/// A package `python` that runs the machine's own.
fn python_package(cache: &TestCache, python: &Path, version: &str) -> Package {
    let wrapper = format!("#!/bin/sh\nexec '{}' \"$@\"\n", python.display());
    cache
        .package("python", &format!("{version}.1"))
        .script(&format!("bin/python{version}"), &wrapper)
        .build()
}

fn library(cache: &TestCache) -> Package {
    let sets = "A = {'x', 'y', 'z', 'w'}\ndef f(v):\n    return v in {'p', 'q', 'r', 's', 't'}\n";
    cache
        .package("lib-a", "1")
        .noarch_python()
        .depends("python >=3")
        .file("site-packages/lib_a/__init__.py", "")
        .file("site-packages/lib_a/sets.py", sets)
        .file("site-packages/lib_a/模块.py", "def g():\n    return 'lib_a', __file__\n")
        .file("site-packages/lib_a/py2.py", "print 'old'\n")
        .file("site-packages/lib_a/cli.py", "def main():\n    print('ran')\n")
        .file("python-scripts/plain.py", "pass\n")
        .entry_point("lib-a = lib_a.cli:main")
        .build()
}

fn compiled(prefix: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    tree(prefix)
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|e| e == "pyc"))
        .collect()
}

#[test]
fn the_same_packages_give_the_same_pyc_files_at_any_place_and_time() {
    let Some((python, version)) = real_python() else { return };
    let pycs: Vec<_> = ["env", "another environment/深"]
        .iter()
        .map(|name| {
            let cache = TestCache::new();
            let packages = vec![library(&cache), python_package(&cache, &python, &version)];
            let request = cache.request(name, packages);
            install(&request).unwrap();
            compiled(&request.prefix)
        })
        .collect();
    assert_eq!(pycs[0].len(), 4, "{:?}", pycs[0].keys());
    assert_eq!(pycs[0], pycs[1]);
    for (path, bytes) in &pycs[0] {
        assert_eq!(
            bytes[4..8],
            [3, 0, 0, 0],
            "{} is checked against its source's hash",
            path.display()
        );
    }
}

#[test]
fn pyc_files_are_recorded_and_uncompiled_sources_are_reported() {
    let Some((python, version)) = real_python() else { return };
    let cache = TestCache::new();
    let packages = vec![library(&cache), python_package(&cache, &python, &version)];
    let request = cache.request("env", packages);
    let installed = install(&request).unwrap();
    assert_eq!(installed.uncompiled.len(), 1);
    assert_eq!(installed.uncompiled[0].package, "lib-a-1-0");
    let site = format!("lib/python{version}/site-packages/lib_a");
    assert_eq!(installed.uncompiled[0].files, [PathBuf::from(format!("{site}/py2.py"))]);
    assert!(installed.uncompiled[0].reason.contains("SyntaxError"), "{:?}", installed.uncompiled);
    let record = PrefixRecord::from_path(request.prefix.join("conda-meta/lib-a-1-0.json")).unwrap();
    let pycs = record.paths_data.paths.iter().filter(|entry| entry.path_type == PathType::PycFile);
    assert_eq!(pycs.filter(|entry| record.files.contains(&entry.relative_path)).count(), 4);
    assert_eq!(verify(&request.prefix, 2, &NoProgress).unwrap().differences, []);
    // Python takes them as they are: nothing is written anew by an import.
    let before = tree(&request.prefix);
    let script = "import lib_a.sets, lib_a.模块, lib_a.cli; lib_a.cli.main()";
    let output = Command::new(&python)
        .args(["-c", script])
        .env("PYTHONPATH", request.prefix.join(format!("lib/python{version}/site-packages")))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(tree(&request.prefix), before);
}

#[test]
fn an_entry_point_runs_in_a_prefix_with_spaces_and_one_too_long_for_a_shebang() {
    let Some((python, version)) = real_python() else { return };
    let long = format!("{}/env", "长".repeat(40));
    for name in ["env", "two words/环境", &long] {
        let cache = TestCache::new();
        let packages = vec![library(&cache), python_package(&cache, &python, &version)];
        let request = cache.request(name, packages);
        install(&request).unwrap();
        let output = Command::new(request.prefix.join("bin/lib-a"))
            .env("PYTHONPATH", request.prefix.join(format!("lib/python{version}/site-packages")))
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "ran\n", "{name}: {output:?}");
    }
}

#[test]
fn a_python_that_cannot_run_costs_only_the_pyc_files() {
    let cache = TestCache::new();
    let python =
        cache.package("python", "3.10.1").script("bin/python3.10", "#!/bin/sh\nexit 3\n").build();
    let request = cache.request("env", vec![library(&cache), python]);
    let installed = install(&request).unwrap();
    assert_eq!(installed.uncompiled[0].files.len(), 5);
    assert!(
        installed.uncompiled[0].reason.contains("exit status: 3"),
        "{:?}",
        installed.uncompiled
    );
    assert_eq!(verify(&request.prefix, 2, &NoProgress).unwrap().differences, []);
}

#[test]
fn a_noarch_package_without_python_is_an_error() {
    let cache = TestCache::new();
    let error = install(&cache.request("env", vec![library(&cache)])).unwrap_err();
    assert!(error.to_string().contains("has no python"), "{error}");
}
