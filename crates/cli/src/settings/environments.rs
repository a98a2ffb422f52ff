//! The folders in which conda keeps environments by name, so that `conda activate NAME` finds
//! envlock's.
//!
//! conda's order: `envs_dirs`, then `envs` of the installation, then `~/.conda/envs`.

use std::path::{Path, PathBuf};

use envlock_config::{Configuration, key};
use envlock_model::name::{self, InvalidName};
use envlock_report::{AsFindings, Code, Exit, Finding};

use super::ProcessEnvironment;

/// Why no environment can have this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EnvironmentNameError {
    /// It isn't a valid name.
    Invalid(InvalidName),
    /// It is the name of conda's own environment.
    Base,
    /// No folder for environments is known.
    NoFolder,
}

impl std::fmt::Display for EnvironmentNameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid(invalid) => invalid.fmt(f),
            Self::Base => f.write_str("`base` is conda's own environment and isn't touched"),
            Self::NoFolder => f.write_str("no folder for environments is known: HOME is not set"),
        }
    }
}

impl std::error::Error for EnvironmentNameError {}

impl AsFindings for EnvironmentNameError {
    fn findings(&self) -> Vec<Finding> {
        vec![
            Finding::new(Code::EnvironmentNameInvalid, self.to_string())
                .with_help(format!("{}, or give a path with `-p PREFIX`", name::HELP)),
        ]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Returns the prefix of the environment called `name`: the existing one, else one in the first
/// writable folder.
pub(crate) fn named_prefix(
    settings: &ProcessEnvironment,
    configuration: &Configuration,
    name: &str,
) -> Result<PathBuf, EnvironmentNameError> {
    if name == "base" || name == "root" {
        return Err(EnvironmentNameError::Base);
    }
    name::check(name).map_err(EnvironmentNameError::Invalid)?;
    let folders = folders(settings, configuration);
    let existing =
        folders.iter().map(|folder| folder.join(name)).find(|p| p.join("conda-meta").is_dir());
    let writable =
        || folders.iter().find(|folder| is_writable(folder)).map(|folder| folder.join(name));
    let first = || folders.first().map(|folder| folder.join(name));
    existing.or_else(writable).or_else(first).ok_or(EnvironmentNameError::NoFolder)
}

fn folders(settings: &ProcessEnvironment, configuration: &Configuration) -> Vec<PathBuf> {
    let listed = configuration.list(&key::ENVS_DIRS).iter();
    let mut folders: Vec<PathBuf> =
        listed.filter_map(|set| settings.path(&set.value).ok()).collect();
    folders.extend(settings.conda_root().map(|folder| folder.join("envs")));
    folders.extend(settings.home.as_ref().map(|home| home.join(".conda").join("envs")));
    folders
}

/// Whether a folder, or its nearest existing parent, is writable.
fn is_writable(folder: &Path) -> bool {
    folder
        .ancestors()
        .find(|path| path.exists())
        .is_some_and(|path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings(home: &Path, variables: &[(&str, &str)]) -> ProcessEnvironment {
        ProcessEnvironment {
            variables: variables
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            home: Some(home.to_owned()),
            folder: home.to_owned(),
            output_terminal: None,
            can_ask: false,
            terminal: None,
            no_colour: true,
            is_dumb: false,
            jobs: 1,
            now: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_new_name_goes_where_conda_looks_first() {
        let home = std::env::temp_dir();
        let named_prefix = |settings: &ProcessEnvironment, name: &str| {
            let variables = envlock_config::parse_conda_variables(&settings.variables).unwrap();
            named_prefix(settings, &Configuration::from_layers(&[variables]), name)
        };
        let plain = settings(&home, &[]);
        assert_eq!(named_prefix(&plain, "ml").unwrap(), home.join(".conda/envs/ml"));
        let root = home.join("miniconda");
        let exe = root.join("bin/conda").display().to_string();
        let with_conda = settings(&home, &[("CONDA_EXE", exe.as_str())]);
        assert_eq!(named_prefix(&with_conda, "ml").unwrap(), root.join("envs/ml"));
        let folders = home.join("环境").display().to_string();
        let with_dirs = settings(&home, &[("CONDA_EXE", &exe), ("CONDA_ENVS_DIRS", &folders)]);
        assert_eq!(named_prefix(&with_dirs, "ml").unwrap(), home.join("环境/ml"));
    }

    #[test]
    fn what_would_leave_the_folder_is_no_name() {
        let settings = settings(&std::env::temp_dir(), &[]);
        let named_prefix = |settings: &ProcessEnvironment, name: &str| {
            named_prefix(settings, &Configuration::default(), name)
        };
        for wrong in ["", ".", "..", "a/b", "../x", "a b", "x~previous", ".hidden"] {
            let invalid = name::check(wrong).unwrap_err();
            assert_eq!(named_prefix(&settings, wrong), Err(EnvironmentNameError::Invalid(invalid)));
        }
        assert_eq!(named_prefix(&settings, "base"), Err(EnvironmentNameError::Base));
    }
}
