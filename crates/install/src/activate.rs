//! Runs a command in an environment, as if conda had activated it.
//!
//! Variables are handed to the shell as its environment, never as text of a script: a `$`
//! or a backquote in a value means nothing (rattler_shell's generated scripts expand them).
//! The order is conda's: the old environment's deactivation scripts, variables, then the
//! new one's activation scripts, so a script may build on a variable and override it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use envlock_report::{AsFindings, Code, Exit, Finding};
use rattler_conda_types::Subdir;
use rattler_shell::activation::prefix_path_entries;
use serde::Deserialize;
use thiserror::Error;

use crate::error::InstallError;
use crate::prefix_paths::is_not_found;
use crate::process::{Finished, run_to_end};
use crate::state::{PrefixState, is_environment, state, state_of};
use crate::trusted::read_bounded;
use crate::unusable::UnusableEnvironment;

/// Environment variables by name.
pub type Variables = BTreeMap<OsString, OsString>;

/// conda's value for a variable that an environment must not set.
const UNSET: &str = "***unset***";

/// The maximum number of bytes of a file of variables.
const MAX_BYTES: u64 = 16_000_000;

/// The search path if `PATH` isn't set; conda assumes the same.
const NO_PATH: &str = "/usr/bin:/bin";

/// The activated environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activated {
    /// Every variable that a command gets.
    pub variables: Variables,
    /// The output of the scripts.
    pub script_output: String,
}

