//! Paths that more than one package contains.

use std::path::Path;

use envlock_install::{Clobber, verify};
use envlock_model::progress::NoProgress;
use rattler_conda_types::PrefixRecord;

use crate::support::{TestCache, install, tree};

#[test]
fn the_same_package_is_kept_in_any_order_and_reported() {
    let mut results = Vec::new();
    for turn in 0..2 {
        let cache = TestCache::new();
        // `a` needs `z`: dependencies come first, whatever their names.
        let mut packages = vec![
            cache
                .package("a", "1")
                .depends("z")
                .file("etc/x", "from a")
                .file("etc/y", "same")
                .build(),
            cache.package("z", "1").file("etc/x", "from z").file("etc/y", "same").build(),
            cache.package("m", "1").file("etc/x", "from m").build(),
        ];
        if turn == 1 {
            packages.reverse();
        }
        let mut request = cache.request("env", packages);
        request.lock_digest = "s".into();
        let installed = install(&request).unwrap();
        let read =
            |name: &str| std::fs::read_to_string(request.prefix.join("etc").join(name)).unwrap();
        assert_eq!(verify(&request.prefix, 2, &NoProgress).unwrap().differences, []);
        let record = PrefixRecord::from_path(request.prefix.join("conda-meta/a-1-0.json")).unwrap();
        assert_eq!(record.files, Vec::<std::path::PathBuf>::new(), "a file has one record");
        results.push((installed.clobbers, read("x"), read("y")));
    }
    assert_eq!(results[0], results[1]);
    let clobber = |path: &str, kept: &str, not_installed: &[&str], identical| Clobber {
        path: path.into(),
        kept: kept.into(),
        not_installed: not_installed.iter().map(ToString::to_string).collect(),
        identical,
    };
    assert_eq!(
        results[0].0,
        [
            clobber("etc/x", "m-1-0", &["z-1-0", "a-1-0"], false),
            clobber("etc/y", "z-1-0", &["a-1-0"], true),
        ]
    );
    assert_eq!(results[0].1, "from m");
}

#[test]
fn a_command_never_writes_into_another_packages_file_in_the_cache() {
    let cache = TestCache::new();
    let python = cache.package("python", "3.10.1").file("lib/python3.10/os.py", "").build();
    let file = cache.package("a-file", "1").file("bin/tool", "the file").build();
    let command = cache.package("b-command", "1").noarch_python().entry_point("tool = m:f").build();
    let folder = cache.root.path().join("pkgs");
    let before = tree(&folder);
    let request = cache.request("env", vec![command, file, python]);
    let installed = install(&request).unwrap();
    assert_eq!(installed.clobbers[0].path, Path::new("bin/tool"));
    assert_eq!(std::fs::read_to_string(request.prefix.join("bin/tool")).unwrap(), "the file");
    assert_eq!(tree(&folder), before);
}
