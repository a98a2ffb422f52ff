//! Wheels as a reader of zip archives sees them.

use std::io::{Cursor, Read};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use zip::ZipArchive;

use super::*;

fn sample() -> Wheel {
    Wheel::new("Sample.Project", "1.2")
        .requires_python(">=3.8")
        .requires_dist(["idna>=2.5,<4"])
        .extra("socks", ["pysocks>=1.5"])
        .description("Says <what> it is.\n")
        .file("sample/__init__.py", "")
        .file("sample/文, \"x\".txt", "text")
        .script("run-sample", "#!python\n")
        .data_file("data", "share/sample/words", "words")
        .data_file("headers", "sample.h", "int x;")
        .console_script("sample = sample:main")
        .gui_script("sample-window = sample:window")
}

fn written(wheel: &Wheel) -> (BuiltDistribution, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let built = wheel.write(directory.path()).unwrap();
    let bytes = fs_err::read(&built.path).unwrap();
    (built, bytes)
}

/// The names, bytes and modes of the entries by the order in the central directory, read one by
/// one: the zip crate's map of names has a name only once.
fn entries(wheel: &Wheel) -> Vec<(String, Vec<u8>, u32)> {
    let mut archive = ZipArchive::new(Cursor::new(written(wheel).1)).unwrap();
    let all = (0..archive.len()).map(|at| {
        let mut entry = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.name().unwrap().into_owned(), bytes, entry.unix_mode().unwrap())
    });
    all.collect()
}

fn text(wheel: &Wheel, path: &str) -> String {
    let entry = entries(wheel).into_iter().find(|(name, ..)| name == path).unwrap();
    String::from_utf8(entry.1).unwrap()
}

