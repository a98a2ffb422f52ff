//! Reads the paths and commands of an unpacked package, and checks them before anything is
//! written.

use std::collections::HashSet;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use rattler::install::PythonInfo;
use rattler_conda_types::package::{
    EntryPoint, FileMode, IndexJson, PackageFile, PathType, PathsEntry, PathsJson,
};
use serde::Deserialize;

use crate::error::{BadPrefix, InstallError, PathFault, unsafe_package};
use crate::install_spec::Package;
use crate::meta::permissions;
use crate::prefix_paths::is_not_found;

/// A path of a package.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The entry of `info/paths.json`, with the actual type of the file.
    pub(crate) source: PathsEntry,
    /// The path relative to the prefix.
    pub(crate) target: PathBuf,
    /// The target of a symbolic link.
    pub(crate) link: Option<PathBuf>,
    /// The permissions of the unpacked file, if it is one.
    pub(crate) mode: Option<u32>,
}

/// A command of a noarch Python package.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) entry_point: EntryPoint,
    /// The file that it becomes, relative to the prefix.
    pub(crate) target: PathBuf,
}

/// A package's paths and commands.
#[derive(Debug)]
pub(crate) struct Contents<'a> {
    pub(crate) package: &'a Package,
    pub(crate) index: IndexJson,
    pub(crate) entries: Vec<Entry>,
    pub(crate) commands: Vec<Command>,
}

impl Contents<'_> {
    /// Whether it is a Python package for any version of Python.
    pub(crate) fn is_noarch_python(&self) -> bool {
        self.index.noarch.is_python()
    }
}

/// Reads one package. Refuses it if one of its paths or commands leads out of its directory.
pub(crate) fn read<'a>(
    package: &'a Package,
    python: Option<&PythonInfo>,
    prefix: &Path,
) -> Result<Contents<'a>, InstallError> {
    let damaged = |source| damaged(package, source);
    let index = IndexJson::from_package_directory(&package.dir).map_err(damaged)?;
    check_identity(package, &index)?;
    let python = match (index.noarch.is_python(), python) {
        (true, None) => return Err(InstallError::NoPython(package.display_name())),
        (noarch, python) => python.filter(|_| noarch),
    };
    let paths = PathsJson::from_package_directory_with_deprecated_fallback(&package.dir)
        .map_err(damaged)?;
    let root = fs_err::canonicalize(&package.dir).map_err(damaged)?;
    let mut inside = HashSet::new();
    let mut entries = Vec::with_capacity(paths.paths.len());
    for source in paths.paths {
        let target = python.map_or_else(
            || source.relative_path.clone(),
            |python| python.get_python_noarch_target_path(&source.relative_path).into_owned(),
        );
        for path in [&source.relative_path, &target] {
            check_relative(path)
                .map_err(|fault| unsafe_package(&package.display_name(), path, fault))?;
        }
        if starts_in_conda_meta(&target) {
            return Err(unsafe_package(&package.display_name(), &target, PathFault::CondaMeta));
        }
        let entry = read_entry(package, &root, &mut inside, source, target)?;
        check_prefix_length(package, &entry.source, prefix)?;
        entries.push(entry);
    }
    let commands = python.map_or(Ok(Vec::new()), |python| commands(package, python))?;
    Ok(Contents { package, index, entries, commands })
}

fn damaged(package: &Package, source: io::Error) -> InstallError {
    let dir = package.dir.clone();
    InstallError::DamagedPackage { package: package.display_name(), dir, source }
}

/// Checks that the directory contains the locked package.
fn check_identity(package: &Package, index: &IndexJson) -> Result<(), InstallError> {
    let found = format!("{}-{}-{}", index.name.as_normalized(), index.version, index.build);
    if found == package.display_name() {
        return Ok(());
    }
    let expected = package.display_name();
    Err(InstallError::OtherPackage { dir: package.dir.clone(), expected, found })
}

/// Checks that a path is relative and consists of names only.
fn check_relative(path: &Path) -> Result<(), PathFault> {
    let mut names = 0;
    for component in path.components() {
        match component {
            Component::Normal(_) => names += 1,
            Component::ParentDir => return Err(PathFault::ParentDir),
            Component::RootDir | Component::Prefix(_) => return Err(PathFault::Absolute),
            Component::CurDir => return Err(PathFault::InvalidPath),
        }
    }
    if names == 0 || path.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(PathFault::InvalidPath);
    }
    Ok(())
}

/// Whether a path starts in `conda-meta`, in any letter case: some file systems make no difference
/// between cases.
fn starts_in_conda_meta(path: &Path) -> bool {
    path.components()
        .next()
        .is_some_and(|first| first.as_os_str().eq_ignore_ascii_case("conda-meta"))
}

