//! Archives as another's reader sees them.

use std::path::Path;

use rattler_conda_types::package::{
    FileMode, IndexJson, LinkJson, NoArchLinks, PackageFile, PathType, PathsJson,
};
use rattler_package_streaming::fs::extract;

use super::*;

const FORMATS: [Format; 2] = [Format::Conda, Format::TarBz2];

fn sample() -> Package {
    let long = format!("lib/{}/深/файл.txt", "d".repeat(120));
    Package::new("sample", "1.2.3")
        .build("py310_7")
        .depends(["python >=3.10,<3.11.0a0"])
        .constrains(["other <2"])
        .field("track_features", "cpu")
        .file("lib/a.txt", "a")
        .file(long, "long")
        .executable("bin/run", "#!/bin/sh\n")
        .symlink("bin/alias", "run")
        .prefix_text("bin/script", "#!{PREFIX}/bin/python\n")
        .prefix_text("etc/conf", "at={PREFIX}\nagain={PREFIX}/etc\n")
        .prefix_binary("lib/lib.so", b"\x7fELF\x00", b"/share\x00rest")
        .post_link("#!/bin/sh\necho linked\n")
}

fn unpacked(package: &Package, format: Format) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let built = package.write(directory.path(), format).unwrap();
    let into = tempfile::tempdir().unwrap();
    extract(&built.path, into.path()).unwrap();
    into
}

fn text(root: &Path, path: &str) -> String {
    fs_err::read_to_string(root.join(path)).unwrap()
}

#[test]
fn what_was_put_in_comes_out_of_both_formats() {
    for format in FORMATS {
        let root = unpacked(&sample(), format);
        let root = root.path();
        assert_eq!(text(root, "lib/a.txt"), "a");
        assert_eq!(text(root, &format!("lib/{}/深/файл.txt", "d".repeat(120))), "long");
        assert_eq!(text(root, "bin/script"), format!("#!{PLACEHOLDER}/bin/python\n"));
        assert_eq!(fs_err::read_link(root.join("bin/alias")).unwrap(), Path::new("run"));
        let binary = fs_err::read(root.join("lib/lib.so")).unwrap();
        assert_eq!(binary, [b"\x7fELF\0", PLACEHOLDER.as_bytes(), b"/share\0rest"].concat());
        assert!(is_executable(&fs_err::metadata(root.join("bin/run")).unwrap()));
        assert!(!is_executable(&fs_err::metadata(root.join("lib/a.txt")).unwrap()));
        assert!(is_executable(&fs_err::metadata(root.join("bin/.sample-post-link.sh")).unwrap()));
    }
}

#[test]
fn the_index_has_the_given_fields() {
    let root = unpacked(&sample(), Format::Conda);
    let index = IndexJson::from_package_directory(root.path()).unwrap();
    assert_eq!(index.name.as_normalized(), "sample");
    assert_eq!((index.version.to_string(), index.build_number), ("1.2.3".to_owned(), 7));
    assert_eq!(index.depends, ["python >=3.10,<3.11.0a0"]);
    assert_eq!(index.constrains, ["other <2"]);
    assert_eq!(index.track_features, ["cpu"]);
    assert_eq!(index.subdir.as_deref(), Some("linux-64"));
    assert_eq!((index.arch.as_deref(), index.platform.as_deref()), (Some("x86_64"), Some("linux")));
}

#[test]
fn every_path_is_listed_with_its_digest_its_size_and_its_prefix() {
    let package = sample();
    let root = unpacked(&package, Format::TarBz2);
    let paths = PathsJson::from_package_directory(root.path()).unwrap().paths;
    assert_eq!(paths.len(), package.entries.len());
    for path in &paths {
        if path.path_type == PathType::SoftLink {
            assert_eq!(path.relative_path, Path::new("bin/alias"));
            continue;
        }
        let bytes = fs_err::read(root.path().join(&path.relative_path)).unwrap();
        assert_eq!(path.size_in_bytes, Some(bytes.len() as u64));
        assert_eq!(path.sha256, Some(rattler_digest::compute_bytes_digest::<Sha256>(&bytes)));
    }
    let with_prefix = paths.iter().filter_map(|path| {
        let placeholder = path.prefix_placeholder.as_ref()?;
        assert_eq!(placeholder.placeholder, PLACEHOLDER);
        Some((path.relative_path.to_str()?, placeholder.file_mode))
    });
    assert_eq!(
        with_prefix.collect::<Vec<_>>(),
        [
            ("bin/script", FileMode::Text),
            ("etc/conf", FileMode::Text),
            ("lib/lib.so", FileMode::Binary),
        ]
    );
}

#[test]
fn the_lists_of_old_agree_with_paths_json() {
    let package = sample().prefix_text("share/with space", "{PREFIX}");
    let root = unpacked(&package, Format::Conda);
    let old = PathsJson::from_deprecated_package_directory(root.path()).unwrap().paths;
    let new = PathsJson::from_package_directory(root.path()).unwrap().paths;
    let summary = |paths: &[rattler_conda_types::package::PathsEntry]| {
        let lines = paths.iter().map(|path| {
            (path.relative_path.clone(), path.path_type, path.prefix_placeholder.clone())
        });
        lines.collect::<Vec<_>>()
    };
    assert_eq!(summary(&old), summary(&new));
}

#[test]
fn the_placeholder_has_255_characters() {
    assert_eq!(PLACEHOLDER.len(), 255);
    assert!(PLACEHOLDER.starts_with('/'));
}

#[test]
fn a_binary_string_without_an_end_gets_one() {
    let package = Package::new("a", "1").prefix_binary("x", "", "rest");
    let root = unpacked(&package, Format::Conda);
    assert_eq!(text(root.path(), "x"), format!("{PLACEHOLDER}\0rest"));
}