fn names(wheel: &Wheel) -> Vec<String> {
    entries(wheel).into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn the_archive_has_the_files_sorted_and_the_record_at_the_end() {
    let expected = [
        "sample/__init__.py",
        "sample/文, \"x\".txt",
        "sample_project-1.2.data/data/share/sample/words",
        "sample_project-1.2.data/headers/sample.h",
        "sample_project-1.2.data/scripts/run-sample",
        "sample_project-1.2.dist-info/METADATA",
        "sample_project-1.2.dist-info/WHEEL",
        "sample_project-1.2.dist-info/entry_points.txt",
        "sample_project-1.2.dist-info/RECORD",
    ];
    assert_eq!(names(&sample()), expected);
    let executable: Vec<_> =
        entries(&sample()).into_iter().filter(|(.., mode)| mode & 0o111 != 0).collect();
    assert_eq!(executable.len(), 1);
    assert_eq!((&*executable[0].0, executable[0].2), (expected[4], 0o100_755));
}

#[test]
fn metadata_and_entry_points_are_written_as_told() {
    let metadata = "Metadata-Version: 2.1\nName: Sample.Project\nVersion: 1.2\n\
                    Requires-Python: >=3.8\nRequires-Dist: idna>=2.5,<4\nProvides-Extra: socks\n\
                    Requires-Dist: pysocks>=1.5; extra == \"socks\"\n\nSays <what> it is.\n";
    assert_eq!(text(&sample(), "sample_project-1.2.dist-info/METADATA"), metadata);
    assert_eq!(written(&sample()).0.metadata, metadata);
    let entry_points = "[console_scripts]\nsample = sample:main\n\
                        [gui_scripts]\nsample-window = sample:window\n";
    let path = "sample_project-1.2.dist-info/entry_points.txt";
    assert_eq!(text(&sample(), path), entry_points);
}

#[test]
fn the_record_has_hash_and_size_of_every_file_but_itself() {
    let wheel = sample();
    let record = text(&wheel, "sample_project-1.2.dist-info/RECORD");
    let mut rows = 0;
    for (name, bytes, _) in entries(&wheel) {
        let name =
            if name.contains('"') { format!("\"{}\"", name.replace('"', "\"\"")) } else { name };
        let line = record.lines().find_map(|line| line.strip_prefix(&format!("{name},"))).unwrap();
        rows += 1;
        if name.ends_with("/RECORD") {
            assert_eq!(line, ",");
            continue;
        }
        let (digest, size) = line.strip_prefix("sha256=").unwrap().split_once(',').unwrap();
        let digest = BASE64_URL_SAFE_NO_PAD.decode(digest).unwrap();
        assert_eq!(digest[..], compute_bytes_digest::<Sha256>(&bytes)[..], "{name}");
        assert_eq!(size, bytes.len().to_string(), "{name}");
    }
    assert_eq!(record.lines().count(), rows);
}

#[test]
fn a_compressed_tag_is_written_in_full() {
    let wheel = Wheel::new("a", "1").tag("py2.py3-none-any");
    let text_of = |wheel: &Wheel| text(wheel, "a-1.dist-info/WHEEL");
    assert!(text_of(&wheel).ends_with("true\nTag: py2-none-any\nTag: py3-none-any\n"));
    let wheel = wheel.tag("cp310-abi3-linux_x86_64.manylinux2014_x86_64").build_tag("7");
    assert!(text_of(&wheel).ends_with(
        "Root-Is-Purelib: false\nTag: cp310-abi3-linux_x86_64\n\
         Tag: cp310-abi3-manylinux2014_x86_64\nBuild: 7\n"
    ));
    let name = "a-1-7-cp310-abi3-linux_x86_64.manylinux2014_x86_64.whl";
    assert_eq!(written(&wheel).0.file_name, name);
}

#[test]
fn the_same_wheel_has_the_same_bytes_in_any_order_of_files() {
    let one = Wheel::new("a", "1").file("x", "x").script("s", "s").file("y", "y");
    let other = Wheel::new("a", "1").file("y", "y").file("x", "x").script("s", "s");
    assert_eq!(written(&one).1, written(&other).1);
    let mut archive = ZipArchive::new(Cursor::new(written(&one).1)).unwrap();
    for at in 0..archive.len() {
        let time = archive.by_index(at).unwrap().last_modified();
        assert_eq!(time, Some(zip::DateTime::DEFAULT));
    }
}

#[test]
fn what_is_built_tells_digest_and_size_of_the_file() {
    let (built, bytes) = written(&sample());
    assert_eq!(built.file_name, "sample_project-1.2-py3-none-any.whl");
    assert_eq!(built.size, bytes.len() as u64);
    assert_eq!(built.sha256, hex::encode(compute_bytes_digest::<Sha256>(&bytes)));
}

/// A bare wheel, whose `.dist-info` sorts after every path of the tests.
fn bare() -> Wheel {
    Wheel::new("z", "1").without("METADATA").without("WHEEL").without("RECORD")
}

#[test]
fn paths_are_written_unchanged_even_the_same_one_twice() {
    let wheel = bare()
        .file("/absolute", "")
        .file("../outside", "")
        .file("a/../../b", "")
        .file("a\\b", "")
        .file("same", "1")
        .file("same", "2")
        .file("same", "3")
        .file("Same", "4");
    let paths = ["../outside", "/absolute", "Same", "a/../../b", "a\\b", "same", "same", "same"];
    // The central directory, without the zip crate's map of names.
    let bytes = written(&wheel).1;
    let mut found = Vec::new();
    for (at, _) in bytes.windows(4).enumerate().filter(|(_, bytes)| bytes == b"PK\x01\x02") {
        let length = usize::from(bytes[at + 28]);
        found.push(std::str::from_utf8(&bytes[at + 46..at + 46 + length]).unwrap());
    }
    assert_eq!(found, paths);
    let mut local = Vec::new();
    for (at, _) in bytes.windows(4).enumerate().filter(|(_, bytes)| bytes == b"PK\x03\x04") {
        let length = usize::from(bytes[at + 26]);
        local.push(std::str::from_utf8(&bytes[at + 30..at + 30 + length]).unwrap());
    }
    assert_eq!(local, paths);
}

#[test]
fn a_link_has_its_type_and_its_target() {
    let link = entries(&bare().symlink("link", "../target")).remove(0);
    assert_eq!(link, ("link".to_owned(), b"../target".to_vec(), 0o120_777));
}

#[test]
fn files_of_dist_info_can_be_missing_or_elsewhere() {
    assert_eq!(names(&bare().file("x", "")), ["x"]);
    let other = Wheel::new("z", "1").dist_info("Y-2.dist-info");
    assert_eq!(
        names(&other),
        ["METADATA", "WHEEL", "RECORD"].map(|name| format!("Y-2.dist-info/{name}"))
    );
}

#[test]
fn the_inside_may_say_otherwise_than_the_name() {
    let wheel = Wheel::new("inside", "1").file_name("outside-2-py3-none-any.whl");
    assert_eq!(written(&wheel).0.file_name, "outside-2-py3-none-any.whl");
    assert!(text(&wheel, "inside-1.dist-info/METADATA").contains("Name: inside\nVersion: 1\n"));
    let wheel = wheel.metadata_field("Name", "third").metadata_field("Version", "3");
    assert!(text(&wheel, "inside-1.dist-info/METADATA").contains("Name: third\nVersion: 3\n"));
    let wheel = wheel.metadata_text("no metadata");
    assert_eq!(text(&wheel, "inside-1.dist-info/METADATA"), "no metadata");
}

#[test]
fn the_record_may_be_wrong() {
    let wheel = Wheel::new("z", "1")
        .file_recorded_as("a", "longer", "x")
        .file_not_recorded("b", "b")
        .record_line("../../c,sha256=AA,1");
    let record = text(&wheel, "z-1.dist-info/RECORD");
    let digest = BASE64_URL_SAFE_NO_PAD.encode(compute_bytes_digest::<Sha256>(b"x"));
    assert!(record.starts_with(&format!("a,sha256={digest},1\nz-1.dist-info/METADATA,")));
    assert!(record.ends_with("z-1.dist-info/RECORD,,\n../../c,sha256=AA,1\n"));
}

#[test]
fn entry_points_are_written_unchanged() {
    let wheel =
        Wheel::new("z", "1").console_script("../evil = a:b").console_script("two\nlines = a:b");
    let text = text(&wheel, "z-1.dist-info/entry_points.txt");
    assert_eq!(text, "[console_scripts]\n../evil = a:b\ntwo\nlines = a:b\n");
}
