//! Packages that are edited after they were unpacked.

use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

/// A package with a file, a link and `info`. Its list has this entry for the file.
fn package(entry: &Value) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    for name in ["info", "lib"] {
        fs::create_dir(path(name)).expect("a folder");
    }
    fs::write(path("lib/a"), "content").expect("a file");
    symlink("a", path("lib/b")).expect("a link");
    fs::write(path("info/link.json"), "{}").expect("a file");
    let list = serde_json::json!({ "paths": [entry, { "_path": "lib/b" }], "paths_version": 1 });
    fs::write(path(PATHS), list.to_string()).expect("a file");
    folder
}

fn sha256_of(text: &str) -> String {
    hex::encode(rattler_digest::compute_bytes_digest::<Sha256>(text))
}

#[test]
fn every_change_of_a_file_a_link_or_info_is_found() {
    type Edit = fn(&Path);
    let edits: [(Edit, &str); 8] = [
        (|path| fs::write(path.join("lib/a"), "CONTENT").expect("it"), "lib/a has other bytes"),
        (|path| fs::write(path.join("lib/a"), "x").expect("it"), "lib/a has 1 bytes instead of 7"),
        (|path| fs::remove_file(path.join("lib/a")).expect("it"), "lib/a is missing"),
        (
            |path| {
                let mode = std::fs::Permissions::from_mode(0o4755);
                fs::set_permissions(path.join("lib/a"), mode).expect("it");
            },
            "lib/a has the mode 4755 instead of ",
        ),
        (
            |path| {
                fs::remove_file(path.join("lib/b")).expect("it");
                symlink("/etc/passwd", path.join("lib/b")).expect("it");
            },
            "lib/b points to /etc/passwd instead of a",
        ),
        (
            |path| {
                fs::remove_file(path.join("lib/a")).expect("it");
                symlink("b", path.join("lib/a")).expect("it");
            },
            "lib/a is another kind of file",
        ),
        (|path| fs::write(path.join("info/link.json"), "[]").expect("it"), "info/link.json has"),
        (|path| fs::write(path.join(PATHS), "{}").expect("it"), "info/paths.json has"),
    ];
    for (edit, expected) in edits {
        let package = package(&serde_json::json!({ "_path": "lib/a" }));
        UnpackedFiles::create(package.path()).expect("it can be listed");
        let files = UnpackedFiles::read(package.path()).expect("the list");
        assert_eq!(files.verify(package.path()), Ok(()));
        edit(package.path());
        let difference = files.verify(package.path()).expect_err(expected);
        assert!(difference.starts_with(expected), "{difference}");
    }
}

#[test]
fn a_wrong_digest_or_size_in_the_list_of_the_package_is_corrected() {
    let right = sha256_of("content");
    let wrong = "0".repeat(64);
    for (entry, is_wrong) in [
        (serde_json::json!({ "_path": "lib/a", "sha256": right, "size_in_bytes": 7 }), false),
        (serde_json::json!({ "_path": "lib/a", "sha256": right.to_uppercase() }), false),
        (serde_json::json!({ "_path": "lib/a", "sha256": null, "size_in_bytes": null }), false),
        (serde_json::json!({ "_path": "lib/a", "sha256": wrong, "size_in_bytes": 7 }), true),
        (serde_json::json!({ "_path": "lib/a", "sha256": right, "size_in_bytes": 8 }), true),
    ] {
        let package = package(&entry);
        let files = UnpackedFiles::create(package.path()).expect("it can be listed");
        let expected: &[&str] = if is_wrong { &["lib/a"] } else { &[] };
        assert_eq!(files.corrected, expected, "{entry}");
        assert_eq!(UnpackedFiles::read(package.path()).expect("the list"), files);
        assert_eq!(files.verify(package.path()), Ok(()));
        if is_wrong {
            let text = fs::read(package.path().join(PATHS)).expect("the list of the package");
            let list: Value = serde_json::from_slice(&text).expect("JSON");
            assert_eq!(list["paths"][0]["sha256"], right);
            assert_eq!(list["paths"][0]["size_in_bytes"], 7);
        }
    }
}

#[test]
fn a_list_that_the_package_brings_is_replaced() {
    let package = package(&serde_json::json!({ "_path": "lib/a" }));
    let target = package.path().join("lib/a");
    symlink(&target, package.path().join(FILE)).expect("a link");
    let files = UnpackedFiles::create(package.path()).expect("it can be listed");
    assert_eq!(fs::read_to_string(target).expect("the file"), "content");
    assert_eq!(UnpackedFiles::read(package.path()).expect("the list"), files);
    fs::write(package.path().join(FILE), "{").expect("the list");
    assert!(UnpackedFiles::read(package.path()).is_err());
}