/// Why an environment can't be activated.
#[derive(Debug, Error)]
pub enum ActivateError {
    /// There is no environment that can be activated.
    #[error(transparent)]
    Environment(#[from] UnusableEnvironment),
    /// The path can't be a prefix, or it can't be read.
    #[error(transparent)]
    Prefix(#[from] InstallError),
    /// A file of variables that isn't a JSON object of texts, numbers and truth values.
    #[error("`{}` isn't a JSON object of variables and their values", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// A file sets a variable that no process can have.
    #[error("`{}` sets a variable that can't be set: {variable:?}", .path.display())]
    Variable {
        /// The file.
        path: PathBuf,
        /// The name of the variable.
        variable: String,
    },
    /// A file can't be read.
    #[error("can't activate the environment: {0}")]
    Disk(#[from] io::Error),
    /// There are scripts and no shell for them.
    #[error("the activation scripts of `{}` need `bash`, which can't be started: {source}", .prefix.display())]
    NoShell {
        /// The environment.
        prefix: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A script ended the shell.
    #[error("a script of `{}` ended its shell ({status})", .prefix.display())]
    Script {
        /// The environment.
        prefix: PathBuf,
        /// How the shell ended.
        status: String,
        /// The output of the scripts.
        script_output: String,
    },
}

impl AsFindings for ActivateError {
    fn findings(&self) -> Vec<Finding> {
        let error = |code| Finding::new(code, self.to_string());
        vec![match self {
            Self::Environment(error) => return error.findings(),
            Self::Malformed { path, source } => error(Code::MalformedVariables)
                .with_note(format!("what is wrong begins on line {}", source.line().max(1)))
                .with_help(help_for_variables(path)),
            Self::Variable { path, .. } => error(Code::MalformedVariables)
                .with_note("a name is not empty and has no `=`; a name and a value have no NUL")
                .with_help(help_for_variables(path)),
            Self::Prefix(error) => return error.findings(),
            Self::Disk(_) => error(Code::PrefixIoError),
            Self::NoShell { .. } => error(Code::NoShell).with_help("install bash"),
            Self::Script { script_output, .. } if script_output.is_empty() => {
                error(Code::ActivationFailed)
            }
            Self::Script { script_output, .. } => error(Code::ActivationFailed)
                .with_note(format!("its output:\n{}", script_output.trim_end())),
        }]
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Environment(error) => error.exit(),
            Self::Prefix(error) => error.exit(),
            Self::Malformed { .. }
            | Self::Variable { .. }
            | Self::Disk(_)
            | Self::NoShell { .. }
            | Self::Script { .. } => Exit::Undetermined,
        }
    }
}

/// Activates the environment at `prefix` on top of the variables that the caller inherited.
///
/// Runs its activation scripts and the deactivation scripts of the environment
/// that was active before.
pub fn activate(
    prefix: &Path,
    platform: Subdir,
    inherited: Variables,
) -> Result<Activated, ActivateError> {
    if !is_environment(prefix) {
        let is_unfinished = matches!(state(prefix), Ok(PrefixState::Interrupted));
        let state = if is_unfinished { PrefixState::Interrupted } else { PrefixState::Absent };
        UnusableEnvironment::check(prefix, state)?;
    }
    UnusableEnvironment::check(prefix, state_of(prefix, prefix)?)?;
    let level =
        text(&inherited, "CONDA_SHLVL").and_then(|level| level.parse().ok()).unwrap_or(0u32);
    let old = text(&inherited, "CONDA_PREFIX").filter(|_| level > 0).map(PathBuf::from);
    let mut variables = inherited;
    let mut script_output = String::new();
    if let Some(old) = &old {
        (variables, script_output) = source(old, "deactivate.d", variables)?;
        for name in environment_variables(old)?.into_keys() {
            variables.remove(OsStr::new(&name));
        }
        variables.insert(format!("CONDA_PREFIX_{level}").into(), old.into());
    }
    let path = search_path(prefix, old.as_deref(), platform, variables.get(OsStr::new("PATH")));
    let name = default_name(prefix);
    let mut set = |name: &str, value: OsString| variables.insert(name.into(), value);
    set("PATH", path);
    set("CONDA_PREFIX", prefix.into());
    set("CONDA_SHLVL", (level + 1).to_string().into());
    set("CONDA_PROMPT_MODIFIER", format!("({name}) ").into());
    set("CONDA_DEFAULT_ENV", name.into());
    for (name, value) in environment_variables(prefix)? {
        if value != UNSET {
            set(&name, value.into());
        }
    }
    let (variables, more) = source(prefix, "activate.d", variables)?;
    Ok(Activated { variables, script_output: script_output + &more })
}

/// Replaces this process by a command in an activated environment, so that signals and the exit
/// code are the command's own. Returns only if that fails.
pub fn exec(argv: &[OsString], activated: &Activated) -> io::Error {
    let Some((program, arguments)) = argv.split_first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(&activated.variables);
    std::os::unix::process::CommandExt::exec(&mut command)
}

fn text<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables.get(OsStr::new(name))?.to_str()
}

/// Returns the name that conda shows: the name of an environment in a directory `envs`, else the
/// whole path.
fn default_name(prefix: &Path) -> String {
    let named = prefix.parent().is_some_and(|parent| parent.ends_with("envs"));
    let name = prefix.file_name().filter(|_| named).unwrap_or(prefix.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Returns the search path: first the prefix's directories, without those of the environment that
/// was active before.
fn search_path(
    prefix: &Path,
    old: Option<&Path>,
    platform: Subdir,
    inherited: Option<&OsString>,
) -> OsString {
    let ours = prefix_path_entries(prefix, &platform);
    let theirs = old.map(|old| prefix_path_entries(old, &platform)).unwrap_or_default();
    let inherited = inherited.map_or_else(|| OsString::from(NO_PATH), OsString::clone);
    let inherited: Vec<PathBuf> = std::env::split_paths(&inherited).collect();
    let rest = inherited.into_iter().filter(|path| !ours.contains(path) && !theirs.contains(path));
    let paths: Vec<PathBuf> = ours.iter().cloned().chain(rest).collect();
    // What was split can be joined, and `PrefixPaths` allows no separator in a prefix.
    std::env::join_paths(paths).unwrap_or_else(|_| ours.first().cloned().unwrap_or_default().into())
}

#[derive(Deserialize)]
struct StateFile {
    #[serde(default)]
    env_vars: BTreeMap<String, Scalar>,
}

/// A value of a variable. conda writes numbers and truth values as Python does.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Truth(true) => "True".to_owned(),
            Self::Truth(false) => "False".to_owned(),
        }
    }
}

/// Returns the values as texts, or an error for a variable that no process can have.
fn texts(
    path: &Path,
    variables: BTreeMap<String, Scalar>,
) -> Result<BTreeMap<String, String>, ActivateError> {
    let variables = variables.into_iter().map(|(name, value)| (name, value.into_text()));
    let is_possible = |name: &str, value: &str| {
        !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0')
    };
    variables
        .map(|(variable, value)| {
            if is_possible(&variable, &value) {
                Ok((variable, value))
            } else {
                Err(ActivateError::Variable { path: path.to_owned(), variable })
            }
        })
        .collect()
}

fn help_for_variables(path: &Path) -> &'static str {
    if path.parent().is_some_and(|folder| folder.ends_with("env_vars.d")) {
        "request another build of the package that has this file, or report it to its maintainers"
    } else {
        "`envlock install --replace` builds the environment anew"
    }
}

/// Returns the variables of `conda-meta/state`, which activation sets; `None` if the file can't be
/// read.
pub(crate) fn configured_variables(prefix: &Path) -> Option<BTreeMap<String, String>> {
    state_file_variables(prefix).ok()
}

