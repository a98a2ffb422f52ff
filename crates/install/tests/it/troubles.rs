//! What `verify` finds, and disks that say no.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use envlock_install::{DifferenceKind, InstallError, verify};
use envlock_model::progress::{NoProgress, Notice, Recovery};
use envlock_report::{AsFindings, Exit};

use crate::support::{Recorder, World, install, install_observed, names};

#[test]
fn every_kind_of_difference_is_found() {
    let world = World::new();
    let package = world
        .package("a", "1")
        .file("changed", "abc")
        .file("grown", "abc")
        .file("missing", "abc")
        .file("directory", "abc")
        .script("mode", "abc")
        .file("same", "abc")
        .link("target", "same")
        .link("no-link", "same")
        .done();
    let wanted = world.wanted("env", vec![package]);
    install(&wanted).unwrap();
    let at = |name: &str| wanted.prefix.join(name);
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
    let differences = verify(&wanted.prefix, 3, &NoProgress).unwrap().differences;
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
            ("mode".into(), a(), DifferenceKind::Mode { executable: false }),
            ("no-link".into(), a(), DifferenceKind::Type),
            ("target".into(), a(), target),
            ("额外".into(), None, DifferenceKind::Extra),
        ]
    );
}

#[test]
fn what_cannot_be_read_is_a_difference_with_its_name_and_the_rest_is_compared() {
    let world = World::new();
    let package = world.package("a", "1").file("lib/x", "1").file("share/y", "1").done();
    let wanted = world.wanted("env", vec![package]);
    install(&wanted).unwrap();
    std::fs::remove_dir_all(wanted.prefix.join("lib")).unwrap();
    symlink("lib", wanted.prefix.join("lib")).unwrap();
    std::fs::remove_file(wanted.prefix.join("share/y")).unwrap();
    let verified = verify(&wanted.prefix, 1, &NoProgress).unwrap();
    let shown: Vec<_> = verified.differences.iter().map(ToString::to_string).collect();
    assert_eq!((verified.packages, verified.files), (1, 2));
    assert_eq!(shown.len(), 3, "{shown:?}");
    assert_eq!(shown[0], "lib belongs to no package");
    assert!(shown[1].starts_with("lib/x (a) can't be read: Too many levels"), "{}", shown[1]);
    assert_eq!(shown[2], "share/y (a) is missing");
}

#[test]
fn a_directory_that_cannot_be_looked_into_is_a_difference() {
    let world = World::new();
    let package = world.package("a", "1").file("share/y", "1").done();
    let wanted = world.wanted("env", vec![package]);
    install(&wanted).unwrap();
    let closed = wanted.prefix.join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let differences = verify(&wanted.prefix, 1, &NoProgress).unwrap().differences;
    // Nothing is closed to root.
    let is_root = std::fs::read_dir(&closed).is_ok();
    let shown: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), usize::from(!is_root), "{shown:?}");
    assert!(shown.iter().all(|line| line.starts_with("closed can't be read: ")), "{shown:?}");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_gutted_prefix_is_not_right_and_is_built_anew() {
    let world = World::new();
    let package =
        world.package("a", "1").file("lib/x", "1").file("bin/y", "12").link("z", "lib/x").done();
    let mut wanted = world.wanted("env", vec![package]);
    wanted.variables.insert("GREETING".into(), "你好".into());
    let at = |path: &str| wanted.prefix.join(path);
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
    install(&wanted).unwrap();
    for (number, gut) in ways.into_iter().enumerate() {
        assert!(wanted.plan().unwrap().is_empty(), "before {number}");
        gut();
        assert!(!wanted.plan().unwrap().is_empty(), "after {number}");
        assert!(install(&wanted).unwrap().changed(), "{number}");
        assert_eq!(verify(&wanted.prefix, 1, &NoProgress).unwrap().differences, [], "{number}");
    }
}

#[test]
fn a_record_that_cannot_be_read_is_replaced_only_when_asked() {
    let world = World::new();
    let package = world.package("a", "1").file("share/a", "1").done();
    let mut wanted = world.wanted("env", vec![package]);
    install(&wanted).unwrap();
    std::fs::write(wanted.prefix.join("conda-meta/a-1-0.json"), "{").unwrap();
    for refused in [wanted.plan().err(), install(&wanted).err()] {
        assert!(matches!(refused, Some(InstallError::UnreadableRecord { .. })), "{refused:?}");
    }
    wanted.replace = true;
    assert_eq!(wanted.plan().unwrap().steps().unwrap().keep, []);
    assert!(install(&wanted).unwrap().changed());
    assert_eq!(verify(&wanted.prefix, 1, &NoProgress).unwrap().differences, []);
}

#[test]
fn a_prefix_with_differences_is_built_anew_with_replace() {
    let world = World::new();
    let package = world.package("a", "1").file("share/a", "1").done();
    let mut wanted = world.wanted("env", vec![package]);
    install(&wanted).unwrap();
    std::fs::remove_file(wanted.prefix.join("share/a")).unwrap();
    wanted.replace = true;
    assert!(install(&wanted).unwrap().changed());
    assert_eq!(verify(&wanted.prefix, 1, &NoProgress).unwrap().differences, []);
}

#[test]
fn there_must_be_an_environment_to_verify() {
    let world = World::new();
    let error = verify(&world.prefix("none"), 1, &NoProgress).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
}

#[test]
fn the_leftovers_of_a_killed_install_are_removed_and_reported() {
    let world = World::new();
    let left = world.prefix(".env~next-AbCdEf");
    std::fs::create_dir_all(left.join("conda-meta")).unwrap();
    let other = world.prefix(".other~next-AbCdEf");
    std::fs::create_dir_all(&other).unwrap();
    let package = world.package("a", "1").file("share/a", "1").done();
    let recorder = Recorder::default();
    install_observed(&world.wanted("env", vec![package]), &recorder).unwrap();
    assert!(!left.exists());
    assert!(other.exists(), "another prefix's");
    let prefix = world.prefix("env");
    let recovery = Recovery::StagingRemoved;
    assert_eq!(recorder.notices()[0], Notice::Recovered { prefix, recovery });
}

#[test]
fn an_unwritable_parent_is_an_error() {
    let world = World::new();
    let package = world.package("a", "1").file("share/a", "1").done();
    // A file where the parent should be: also root can't write there.
    std::fs::write(world.root.path().join("envs"), "").unwrap();
    let error = install(&world.wanted("env", vec![package])).unwrap_err();
    assert!(matches!(error, InstallError::Disk { .. }), "{error:?}");
    assert_eq!(error.exit(), Exit::Undetermined);
    assert!(error.to_string().contains("envs"), "{error}");
}

#[test]
fn a_cache_on_another_file_system_is_copied() {
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else { return };
    let world = World::new();
    let package = world.package("a", "1").script("bin/a", "abc").link("lib/a", "../bin/a").done();
    let mut wanted = world.wanted("env", vec![package]);
    wanted.prefix = elsewhere.path().join("env");
    install(&wanted).unwrap();
    assert_eq!(verify(&wanted.prefix, 1, &NoProgress).unwrap().differences, []);
    wanted.stamp = "next".into();
    let installed = install(&wanted).unwrap();
    assert_eq!(installed.moved_aside().unwrap().to, elsewhere.path().join("env~previous"));
    let expected: Vec<PathBuf> = vec![".env~lock".into(), "env".into(), "env~previous".into()];
    assert_eq!(
        names(elsewhere.path()).into_iter().map(PathBuf::from).collect::<Vec<_>>(),
        expected
    );
}
