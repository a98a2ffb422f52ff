//! What `verify` finds, and disks that say no.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use envlock_install::{DifferenceKind, InstallError, verify};
use envlock_model::progress::{NoProgress, Notice, Recovery};
use envlock_report::{AsFindings, Exit};

use crate::support::{Recorder, TestCache, install, install_observed, names};

#[test]
fn every_kind_of_difference_is_found() {
    let cache = TestCache::new();
    let package = cache
        .package("a", "1")
        .file("changed", "abc")
        .file("grown", "abc")
        .file("missing", "abc")
        .file("directory", "abc")
        .script("mode", "abc")
        .file("same", "abc")
        .link("target", "same")
        .link("no-link", "same")
        .build();
    let request = cache.request("env", vec![package]);
    install(&request).unwrap();
    let at = |name: &str| request.prefix.join(name);
    let replace = |name: &str| std::fs::remove_file(at(name)).unwrap();
    for (name, text) in [("changed", "abd"), ("grown", "abcd"), ("no-link", "abc")] {
        replace(name);
        std::fs::write(at(name), text).unwrap();
    }
    replace("missing");
    replace("directory");
    std::fs::create_dir(at("directory")).unwrap();
    std::fs::set_permissions(at("mode"), std::fs::Permissions::from_mode(0o644)).unwrap();
    replace("target");
    symlink("changed", at("target")).unwrap();
    std::fs::write(at("额外"), "").unwrap();
    let differences = verify(&request.prefix, 3, &NoProgress).unwrap().differences;
    assert_eq!(differences[2].to_string(), "grown (a) has 4 bytes instead of 3");
    assert_eq!(differences[6].to_string(), "target (a) points to changed instead of same");
    let found: Vec<_> = differences
        .into_iter()
        .map(|difference| {
            (difference.path.display().to_string(), difference.package, difference.kind)
        })
        .collect();
    let a = || Some("a".to_owned());
    let target = DifferenceKind::Target { expected: "same".into(), found: "changed".into() };
    assert_eq!(
        found,
        [
            ("changed".into(), a(), DifferenceKind::Changed),
            ("directory".into(), a(), DifferenceKind::Type),
            ("grown".into(), a(), DifferenceKind::Size { expected: 3, found: 4 }),
            ("missing".into(), a(), DifferenceKind::Missing),
            ("mode".into(), a(), DifferenceKind::Mode { expected: 0o755, found: 0o644 }),
            ("no-link".into(), a(), DifferenceKind::Type),
            ("target".into(), a(), target),
            ("额外".into(), None, DifferenceKind::Untracked),
        ]
    );
}

#[test]
fn what_cannot_be_read_is_a_difference_with_its_name_and_the_rest_is_compared() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").file("lib/x", "1").file("share/y", "1").build();
    let request = cache.request("env", vec![package]);
    install(&request).unwrap();
    std::fs::remove_dir_all(request.prefix.join("lib")).unwrap();
    symlink("lib", request.prefix.join("lib")).unwrap();
    std::fs::remove_file(request.prefix.join("share/y")).unwrap();
    let verified = verify(&request.prefix, 1, &NoProgress).unwrap();
    let shown: Vec<_> = verified.differences.iter().map(ToString::to_string).collect();
    assert_eq!((verified.packages, verified.files), (1, 2));
    assert_eq!(shown.len(), 3, "{shown:?}");
    assert_eq!(shown[0], "lib belongs to no package");
    assert!(shown[1].starts_with("lib/x (a) can't be read: Too many levels"), "{}", shown[1]);
    assert_eq!(shown[2], "share/y (a) is missing");
}