/// Returns the variables of the packages (`etc/conda/env_vars.d/*.json`), then those of the
/// environment (`conda-meta/state`); empty if these files don't exist.
fn environment_variables(prefix: &Path) -> Result<BTreeMap<String, String>, ActivateError> {
    let mut variables = BTreeMap::new();
    for path in files_in(&prefix.join("etc/conda/env_vars.d"), "json")? {
        variables.extend(texts(&path, read_json(&path)?.unwrap_or_default())?);
    }
    variables.extend(state_file_variables(prefix)?);
    Ok(variables)
}

fn state_file_variables(prefix: &Path) -> Result<BTreeMap<String, String>, ActivateError> {
    let path = prefix.join("conda-meta/state");
    let state: Option<StateFile> = read_json(&path)?;
    state.map_or_else(|| Ok(BTreeMap::new()), |state| texts(&path, state.env_vars))
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, ActivateError> {
    let Some(bytes) = read_bounded(path, MAX_BYTES)? else { return Ok(None) };
    let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(json)
        .map(Some)
        .map_err(|source| ActivateError::Malformed { path: path.to_owned(), source })
}

/// Returns the files of a directory with an extension, sorted; empty if the directory doesn't
/// exist.
fn files_in(folder: &Path, extension: &str) -> io::Result<Vec<PathBuf>> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_not_found(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new(extension)) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Sources its arguments and prints the environment, divided by zeros. What the scripts
/// print goes to stderr.
const SOURCE: &str = r#"
exec 3>&1 1>&2
scripts=("$@")
set --
for script in "${scripts[@]}"; do . "$script"; done
exec /usr/bin/env -0 >&3 3>&-
"#;

/// What a shell sets for itself; not the scripts' doing.
const SHELLS_OWN: [&str; 5] = ["_", "SHLVL", "PWD", "OLDPWD", "BASH_ENV"];

/// Activates the environment in the shell itself and sources a script: its first argument is the
/// search path of the environment, its second the script.
const SOURCE_ACTIVATED: &str = r#"
export PATH="$1${PATH:+:$PATH}"
final=$2
shift 2
scripts=("$@")
set --
for script in "${scripts[@]}"; do . "$script"; done
. "$final"
"#;

/// Runs a script of an environment that is being installed, activated on top of the variables of
/// this process. Doesn't wait for background processes of the script.
pub(crate) fn run_script(
    prefix: &Path,
    platform: Subdir,
    script: &Path,
    variables: &[(&str, String)],
) -> Result<Finished, ActivateError> {
    let path = std::env::join_paths(prefix_path_entries(prefix, &platform)).unwrap_or_default();
    let mut command = Command::new("bash");
    command.args(["--norc", "--noprofile", "-c", SOURCE_ACTIVATED, "bash"]);
    command.arg(path).arg(script).args(files_in(&prefix.join("etc/conda/activate.d"), "sh")?);
    command.env_remove("BASH_ENV").env("CONDA_PREFIX", prefix).env("CONDA_SHLVL", "1");
    command.env("CONDA_DEFAULT_ENV", default_name(prefix));
    command.envs(environment_variables(prefix)?.iter().filter(|(_, value)| *value != UNSET));
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    run_to_end(command)
        .map_err(|source| ActivateError::NoShell { prefix: prefix.to_owned(), source })
}

/// Runs the scripts in `etc/conda/<folder>` and returns the variables afterwards, with
/// the output of the scripts. No shell is started where there are none.
fn source(
    prefix: &Path,
    folder: &str,
    variables: Variables,
) -> Result<(Variables, String), ActivateError> {
    use std::os::unix::ffi::OsStringExt;

    let scripts = files_in(&prefix.join("etc/conda").join(folder), "sh")?;
    if scripts.is_empty() {
        return Ok((variables, String::new()));
    }
    let mut command = Command::new("bash");
    command
        .args(["--norc", "--noprofile", "-c", SOURCE, "bash"])
        .args(&scripts)
        .env_clear()
        // A file that bash would read before the scripts.
        .envs(variables.iter().filter(|(name, _)| *name != "BASH_ENV"));
    let output = run_to_end(command)
        .map_err(|source| ActivateError::NoShell { prefix: prefix.to_owned(), source })?;
    let script_output = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() || output.stdout.is_empty() {
        let status = output.status.to_string();
        return Err(ActivateError::Script { prefix: prefix.to_owned(), status, script_output });
    }
    let mut after: Variables = output
        .stdout
        .split(|byte| *byte == 0)
        .filter_map(|record| {
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (record[..equals].to_vec(), record[equals + 1..].to_vec());
            Some((OsString::from_vec(name), OsString::from_vec(value)))
        })
        .collect();
    for name in SHELLS_OWN.map(OsStr::new) {
        match variables.get(name) {
            Some(value) => after.insert(name.to_owned(), value.clone()),
            None => after.remove(name),
        };
    }
    Ok((after, script_output))
}
