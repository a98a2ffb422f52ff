//! Sdists as a reader of tar archives sees them. `testkit` builds them with pip.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;

use super::*;

fn sample() -> Sdist {
    Sdist::new("Sample.Project", "1.2")
        .requires_python(">=3.8")
        .requires_dist(["idna>=2.5,<4"])
        .build_requires(["setuptools>=60", "a; python_version < \"3\""])
        .console_script("sample = sample:main")
        .file("src/sample.py", "def main(): pass\n")
}

fn files(sdist: &Sdist) -> BTreeMap<PathBuf, String> {
    let directory = tempfile::tempdir().unwrap();
    let built = sdist.write(directory.path()).unwrap();
    let mut archive = tar::Archive::new(GzDecoder::new(fs_err::File::open(built.path).unwrap()));
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        assert_eq!(entry.header().mtime().unwrap(), MTIME);
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (entry.path().unwrap().into_owned(), text)
    });
    entries.collect()
}

#[test]
fn everything_is_in_one_directory_with_the_metadata() {
    let files = files(&sample());
    let paths: Vec<_> = files.keys().map(|path| path.to_str().unwrap()).collect();
    let expected = [
        "PKG-INFO",
        "backend/METADATA",
        "backend/entry_points.txt",
        "backend/envlock_backend.py",
        "pyproject.toml",
        "src/sample.py",
    ];
    assert_eq!(paths, expected.map(|path| format!("sample_project-1.2/{path}")));
    assert_eq!(
        files[Path::new("sample_project-1.2/PKG-INFO")],
        "Metadata-Version: 2.2\nName: Sample.Project\nVersion: 1.2\nRequires-Python: >=3.8\n\
         Requires-Dist: idna>=2.5,<4\n"
    );
    let pyproject = &files[Path::new("sample_project-1.2/pyproject.toml")];
    let requires = r#"requires = ["setuptools>=60","a; python_version < \"3\""]"#;
    assert!(pyproject.contains(requires), "{pyproject}");
}

#[test]
fn a_dynamic_field_is_known_to_the_build_only() {
    let files = files(&sample().dynamic("Requires-Dist"));
    let pkg_info = &files[Path::new("sample_project-1.2/PKG-INFO")];
    assert!(!pkg_info.contains("idna"), "{pkg_info}");
    assert!(pkg_info.ends_with("Dynamic: Requires-Dist\n"), "{pkg_info}");
    let built = &files[Path::new("sample_project-1.2/backend/METADATA")];
    assert!(built.contains("Requires-Dist: idna>=2.5,<4\n") && !built.contains("Dynamic"));
    assert_eq!(sample().dynamic("Requires-Python").release().requires_python, None);
}

#[test]
fn the_same_sdist_has_the_same_bytes() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = sample().file("a", "").write(here.path()).unwrap();
    let other = Sdist::new("Sample.Project", "1.2")
        .file("a", "")
        .file("src/sample.py", "def main(): pass\n")
        .requires_python(">=3.8")
        .requires_dist(["idna>=2.5,<4"])
        .build_requires(["setuptools>=60", "a; python_version < \"3\""])
        .console_script("sample = sample:main")
        .write(there.path())
        .unwrap();
    assert_eq!((one.sha256, one.size), (other.sha256, other.size));
}

#[test]
fn a_tree_has_the_files_of_the_archive_without_pkg_info() {
    let directory = tempfile::tempdir().unwrap();
    let sdist = sample().symlink("alias", "src/sample.py").before_build("raise SystemExit(3)");
    sdist.write_tree(directory.path()).unwrap();
    let alias = fs_err::read_to_string(directory.path().join("alias")).unwrap();
    assert_eq!(alias, "def main(): pass\n");
    assert!(!directory.path().join("PKG-INFO").exists());
    let backend = directory.path().join("backend/envlock_backend.py");
    let backend = fs_err::read_to_string(backend).unwrap();
    assert!(backend.contains("\nraise SystemExit(3)\n"));
    assert!(backend.contains("STEM = \"sample_project-1.2\""));
}

#[test]
fn a_raw_path_is_outside_of_the_directory() {
    let files = files(&sample().file_with_raw_path("../outside", "x"));
    assert_eq!(files[Path::new("../outside")], "x");
}