/// Determines the actual type of the file, because `paths.json` can be wrong: a hard link to a
/// symbolic link is a symbolic link, and a path through one can lead out of the package.
fn read_entry(
    package: &Package,
    root: &Path,
    inside: &mut HashSet<PathBuf>,
    mut source: PathsEntry,
    target: PathBuf,
) -> Result<Entry, InstallError> {
    let damaged = |source| damaged(package, source);
    let refuse = |fault| Err(unsafe_package(&package.display_name(), &source.relative_path, fault));
    let path = package.dir.join(&source.relative_path);
    if source.path_type == PathType::Directory && is_missing(&path) {
        // Archives needn't have an entry for an empty directory.
        return Ok(Entry { source, target, link: None, mode: None });
    }
    if let Some(folder) = path.parent()
        && !inside.contains(folder)
    {
        if !fs_err::canonicalize(folder).map_err(damaged)?.starts_with(root) {
            return refuse(PathFault::SourceOutsidePackage);
        }
        inside.insert(folder.to_owned());
    }
    let found = fs_err::symlink_metadata(&path).map_err(damaged)?;
    let kind = found.file_type();
    let (mut link, mut mode) = (None, None);
    source.path_type = if kind.is_symlink() {
        let points_to = fs_err::read_link(&path).map_err(damaged)?;
        // A placeholder in a link would be replaced in the file behind it.
        source.prefix_placeholder = None;
        link = Some(points_to);
        PathType::SoftLink
    } else if kind.is_dir() {
        PathType::Directory
    } else if kind.is_file() {
        mode = Some(permissions(&found));
        PathType::HardLink
    } else {
        return refuse(PathFault::SpecialFile);
    };
    Ok(Entry { source, target, link, mode })
}

fn is_missing(path: &Path) -> bool {
    fs_err::symlink_metadata(path).is_err_and(|error| is_not_found(&error))
}

/// Checks that the prefix fits into a binary, in which it is overwritten in place.
fn check_prefix_length(
    package: &Package,
    entry: &PathsEntry,
    prefix: &Path,
) -> Result<(), InstallError> {
    let Some(placeholder) = &entry.prefix_placeholder else { return Ok(()) };
    let (length, room) = (prefix.as_os_str().len(), placeholder.placeholder.len());
    if placeholder.file_mode != FileMode::Binary || length <= room {
        return Ok(());
    }
    Err(InstallError::BadPrefix {
        prefix: prefix.to_owned(),
        why: BadPrefix::TooLongForBinary {
            package: package.display_name(),
            path: entry.relative_path.clone(),
            length,
            room,
        },
    })
}

#[derive(Deserialize)]
struct LinkFile {
    noarch: Noarch,
}

#[derive(Deserialize)]
struct Noarch {
    #[serde(default)]
    entry_points: Vec<String>,
}

/// Reads the commands of `info/link.json`: as text first, so that a bad one can be named.
fn commands(package: &Package, python: &PythonInfo) -> Result<Vec<Command>, InstallError> {
    let damaged = |source| damaged(package, source);
    let text = match fs_err::read_to_string(package.dir.join("info/link.json")) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(damaged(error)),
    };
    let file: LinkFile = serde_json::from_str(&text).map_err(|error| {
        damaged(io::Error::new(io::ErrorKind::InvalidData, format!("info/link.json: {error}")))
    })?;
    let parse = |text: &String| {
        entry_point(text)
            .map(|entry_point| Command {
                target: python.bin_dir.join(&entry_point.command),
                entry_point,
            })
            .map_err(|fault| unsafe_package(&package.display_name(), Path::new(text), fault))
    };
    file.noarch.entry_points.iter().map(parse).collect()
}

/// Parses `command = module:function`, where the command is a plain name that stays in `bin/`.
fn entry_point(text: &str) -> Result<EntryPoint, PathFault> {
    let parsed = EntryPoint::from_str(text).map_err(|_| PathFault::EntryPoint)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if parsed.command.chars().all(plain) { Ok(parsed) } else { Err(PathFault::EntryPoint) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_relative_paths_of_names_are_plain() {
        assert_eq!(check_relative(Path::new("lib/python3.10/site-packages/包/模块.py")), Ok(()));
        assert_eq!(check_relative(Path::new("/etc/passwd")), Err(PathFault::Absolute));
        assert_eq!(check_relative(Path::new("lib/../../x")), Err(PathFault::ParentDir));
        assert_eq!(check_relative(Path::new("")), Err(PathFault::InvalidPath));
        assert_eq!(check_relative(Path::new("./x")), Err(PathFault::InvalidPath));
    }

    #[test]
    fn conda_meta_is_closed_in_any_letters() {
        assert!(starts_in_conda_meta(Path::new("Conda-Meta/history")));
        assert!(!starts_in_conda_meta(Path::new("share/conda-meta/x")));
    }

    #[test]
    fn commands_that_leave_bin_or_carry_code_are_no_entry_points() {
        assert!(entry_point("jupyter-lab = jupyterlab.labapp:main").is_ok());
        assert!(entry_point("pip3.10 = pip._internal.cli.main:main").is_ok());
        for bad in [
            "../x = m:f",
            "a/b = m:f",
            "/x = m:f",
            ". = m:f",
            ".. = m:f",
            "a b = m:f",
            "a;b = m:f",
            "x = m:f(); import os",
            "x = m",
            "x",
        ] {
            assert_eq!(entry_point(bad), Err(PathFault::EntryPoint), "{bad}");
        }
    }
}
