//! Hand-made archives.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use tempfile::TempDir;

use super::*;

/// An entry of an archive.
struct Entry {
    kind: EntryType,
    path: &'static str,
    link: &'static str,
    content: Vec<u8>,
    mode: u32,
}

fn file(path: &'static str, content: &str) -> Entry {
    let content = content.as_bytes().to_vec();
    Entry { kind: EntryType::Regular, path, link: "", content, mode: 0o644 }
}

fn link(kind: EntryType, path: &'static str, link: &'static str) -> Entry {
    Entry { kind, path, link, content: Vec::new(), mode: 0o777 }
}

/// The bytes of a tar. The names are written as they are, whatever they are.
fn tar_of(entries: &[Entry]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(entry.kind);
        header.set_size(entry.content.len() as u64);
        header.set_mode(entry.mode);
        header.set_mtime(1_700_000_000);
        let name = &mut header.as_old_mut().name;
        name[..entry.path.len()].copy_from_slice(entry.path.as_bytes());
        let target = &mut header.as_old_mut().linkname;
        target[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
        header.set_cksum();
        builder.append(&header, entry.content.as_slice()).expect("a tar in memory");
    }
    builder.into_inner().expect("a tar in memory")
}

fn unpacker(folder: &TempDir, remaining: u64) -> Unpacker {
    let root = folder.path().canonicalize().expect("a folder");
    Unpacker { root, folders: HashSet::new(), remaining, entries: 0 }
}

/// Unpacks entries into a new folder. Returns it, and the reason if they are no package.
fn unpacked(entries: &[Entry]) -> (TempDir, Option<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let result = unpacker(&folder, 1_000_000).tar(tar_of(entries).as_slice());
    let reason = match result {
        Ok(()) => None,
        Err(UnpackError::NotAPackage(reason)) => Some(reason),
        Err(UnpackError::Disk(error)) => panic!("{error}"),
    };
    (folder, reason)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
}

#[test]
fn files_have_the_content_and_the_time_of_the_archive_and_modes_within_the_umask() {
    let entries: Vec<_> = [0o755, 0o666, 0o777, 0o6755, 0o1777, 0o000, 0o444]
        .into_iter()
        .map(|mode| Entry {
            path: Box::leak(format!("bin/{mode:o}").into_boxed_str()),
            mode,
            ..file("", "x")
        })
        .collect();
    let (folder, reason) = unpacked(&entries);
    assert_eq!(reason, None);
    let probe = folder.path().join("probe");
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o777).open(&probe).expect("it");
    let umask = 0o777 ^ mode(&probe);
    for entry in &entries {
        let path = folder.path().join(entry.path);
        assert_eq!(std::fs::read(&path).expect("it can be read"), b"x");
        let expected = ((entry.mode & 0o777) | 0o400) & !umask;
        assert_eq!(mode(&path), expected, "{:o}", entry.mode);
        assert_eq!(std::fs::metadata(&path).expect("it exists").mtime(), 1_700_000_000);
    }
}

#[test]
fn nothing_is_written_outside_of_the_folder() {
    use EntryType::{Link, Symlink};
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("victim"), "victim").expect("a file");
    let outside_path: &'static str =
        Box::leak(outside.path().to_str().expect("a path").to_owned().into_boxed_str());
    let victim: &'static str = Box::leak(format!("{outside_path}/victim").into_boxed_str());
    let cases: Vec<Vec<Entry>> = vec![
        vec![file("../x", "x")],
        vec![file("a/../../x", "x")],
        vec![link(Symlink, "out", outside_path), file("out/x", "x")],
        vec![link(Symlink, "out", ".."), file("out/x", "x")],
        vec![link(Symlink, "a", "b"), link(Symlink, "b", ".."), file("a/x", "x")],
        vec![link(Symlink, "out", outside_path), link(Symlink, "out/x", "y")],
        vec![link(Symlink, "out", outside_path), link(Link, "x", "out/victim")],
        vec![link(Link, "x", "../x")],
        vec![link(Link, "x", victim)],
        // A folder that was checked is replaced by a link.
        vec![file("a/b", "x"), link(Symlink, "a", outside_path), file("a/x", "x")],
        vec![
            link(Symlink, "in", "d"),
            file("d/y", "y"),
            file("in/z", "z"),
            link(Symlink, "in", outside_path),
            file("in/x", "x"),
        ],
    ];
    for (number, entries) in cases.iter().enumerate() {
        let (_folder, reason) = unpacked(entries);
        assert!(reason.is_some(), "{number}");
        let left: Vec<_> = std::fs::read_dir(outside.path()).expect("a folder").collect();
        assert_eq!(left.len(), 1, "{number}");
        let content = std::fs::read_to_string(outside.path().join("victim"));
        assert_eq!(content.expect("the file"), "victim", "{number}");
    }
    // A file that replaces a link doesn't write through it.
    let (folder, reason) = unpacked(&[link(Symlink, "x", victim), file("x", "new")]);
    assert_eq!(reason, None);
    let found = std::fs::symlink_metadata(folder.path().join("x")).expect("a file");
    assert!(found.is_file());
    assert_eq!(std::fs::read_to_string(victim).expect("the file"), "victim");
    // A root in a name is removed.
    let absolute: &'static str = Box::leak(format!("{outside_path}/x").into_boxed_str());
    let (folder, reason) = unpacked(&[file(absolute, "x")]);
    assert_eq!(reason, None);
    assert!(folder.path().join(absolute.trim_start_matches('/')).is_file());
}

