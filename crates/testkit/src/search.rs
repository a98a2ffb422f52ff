//! Searches directories and archives.

use std::path::{Path, PathBuf};

use memchr::memmem;
use tempfile::TempDir;

/// Returns every path in `root` that contains `needle`: in the file's bytes, in the link's target
/// or in the name. Relative to `root`, sorted.
pub fn files_containing(root: &Path, needle: impl AsRef<[u8]>) -> Vec<PathBuf> {
    let needle = memmem::Finder::new(needle.as_ref());
    let holds = |bytes: &[u8]| needle.find(bytes).is_some();
    let mut found = Vec::new();
    let mut directories = vec![PathBuf::new()];
    while let Some(directory) = directories.pop() {
        for item in fs_err::read_dir(root.join(&directory)).expect("the tree can be read") {
            let item = item.expect("the tree can be read");
            let kind = item.file_type().expect("the tree can be read");
            let path = directory.join(item.file_name());
            let bytes = if kind.is_symlink() {
                let target = fs_err::read_link(item.path()).expect("the link can be read");
                target.into_os_string().into_encoded_bytes()
            } else if kind.is_file() {
                fs_err::read(item.path()).expect("the file can be read")
            } else {
                Vec::new()
            };
            if holds(&bytes) || holds(item.file_name().as_encoded_bytes()) {
                found.push(path.clone());
            }
            if kind.is_dir() {
                directories.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Unpacks a package archive into a new directory.
pub fn extract(archive: &Path) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    rattler_package_streaming::fs::extract(archive, directory.path())
        .expect("the archive can be unpacked");
    directory
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Package};

    #[test]
    fn a_needle_is_found_in_contents_names_and_link_targets() {
        let directory = tempfile::tempdir().unwrap();
        let package = Package::new("a", "1")
            .file("lib/content", b"\x00 aaneedle".to_vec())
            .file("lib/needle/空", "")
            .file("lib/other", "need le")
            .symlink("link", "some/needle");
        let built = package.write(directory.path(), Format::TarBz2).unwrap();
        let tree = extract(&built.path);
        fs_err::remove_dir_all(tree.path().join("info")).unwrap();
        let found = ["lib/content", "lib/needle", "link"].map(PathBuf::from);
        assert_eq!(files_containing(tree.path(), "needle"), found);
    }
}