#[test]
fn a_directory_that_cannot_be_read_is_a_difference() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").file("share/y", "1").build();
    let request = cache.request("env", vec![package]);
    install(&request).unwrap();
    let closed = request.prefix.join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let differences = verify(&request.prefix, 1, &NoProgress).unwrap().differences;
    // Nothing is closed to root.
    let is_root = std::fs::read_dir(&closed).is_ok();
    let shown: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), usize::from(!is_root), "{shown:?}");
    assert!(shown.iter().all(|line| line.starts_with("closed can't be read: ")), "{shown:?}");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_gutted_prefix_is_not_right_and_is_built_anew() {
    let cache = TestCache::new();
    let package =
        cache.package("a", "1").file("lib/x", "1").file("bin/y", "12").link("z", "lib/x").build();
    let mut request = cache.request("env", vec![package]);
    request.variables.insert("GREETING".into(), "你好".into());
    let at = |path: &str| request.prefix.join(path);
    let ways: [&dyn Fn(); 7] = [
        &|| std::fs::remove_file(at("bin/y")).unwrap(),
        &|| std::fs::remove_dir_all(at("lib")).unwrap(),
        &|| {
            // Not through the hard link into the cache.
            std::fs::remove_file(at("bin/y")).unwrap();
            std::fs::write(at("bin/y"), "1").unwrap();
        },
        &|| std::fs::remove_file(at("z")).unwrap(),
        &|| std::fs::remove_file(at("conda-meta/state")).unwrap(),
        &|| std::fs::write(at("conda-meta/state"), "{").unwrap(),
        &|| std::fs::remove_file(at("conda-meta/envlock-files")).unwrap(),
    ];
    install(&request).unwrap();
    for (number, gut) in ways.into_iter().enumerate() {
        assert!(request.plan().unwrap().is_empty(), "before {number}");
        gut();
        assert!(!request.plan().unwrap().is_empty(), "after {number}");
        assert!(install(&request).unwrap().changed(), "{number}");
        assert_eq!(verify(&request.prefix, 1, &NoProgress).unwrap().differences, [], "{number}");
    }
}

#[test]
fn a_record_that_cannot_be_read_is_replaced_only_with_replace() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").file("share/a", "1").build();
    let mut request = cache.request("env", vec![package]);
    install(&request).unwrap();
    std::fs::write(request.prefix.join("conda-meta/a-1-0.json"), "{").unwrap();
    for refused in [request.plan().err(), install(&request).err()] {
        assert!(matches!(refused, Some(InstallError::UnreadableRecord { .. })), "{refused:?}");
    }
    request.replace = true;
    assert_eq!(request.plan().unwrap().steps().unwrap().unchanged, []);
    assert!(install(&request).unwrap().changed());
    assert_eq!(verify(&request.prefix, 1, &NoProgress).unwrap().differences, []);
}

#[test]
fn a_prefix_with_differences_is_built_anew_with_replace() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").file("share/a", "1").build();
    let mut request = cache.request("env", vec![package]);
    install(&request).unwrap();
    std::fs::remove_file(request.prefix.join("share/a")).unwrap();
    request.replace = true;
    assert!(install(&request).unwrap().changed());
    assert_eq!(verify(&request.prefix, 1, &NoProgress).unwrap().differences, []);
}

#[test]
fn there_must_be_an_environment_to_verify() {
    let cache = TestCache::new();
    let error = verify(&cache.prefix("none"), 1, &NoProgress).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
}

#[test]
fn the_leftovers_of_a_killed_install_are_removed_and_reported() {
    let cache = TestCache::new();
    let left = cache.prefix(".env~next-AbCdEf");
    std::fs::create_dir_all(left.join("conda-meta")).unwrap();
    let other = cache.prefix(".other~next-AbCdEf");
    std::fs::create_dir_all(&other).unwrap();
    let package = cache.package("a", "1").file("share/a", "1").build();
    let recorder = Recorder::default();
    install_observed(&cache.request("env", vec![package]), &recorder).unwrap();
    assert!(!left.exists());
    assert!(other.exists(), "another prefix's");
    let prefix = cache.prefix("env");
    let recovery = Recovery::StagingRemoved;
    assert_eq!(recorder.notices()[0], Notice::Recovered { prefix, recovery });
}

