//! The policy files that the command line names.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::{FileError, secrets::texts};

/// The texts by file; every file must exist.
pub(super) fn read(files: &[PathBuf]) -> Result<BTreeMap<String, String>, FileError> {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let found = texts(names.iter().cloned())?;
    match names.iter().find(|name| !found.contains_key(*name)) {
        None => Ok(found),
        Some(name) => Err(FileError::Absent {
            path: name.into(),
            help: "name files that are there".to_owned(),
        }),
    }
}

/// The name that a policy file is probably uploaded as: `ci-db` for `vault/policies/ci-db.hcl`.
pub(super) fn policy_name(file: &str) -> String {
    let stem = Path::new(file).file_stem();
    stem.map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned())
}
