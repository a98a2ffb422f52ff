//! Packs an installed CPython.

use std::collections::BTreeSet;
use std::path::Path;

use memchr::memmem;
use rattler_conda_types::Subdir;
use rattler_conda_types::package::FileMode;

use super::{Cpython, CpythonError, SkipReason, SkippedInterpreter, elf};
use crate::Package;
use crate::entry::{Content, Entry, PLACEHOLDER};

pub(super) fn package(cpython: &Cpython) -> Result<Package, CpythonError> {
    let library = &cpython.library;
    let name = library.trim_start_matches("lib/");
    let executable = Content::Disk(cpython.executable.clone());
    let mut package = Package::new("python", &cpython.version)
        .build("0_cpython")
        .subdir(Subdir::current().unwrap_or(Subdir::Linux64))
        .license(Some("PSF-2.0"))
        .field("python_site_packages_path", format!("{library}/site-packages"))
        .directory_tree(&cpython.prefix.path.join(library), library, is_kept)?
        .entry(Entry { executable: true, ..Entry::new(format!("bin/{name}"), executable) })
        .symlink("bin/python3", name)
        .symlink("bin/python", name);
    if cpython.has_dist_packages {
        // conda installs into site-packages, which Debian's Python doesn't look at.
        package = package.symlink(format!("{library}/dist-packages"), "site-packages");
    }
    make_relocatable(&mut package, cpython)?;
    Ok(package)
}

/// Whether a file is needed to run programs. Left out are tests, caches, installed packages, the
/// files to build extensions with, and marks of another package manager.
fn is_kept(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let at_top = path.components().count() == 1;
    match &*name {
        "__pycache__" | "test" | "tests" => false,
        "site-packages" | "dist-packages" | "idlelib" | "turtledemo" | "EXTERNALLY-MANAGED" => {
            !at_top
        }
        _ => !(at_top && name.starts_with("config-")),
    }
}

/// Makes every file independent of the original installation, and adds the libraries of its prefix
/// that any of them needs.
fn make_relocatable(package: &mut Package, cpython: &Cpython) -> Result<(), CpythonError> {
    let entries = package.entries_mut();
    entries.retain(|entry| !leaves_package(entry));
    let mut libraries = BTreeSet::new();
    let mut next = 0;
    // The list grows in the loop: a library needs others.
    while let Some(entry) = entries.get_mut(next) {
        next += 1;
        for name in relocate_entry(entry, cpython)? {
            let Some(file) = cpython.prefix.library(&name) else { continue };
            if libraries.insert(name.clone()) {
                let library = Entry::new(format!("lib/{name}"), Content::Disk(file));
                entries.push(Entry { executable: true, ..library });
            }
        }
    }
    Ok(())
}

/// Whether the entry is a link that may lead out of the package, as Debian's into `/etc`.
fn leaves_package(entry: &Entry) -> bool {
    let Content::Symlink(target) = &entry.content else { return false };
    target.starts_with('/') || target.split('/').any(|part| part == "..")
}

/// Makes an entry independent of the original installation. Returns the libraries that it needs if
/// it is an ELF file.
fn relocate_entry(entry: &mut Entry, cpython: &Cpython) -> Result<Vec<String>, CpythonError> {
    let Content::Disk(path) = &entry.content else { return Ok(Vec::new()) };
    let mut bytes = fs_err::read(path)?;
    let spellings = &cpython.prefix.spellings;
    let Some(dynamic) = elf::read(&bytes) else {
        relocate_text(entry, bytes, spellings);
        return Ok(Vec::new());
    };
    let directory = entry.path.rsplit_once('/').map_or("", |(directory, _)| directory);
    elf::make_relative(&mut bytes, &dynamic, directory, spellings).map_err(|elf::NoRoom| {
        let reason = SkipReason::NoRoomForRunPath(entry.path.clone());
        CpythonError::NotMovable(SkippedInterpreter { path: cpython.executable.clone(), reason })
    })?;
    erase_prefix(&mut bytes, spellings);
    entry.content = Content::Bytes(bytes.into());
    Ok(dynamic.needed)
}

/// Replaces the old prefix in a text by the placeholder, which the installer replaces by its own
/// prefix.
fn relocate_text(entry: &mut Entry, bytes: Vec<u8>, spellings: &[String]) {
    let names_prefix = spellings.iter().any(|old| memmem::find(&bytes, old.as_bytes()).is_some());
    if !names_prefix {
        return;
    }
    let Ok(mut text) = String::from_utf8(bytes) else { return };
    for old in spellings {
        text = text.replace(old, PLACEHOLDER);
    }
    entry.content = Content::Bytes(text.into());
    entry.placeholder = Some(FileMode::Text);
}

/// Replaces the compiled-in prefix by a path that doesn't exist.
///
/// Otherwise an interpreter that doesn't find its library would use the original installation. A
/// prefix placeholder would limit the length of the path that the package can be installed to.
/// Only the first component is replaced, by one of the same length: the compiler may have stored
/// the length, and the linker may use the end of the string as another string (`3.10.13` of
/// `/home/me/.pyenv/versions/3.10.13`).
fn erase_prefix(bytes: &mut [u8], spellings: &[String]) {
    for old in spellings {
        let places: Vec<_> = memmem::find_iter(bytes, old.as_bytes()).collect();
        let first = old[1..].find('/').unwrap_or(old.len() - 1);
        for start in places {
            bytes[start + 1..][..first].fill(b'_');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_goes_without_tests_caches_and_installed_packages() {
        for path in ["test", "unittest/test", "json/__pycache__", "site-packages", "config-3.10-x"]
        {
            assert!(!is_kept(Path::new(path)), "{path}");
        }
        for path in ["json", "unittest", "lib-dynload/_json.so", "venv/config-x", "ensurepip"] {
            assert!(is_kept(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_compiled_in_prefix_is_blanked_in_place() {
        let mut bytes = b"\0/opt/py/lib\0/opt/pie\0".to_vec();
        erase_prefix(&mut bytes, &["/opt/py".to_owned()]);
        assert_eq!(bytes, b"\0/___/py/lib\0/opt/pie\0");
    }

    #[test]
    fn only_links_that_stay_inside_are_kept() {
        let link = |target: &str| Entry::new("lib/x", Content::Symlink(target.to_owned()));
        assert!(leaves_package(&link("/etc/python3.11/sitecustomize.py")));
        assert!(leaves_package(&link("../../x86_64-linux-gnu/libpython3.11.so.1")));
        assert!(!leaves_package(&link("_sysconfigdata.py")));
    }

    #[test]
    fn a_text_with_the_prefix_is_left_to_the_installer() {
        let mut entry = Entry::bytes("lib/x.py", "");
        relocate_text(&mut entry, b"a = '/opt/py/lib'".to_vec(), &["/opt/py".to_owned()]);
        assert_eq!(entry.placeholder, Some(FileMode::Text));
        let Content::Bytes(bytes) = entry.content else { panic!("it is in memory") };
        assert_eq!(bytes, format!("a = '{PLACEHOLDER}/lib'"));
    }
}
