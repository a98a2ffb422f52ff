//! Changes run paths of ELF files in place.
//!
//! A relative path is shorter than the absolute one of nearly every installation, so that its
//! bytes can be written over the old ones: nothing in the file moves, and no tool is needed.

use std::ops::Range;

use object::Endianness;
use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, FileHeader64};
use object::read::elf::ElfFile;

/// The libraries and run paths of a file.
pub(super) struct Dynamic {
    /// The names of the libraries that it needs, as written in it.
    pub(super) needed: Vec<String>,
    /// The positions of the run paths in the file.
    run_paths: Vec<Range<usize>>,
}

/// The relative run path is longer than the existing one.
pub(super) struct NoRoom;

impl Dynamic {
    /// Returns the directories of all run paths.
    pub(super) fn run_paths<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = &'a str> {
        let strings = self.run_paths.iter().map(|range| &bytes[range.clone()]);
        strings.filter_map(|string| std::str::from_utf8(until_nul(string)).ok()).flat_map(entries)
    }
}

/// Reads a file's dynamic section. `None` if it isn't a 64-bit ELF file.
pub(super) fn read(bytes: &[u8]) -> Option<Dynamic> {
    let file = ElfFile::<FileHeader64<Endianness>>::parse(bytes).ok()?;
    let mut dynamic = Dynamic { needed: Vec::new(), run_paths: Vec::new() };
    let table = file.elf_dynamic_table().ok()?;
    for entry in &table {
        if entry.tag == DT_NEEDED {
            let name = table.string(entry).ok()?;
            dynamic.needed.push(String::from_utf8_lossy(name).into_owned());
        } else if entry.tag == DT_RPATH || entry.tag == DT_RUNPATH {
            let string = table.string(entry).ok()?;
            let start = string.as_ptr().addr() - bytes.as_ptr().addr();
            let range = start..start + string.len();
            // Both tags may share one string.
            if !dynamic.run_paths.contains(&range) {
                dynamic.run_paths.push(range);
            }
        }
    }
    Some(dynamic)
}

/// Makes run paths into any of `prefixes` relative to the file, which is in `directory` of the
/// package. Others stay.
pub(super) fn make_relative(
    bytes: &mut [u8],
    dynamic: &Dynamic,
    directory: &str,
    prefixes: &[String],
) -> Result<(), NoRoom> {
    for range in &dynamic.run_paths {
        let string = &mut bytes[range.clone()];
        let Ok(old) = std::str::from_utf8(until_nul(string)) else { continue };
        let mut new: Vec<String> = Vec::new();
        for entry in entries(old) {
            let entry = below(entry, prefixes)
                .map_or_else(|| entry.to_owned(), |target| from_origin(directory, target));
            if !new.contains(&entry) {
                new.push(entry);
            }
        }
        let new = new.join(":");
        if new == old {
            continue;
        }
        if new.len() > string.len() {
            return Err(NoRoom);
        }
        string[..new.len()].copy_from_slice(new.as_bytes());
        // Only one NUL, no padding: the linker lets another string be the tail of this one.
        if let Some(end) = string.get_mut(new.len()) {
            *end = 0;
        }
    }
    Ok(())
}

fn entries(run_path: &str) -> impl Iterator<Item = &str> {
    run_path.split(':').filter(|entry| !entry.is_empty())
}

fn until_nul(string: &[u8]) -> &[u8] {
    string.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Returns `lib` for `/opt/py/lib/`, where `/opt/py` is one of the prefixes.
fn below<'a>(path: &'a str, prefixes: &[String]) -> Option<&'a str> {
    prefixes.iter().find_map(|prefix| {
        let rest = path.strip_prefix(prefix.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/'))
    })
}

/// Returns the run path from one directory of the package to another.
fn from_origin(from: &str, to: &str) -> String {
    let from: Vec<_> = from.split('/').collect();
    let to: Vec<_> = to.split('/').filter(|part| !part.is_empty()).collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[common..].iter().map(|_| "..");
    let steps = ["$ORIGIN"].into_iter().chain(up).chain(to[common..].iter().copied());
    steps.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_path_goes_the_shortest_way_from_the_file() {
        assert_eq!(from_origin("bin", "lib"), "$ORIGIN/../lib");
        assert_eq!(from_origin("lib", "lib"), "$ORIGIN");
        assert_eq!(from_origin("lib/python3.10/lib-dynload", "lib"), "$ORIGIN/../..");
        assert_eq!(from_origin("bin", ""), "$ORIGIN/..");
        assert_eq!(from_origin("lib", "lib/deep/er"), "$ORIGIN/deep/er");
    }

    #[test]
    fn a_prefix_ends_at_a_slash() {
        let prefixes = ["/opt/py".to_owned()];
        assert_eq!(below("/opt/py/lib/", &prefixes), Some("lib"));
        assert_eq!(below("/opt/py", &prefixes), Some(""));
        assert_eq!(below("/opt/py3/lib", &prefixes), None);
        assert_eq!(below("$ORIGIN/../lib", &prefixes), None);
    }

    #[test]
    fn what_is_no_elf_file_has_no_run_path() {
        assert!(read(b"#!/bin/sh\n").is_none());
        assert!(read(b"\x7fELF").is_none());
    }

    /// A shared object with this run path, by the C compiler that links this test too.
    #[cfg(target_os = "linux")]
    fn shared_object(run_path: &str) -> Option<Vec<u8>> {
        let directory = tempfile::tempdir().unwrap();
        let (source, object) = (directory.path().join("x.c"), directory.path().join("x.so"));
        fs_err::write(&source, "int b(void) { return 1; }").unwrap();
        let status = std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&object, &source])
            .arg(format!("-Wl,-rpath,{run_path}"))
            .status();
        status.ok()?.success().then(|| fs_err::read(object).unwrap())
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn paths_into_the_prefix_become_relative_and_others_stay() {
        let Some(mut bytes) = shared_object("/opt/some/python/lib:/usr/lib/tcl") else { return };
        let length = bytes.len();
        let prefixes = ["/opt/some/python".to_owned()];
        let dynamic = read(&bytes).unwrap();
        assert!(make_relative(&mut bytes, &dynamic, "bin", &prefixes).is_ok());
        assert_eq!(bytes.len(), length);
        let again = read(&bytes).unwrap();
        let paths: Vec<_> = again.run_paths(&bytes).collect();
        assert_eq!(paths, ["$ORIGIN/../lib", "/usr/lib/tcl"]);
        assert_eq!(again.needed, dynamic.needed);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_path_without_room_is_refused() {
        let Some(mut bytes) = shared_object("/p/lib") else { return };
        let dynamic = read(&bytes).unwrap();
        assert!(make_relative(&mut bytes, &dynamic, "bin", &["/p".to_owned()]).is_err());
    }
}