#[test]
fn links_within_the_package_are_kept() {
    use EntryType::{Link, Symlink};
    let (folder, reason) = unpacked(&[
        file("lib/a", "a"),
        link(Symlink, "lib64", "lib"),
        link(Symlink, "lib/b", "a"),
        link(Link, "lib/c", "lib/a"),
        file("lib64/d", "d"),
    ]);
    assert_eq!(reason, None);
    let read = |path: &str| std::fs::read_to_string(folder.path().join(path)).expect(path);
    assert_eq!((read("lib/b"), read("lib/c"), read("lib/d")), ("a".into(), "a".into(), "d".into()));
}

#[test]
fn an_archive_that_is_no_package_is_an_error_of_the_archive() {
    let device = link(EntryType::Char, "null", "");
    let cases = [
        (vec![device], "no file, folder or link"),
        (vec![link(EntryType::Fifo, "pipe", "")], "no file, folder or link"),
        (vec![link(EntryType::Symlink, "x", "")], "without a target"),
        (vec![file("a", "a"), file("a/b", "b")], "a file and a folder"),
        (vec![file("a/b", "b"), file("a", "a")], "a file and a folder"),
        (vec![link(EntryType::Link, "x", "y")], "isn't a file of the package"),
    ];
    for (entries, expected) in cases {
        let reason = unpacked(&entries).1.expect(expected);
        assert!(reason.contains(expected), "{reason}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let tar = tar_of(&[file("a", "content")]);
    let error = unpacker(&folder, 1_000_000).tar(&tar[..600]);
    assert!(matches!(error, Err(UnpackError::NotAPackage(_))), "{error:?}");
}

#[test]
fn the_size_of_the_result_is_limited() {
    let tar = tar_of(&[file("a", &"x".repeat(3000))]);
    for (limit, is_enough) in [(10_000, true), (2999, false), (100, false)] {
        let folder = tempfile::tempdir().expect("a folder");
        let result = unpacker(&folder, limit).tar(tar.as_slice());
        assert_eq!(result.is_ok(), is_enough, "{limit}: {result:?}");
        let written = std::fs::metadata(folder.path().join("a")).map_or(0, |found| found.len());
        assert!(written <= limit, "{written}");
    }
    // The limit holds for all parts of an archive together.
    let folder = tempfile::tempdir().expect("a folder");
    let mut unpacker = unpacker(&folder, 7000);
    assert!(unpacker.tar(tar.as_slice()).is_ok());
    let second = tar_of(&[file("b", &"x".repeat(4001))]);
    assert!(unpacker.tar(second.as_slice()).is_err());
}

#[test]
fn a_path_of_thousands_of_folders_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    let name = "a/".repeat(100_000) + "x";
    builder.append_data(&mut header, &name, io::empty()).expect("a tar in memory");
    let tar = builder.into_inner().expect("a tar in memory");
    let result = unpacker(&folder, 1_000_000).tar(tar.as_slice());
    assert!(matches!(result, Err(UnpackError::NotAPackage(why)) if why.contains("4096 bytes")));
}
