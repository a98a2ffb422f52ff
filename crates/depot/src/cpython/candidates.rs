//! Finds executables that can be a Python, in the order in which they are tried.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

/// Returns the directories of programs: those of `PATH`, those of pyenv's versions below `home`
/// (newest first), the system's, and `bin` of each directory in `/opt`.
pub fn bin_directories(path: &[PathBuf], home: Option<&Path>) -> Vec<PathBuf> {
    let mut directories: Vec<_> =
        path.iter().filter(|directory| directory.is_absolute()).cloned().collect();
    if let Some(home) = home {
        let mut versions = children(&home.join(".pyenv/versions"));
        versions.sort_by_key(|version| Reverse(numbers(&name(version))));
        directories.extend(versions.into_iter().map(|version| version.join("bin")));
    }
    directories.extend(["/usr/local/bin", "/usr/bin"].map(PathBuf::from));
    let mut opt = children(Path::new("/opt"));
    opt.sort();
    directories.extend(opt.into_iter().map(|directory| directory.join("bin")));
    directories
}

/// An executable to try.
pub(super) struct Candidate {
    pub(super) executable: PathBuf,
    pub(super) is_requested_version: bool,
}

/// Returns every `python3.N` of these directories: the requested version first, then the newest;
/// within a version in the order of the directories.
pub(super) fn sorted_candidates(
    bin_directories: &[PathBuf],
    requested: [u32; 2],
) -> Vec<Candidate> {
    let mut found: Vec<(bool, u32, PathBuf)> = Vec::new();
    for directory in bin_directories {
        for executable in children(directory) {
            let Some(minor) = minor(&name(&executable)) else { continue };
            if !found.iter().any(|(_, _, known)| *known == executable) {
                found.push(([3, minor] == requested, minor, executable));
            }
        }
    }
    found.sort_by_key(|(is_requested_version, minor, _)| Reverse((*is_requested_version, *minor)));
    let candidates = found.into_iter();
    candidates
        .map(|(is_requested_version, _, executable)| Candidate { executable, is_requested_version })
        .collect()
}

/// Returns 10 for `python3.10`.
fn minor(name: &str) -> Option<u32> {
    name.strip_prefix("python3.")?.parse().ok()
}

/// Returns 3, 10 and 13 for `3.10.13`, and `None` for a part that isn't a number.
fn numbers(version: &str) -> Vec<Option<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Lists a directory. Empty if it doesn't exist.
fn children(directory: &Path) -> Vec<PathBuf> {
    let Ok(items) = fs_err::read_dir(directory) else { return Vec::new() };
    items.flatten().map(|item| item.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(root: &Path, paths: &[&str]) {
        for path in paths {
            let path = root.join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "").unwrap();
        }
    }

    #[test]
    fn the_wanted_version_goes_first_then_the_newest() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let names = ["a/python3.9", "a/python3.13", "a/python3.13-config", "a/python3"];
        touch(root, &names);
        touch(root, &["b/python3.10", "b/python3.13", "b/python3.6m"]);
        let directories = [root.join("a"), root.join("b"), root.join("none"), root.join("a")];
        let found: Vec<_> = sorted_candidates(&directories, [3, 10])
            .into_iter()
            .map(|candidate| (candidate.executable, candidate.is_requested_version))
            .collect();
        let expected = [
            (root.join("b/python3.10"), true),
            (root.join("a/python3.13"), false),
            (root.join("b/python3.13"), false),
            (root.join("a/python3.9"), false),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_newest_version_of_pyenv_goes_first_by_number() {
        let home = tempfile::tempdir().unwrap();
        let versions = home.path().join(".pyenv/versions");
        for version in ["3.10.9", "3.10.13", "pypy3.10-7.3", "3.9.18"] {
            fs_err::create_dir_all(versions.join(version)).unwrap();
        }
        let directories = bin_directories(&["".into(), "/x".into()], Some(home.path()));
        assert_eq!(directories[0], Path::new("/x"));
        let pyenv = ["3.10.13", "3.10.9", "3.9.18", "pypy3.10-7.3"];
        assert_eq!(directories[1..5], pyenv.map(|version| versions.join(version).join("bin")));
        assert!(directories.contains(&PathBuf::from("/usr/bin")));
    }
}