#[test]
fn a_noarch_python_package_links_its_entry_points() {
    let package = Package::new("greet", "1").noarch_python().entry_point("greet = greet:main");
    let root = unpacked(&package, Format::Conda);
    let NoArchLinks::Python(links) = LinkJson::from_package_directory(root.path()).unwrap().noarch
    else {
        panic!("it is noarch: python");
    };
    assert_eq!(links.entry_points[0].to_string(), "greet = greet:main");
    let index = IndexJson::from_package_directory(root.path()).unwrap();
    assert!(index.noarch.is_python() && index.arch.is_none() && index.platform.is_none());
    let generic = unpacked(&Package::new("data", "1").noarch_generic(), Format::Conda);
    assert!(!generic.path().join("info/link.json").exists());
}

#[test]
fn the_same_package_has_the_same_bytes_in_any_order_of_telling() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for format in FORMATS {
        let one = Package::new("a", "1").file("x", "x").file("y", "y").symlink("z", "y");
        let other = Package::new("a", "1").symlink("z", "y").file("y", "y").file("x", "x");
        let one = one.write(here.path(), format).unwrap();
        let other = other.write(there.path(), format).unwrap();
        assert_eq!((one.sha256, one.record), (other.sha256, other.record));
    }
}

#[test]
fn no_archive_holds_the_time_of_day() {
    let directory = tempfile::tempdir().unwrap();
    let built = sample().write(directory.path(), Format::Conda).unwrap();
    let mut zip = zip::ZipArchive::new(fs_err::File::open(&built.path).unwrap()).unwrap();
    for at in 0..zip.len() {
        let time = zip.by_index(at).unwrap().last_modified();
        assert_eq!(time, Some(zip::DateTime::DEFAULT));
    }
    let built = sample().write(directory.path(), Format::TarBz2).unwrap();
    let tar = bzip2::read::BzDecoder::new(fs_err::File::open(&built.path).unwrap());
    for entry in tar::Archive::new(tar).entries().unwrap() {
        assert_eq!(entry.unwrap().header().mtime().unwrap(), TIMESTAMP / 1000);
    }
}

#[test]
fn what_is_built_tells_the_digests_and_the_size_of_the_archive() {
    let directory = tempfile::tempdir().unwrap();
    let built = sample().write(directory.path(), Format::Conda).unwrap();
    let bytes = fs_err::read(&built.path).unwrap();
    assert_eq!(built.file_name, "sample-1.2.3-py310_7.conda");
    assert_eq!(built.size, bytes.len() as u64);
    assert_eq!(built.record["size"], built.size);
    assert_eq!(built.sha256, hex::encode(rattler_digest::compute_bytes_digest::<Sha256>(&bytes)));
    assert_eq!(
        built.record["md5"],
        hex::encode(rattler_digest::compute_bytes_digest::<Md5>(&bytes))
    );
}

#[test]
fn a_directory_becomes_part_of_a_package_where_it_is_wanted() {
    let tree = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(tree.path().join("pkg/sub")).unwrap();
    fs_err::create_dir_all(tree.path().join("test")).unwrap();
    fs_err::write(tree.path().join("pkg/sub/文.py"), "1").unwrap();
    fs_err::write(tree.path().join("test/t.py"), "2").unwrap();
    let package = Package::new("a", "1")
        .directory_tree(tree.path(), "lib/python", |path| path != Path::new("test"))
        .unwrap();
    let root = unpacked(&package, Format::Conda);
    assert_eq!(text(root.path(), "lib/python/pkg/sub/文.py"), "1");
    assert!(!root.path().join("lib/python/test").exists());
    let missing = Package::new("a", "1").directory_tree(&tree.path().join("none"), "", |_| true);
    assert!(missing.unwrap_err().to_string().contains("none"));
}

#[test]
fn a_path_that_leaves_the_prefix_is_listed_and_archived_unchanged() {
    for (format, path) in FORMATS.into_iter().zip(["../evil", "/absolute/evil"]) {
        let directory = tempfile::tempdir().unwrap();
        let package = Package::new("evil", "1").file_with_raw_path(path, "evil");
        let built = package.write(directory.path(), format).unwrap();
        let into = tempfile::tempdir().unwrap();
        // A reader may refuse the archive or leave the path out; it must not follow it.
        let _ = extract(&built.path, &into.path().join("in"));
        assert!(!into.path().join("evil").exists());
        let names = names_in_tar(&built.path, format);
        assert!(names.iter().any(|name| name == path), "{names:?}");
    }
}

#[test]
fn a_file_can_be_behind_a_link_that_leaves_the_prefix() {
    let (directory, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let package = Package::new("evil", "1")
        .file("way/out", "evil")
        .symlink("way", outside.path().to_str().unwrap());
    for format in FORMATS {
        let built = package.write(directory.path(), format).unwrap();
        let names = names_in_tar(&built.path, format);
        assert!(names.ends_with(&["way".to_owned(), "way/out".to_owned()]), "{names:?}");
        let _ = extract(&built.path, &directory.path().join(format.extension()));
        assert!(!outside.path().join("out").exists());
    }
}

fn names_in_tar(archive: &Path, format: Format) -> Vec<String> {
    let bytes = fs_err::read(archive).unwrap();
    let tar: Box<dyn std::io::Read> = match format {
        Format::TarBz2 => Box::new(bzip2::read::BzDecoder::new(&bytes[..])),
        Format::Conda => {
            let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
            let part = zip.by_name("pkg-evil-1-0.tar.zst").unwrap();
            Box::new(std::io::Cursor::new(zstd::decode_all(part).unwrap()))
        }
    };
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| String::from_utf8(entry.unwrap().path_bytes().into_owned()).unwrap())
        .collect()
}
