//! Where conda keeps environments by name, so that `conda activate NAME` finds ours.
//!
//! conda's order: `CONDA_ENVS_DIRS` (or its older name `CONDA_ENVS_PATH`), then `envs` of
//! the installation, then `~/.conda/envs`.

use std::path::{Path, PathBuf};

use envlock_report::{Diagnostic, Exit, Explain};

use super::Settings;

/// Why a name is none of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NameError {
    /// Not a name.
    Invalid(String),
    /// conda's own environment.
    Base,
    /// There is no folder to keep environments in.
    NoFolder,
}

impl std::fmt::Display for NameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Invalid(name) => write!(f, "`{name}` can't be the name of an environment"),
            Self::Base => f.write_str("`base` is conda's own environment and isn't touched"),
            Self::NoFolder => f.write_str("no folder for environments is known: HOME is not set"),
        }
    }
}

impl std::error::Error for NameError {}

impl Explain for NameError {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        vec![Diagnostic::error("environment-name", self.to_string()).with_help(
            "name it in letters, digits, `-`, `_` and `.`, or give a path with `-p PREFIX`",
        )]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// The prefix of the environment called `name`: where there is one already, else the first
/// folder that can be written to.
pub(crate) fn named_prefix(settings: &Settings, name: &str) -> Result<PathBuf, NameError> {
    if name == "base" || name == "root" {
        return Err(NameError::Base);
    }
    let odd = |c: char| c.is_whitespace() || c.is_control() || "/\\:#~".contains(c);
    if name.is_empty() || name.starts_with('.') || name.contains(odd) {
        return Err(NameError::Invalid(name.to_owned()));
    }
    let folders = folders(settings);
    let existing =
        folders.iter().map(|folder| folder.join(name)).find(|p| p.join("conda-meta").is_dir());
    let writable =
        || folders.iter().find(|folder| is_writable(folder)).map(|folder| folder.join(name));
    let first = || folders.first().map(|folder| folder.join(name));
    existing.or_else(writable).or_else(first).ok_or(NameError::NoFolder)
}

fn folders(settings: &Settings) -> Vec<PathBuf> {
    let variable = |name: &str| settings.variables.get(name).filter(|value| !value.is_empty());
    let mut folders: Vec<PathBuf> = variable("CONDA_ENVS_DIRS")
        .or_else(|| variable("CONDA_ENVS_PATH"))
        .map(|list| std::env::split_paths(list).map(|path| settings.absolute(&path)).collect())
        .unwrap_or_default();
    // CONDA_EXE is `<installation>/bin/conda`.
    let of_executable = |path: &String| Path::new(path).parent()?.parent().map(Path::to_owned);
    let installation = variable("CONDA_EXE")
        .and_then(of_executable)
        .or_else(|| variable("CONDA_ROOT").map(PathBuf::from))
        .or_else(|| variable("MAMBA_ROOT_PREFIX").map(PathBuf::from));
    folders.extend(installation.map(|folder| folder.join("envs")));
    folders.extend(settings.home.as_ref().map(|home| home.join(".conda").join("envs")));
    folders
}

/// Whether a folder, or the nearest one above it that exists, lets us write.
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

    fn settings(home: &Path, variables: &[(&str, &str)]) -> Settings {
        Settings {
            variables: variables
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            home: Some(home.to_owned()),
            folder: home.to_owned(),
            stderr_terminal: false,
            no_colour: true,
            jobs: 1,
        }
    }

    #[test]
    fn a_new_name_goes_where_conda_looks_first() {
        let home = std::env::temp_dir();
        let plain = settings(&home, &[]);
        assert_eq!(named_prefix(&plain, "ml").unwrap(), home.join(".conda/envs/ml"));
        let root = home.join("miniconda");
        let exe = root.join("bin/conda").display().to_string();
        let with_conda = settings(&home, &[("CONDA_EXE", exe.as_str())]);
        assert_eq!(named_prefix(&with_conda, "ml").unwrap(), root.join("envs/ml"));
        let said = home.join("环境").display().to_string();
        let with_dirs = settings(&home, &[("CONDA_EXE", &exe), ("CONDA_ENVS_DIRS", &said)]);
        assert_eq!(named_prefix(&with_dirs, "ml").unwrap(), home.join("环境/ml"));
    }

    #[test]
    fn what_would_leave_the_folder_is_no_name() {
        let settings = settings(&std::env::temp_dir(), &[]);
        for wrong in ["", ".", "..", "a/b", "../x", "a b", "x~previous", ".hidden"] {
            assert_eq!(named_prefix(&settings, wrong), Err(NameError::Invalid(wrong.to_owned())));
        }
        assert_eq!(named_prefix(&settings, "base"), Err(NameError::Base));
    }
}