#[test]
fn a_parent_that_cannot_be_written_is_reported() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").file("share/a", "1").build();
    // A file where the parent should be: also root can't write there.
    std::fs::write(cache.root.path().join("envs"), "").unwrap();
    let error = install(&cache.request("env", vec![package])).unwrap_err();
    assert!(matches!(error, InstallError::Io { .. }), "{error:?}");
    assert_eq!(error.exit(), Exit::Undetermined);
    assert!(error.to_string().contains("envs"), "{error}");
}

#[test]
fn a_cache_on_another_file_system_is_copied() {
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else { return };
    let cache = TestCache::new();
    let package = cache.package("a", "1").script("bin/a", "abc").link("lib/a", "../bin/a").build();
    let mut request = cache.request("env", vec![package]);
    request.prefix = elsewhere.path().join("env");
    install(&request).unwrap();
    assert_eq!(verify(&request.prefix, 1, &NoProgress).unwrap().differences, []);
    request.lock_digest = "next".into();
    let installed = install(&request).unwrap();
    assert_eq!(installed.moved_aside().unwrap().to, elsewhere.path().join("env~previous"));
    let expected: Vec<PathBuf> = vec![".env~lock".into(), "env".into(), "env~previous".into()];
    assert_eq!(
        names(elsewhere.path()).into_iter().map(PathBuf::from).collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn modes_targets_directories_and_records_are_compared_with_what_the_archives_have() {
    let cache = TestCache::new();
    let package = cache
        .package("a", "1")
        .script("bin/a", "abc")
        .file("lib/b", "abc")
        .link("lib/c", "b")
        .build();
    let request = cache.request("env", vec![package]);
    install(&request).unwrap();
    let at = |name: &str| request.prefix.join(name);
    let set = |name: &str, mode: u32| {
        std::fs::set_permissions(at(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let found = || -> Vec<String> {
        let verified = verify(&request.prefix, 1, &NoProgress).unwrap();
        verified.differences.iter().map(ToString::to_string).collect()
    };
    assert_eq!(found(), [""; 0]);
    for (name, mode, before) in [
        ("bin/a", 0o4755, 0o755),
        ("bin/a", 0o2755, 0o755),
        ("bin/a", 0o757, 0o755),
        ("bin/a", 0o644, 0o755),
        ("lib/b", 0o666, 0o644),
        ("lib/b", 0o600, 0o644),
    ] {
        set(name, mode);
        let text = format!("{name} (a) has mode {mode:04o} instead of {before:04o}");
        assert_eq!(found(), [text]);
        assert!(!request.plan().unwrap().is_empty(), "{name} isn't as installed");
        set(name, before);
    }
    set("lib", 0o777);
    assert_eq!(found(), ["lib has mode 0777 instead of 0755"]);
    set("lib", 0o755);
    let record = std::fs::read_to_string(at("conda-meta/a-1-0.json")).unwrap();
    std::fs::write(at("conda-meta/b-1-0.json"), record.replace("\"a\"", "\"b\"")).unwrap();
    assert_eq!(found(), ["conda-meta/b-1-0.json belongs to no package"]);
    std::fs::remove_file(at("conda-meta/b-1-0.json")).unwrap();
    assert_eq!(found(), [""; 0]);
}

#[test]
fn a_file_of_the_cache_with_other_permissions_than_the_umask_allows_is_copied() {
    let cache = TestCache::new();
    let package = cache.package("a", "1").script("bin/a", "abc").file("lib/b", "abc").build();
    let set = |name: &str, mode: u32| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(package.dir.join(name), permissions).unwrap();
    };
    set("bin/a", 0o6777);
    set("lib/b", 0o666);
    let request = cache.request("env", vec![package.clone()]);
    install(&request).unwrap();
    // What the umask leaves of all permissions.
    let umask = request.prefix.metadata().unwrap().permissions().mode() & 0o777;
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&request.prefix.join("bin/a")), 0o777 & umask);
    assert_eq!(mode(&request.prefix.join("lib/b")), 0o666 & umask);
    assert_eq!(mode(&package.dir.join("bin/a")), 0o6777, "the cache is as it was");
    assert_eq!(verify(&request.prefix, 1, &NoProgress).unwrap().differences, []);
}
