//! The policy files that the command line names.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{FileError, files};

/// Reads policies, by file. Every file must exist.
pub(super) fn read(paths: &[PathBuf]) -> Result<BTreeMap<String, String>, FileError> {
    all(paths, files::policy_text)
}

/// Reads files of test cases, by file. Every file must exist.
pub(super) fn read_cases(paths: &[PathBuf]) -> Result<BTreeMap<String, String>, FileError> {
    all(paths, files::read_text)
}

fn all(
    paths: &[PathBuf],
    text: fn(&Path) -> Result<Option<String>, FileError>,
) -> Result<BTreeMap<String, String>, FileError> {
    let mut found = BTreeMap::new();
    for path in paths {
        let text = text(path)?.ok_or_else(|| FileError::Missing {
            path: path.clone(),
            help: "name existing files".to_owned(),
        })?;
        found.insert(path.display().to_string(), text);
    }
    Ok(found)
}

/// Returns the probable name of the policy on the server: `ci-db` for `vault/policies/ci-db.hcl`.
pub(super) fn policy_name(file: &str) -> String {
    let stem = Path::new(file).file_stem();
    stem.map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned())
}
