//! `run`: activates an environment and replaces this process by a command.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
};

use envlock_channel::Sources;
use envlock_install::{
    PrefixState,
    activate::{self, ActivateError, Activated, Variables},
};
use envlock_model::{channel::ChannelConfig, lock};
use envlock_report::{AsFindings, Code, Exit, Finding, Level, count};
use envlock_secrets::manifest::Manifest;
use rattler_conda_types::Subdir;

use crate::{
    FileError, Project,
    inputs::{ResolutionInputs, resolve_inputs},
    lock_credentials::overrides_from_lock,
};

/// Why a command can't be run in an environment.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The lock, which names the default prefix, can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The environment can't be activated.
    #[error(transparent)]
    Activate(#[from] ActivateError),
    /// The system can't start the command.
    #[error("{} can't be run: {error}", command.display())]
    Command {
        /// The command, without its arguments.
        command: OsString,
        /// Whether there is a file of that name.
        exists: bool,
        /// The prefix that was activated.
        prefix: PathBuf,
        /// The cause.
        error: io::Error,
    },
}

impl AsFindings for RunError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::Activate(error) => error.findings(),
            Self::Command { exists: true, error, .. } => {
                let finding = Finding::new(Code::CommandNotExecutable, self.to_string());
                vec![match error.kind() {
                    io::ErrorKind::NotFound => {
                        finding.with_note("its first line names an interpreter that doesn't exist")
                    }
                    _ => finding,
                }]
            }
            Self::Command { exists: false, prefix, .. } => {
                let bin = prefix.join("bin");
                let help = format!("the commands of the environment are in {}", bin.display());
                vec![Finding::new(Code::NoSuchCommand, self.to_string()).with_help(help)]
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Activate(error) => error.exit(),
            Self::Command { exists: true, .. } => Exit::CommandNotExecutable,
            Self::Command { exists: false, .. } => Exit::CommandNotFound,
        }
    }
}

/// The inputs of the comparison of a lock with environment.yml. Needs no client and no network.
#[derive(Clone, Copy)]
pub struct FreshnessContext<'a> {
    /// How channel names are resolved to URLs.
    pub channel_config: &'a ChannelConfig,
    /// The configured mirrors.
    pub sources: &'a Sources,
    /// The variables of the process, for `$VAR` in channels.
    pub variables: &'a BTreeMap<String, String>,
    /// This machine's platform.
    pub host: Subdir,
}

/// An activated environment, in which a command can be run.
pub struct ActiveEnvironment {
    prefix: PathBuf,
    activated: Activated,
}

/// Returns the prefix to run in: `prefix`, else the default prefix.
pub fn prefix_to_run(project: &Project, prefix: Option<PathBuf>) -> Result<PathBuf, RunError> {
    match prefix {
        Some(prefix) => Ok(prefix),
        None => Ok(project.default_prefix()?),
    }
}

/// Returns warnings if the lock doesn't match environment.yml, or the environment at the default
/// prefix the lock. Files that can't be read are no reason not to run a command: they give no
/// warning.
pub fn freshness_warnings(
    project: &Project,
    prefix: &Path,
    context: FreshnessContext<'_>,
) -> Vec<Finding> {
    let stale = stale_lock(project, context);
    stale.into_iter().chain(stale_prefix(project, prefix, context.host)).collect()
}

fn stale_lock(project: &Project, context: FreshnessContext<'_>) -> Option<Finding> {
    let environment = project.optional_environment().ok()??;
    let lock = project.lock().ok()?;
    let inputs = ResolutionInputs {
        folder: project.folder(),
        configuration: project.configuration(),
        channel_config: context.channel_config,
        variables: context.variables,
        sources: context.sources,
        host: context.host,
        // Only `--virtual-package host` needs them.
        host_packages: &[],
    };
    let overrides = overrides_from_lock(environment, lock);
    let resolution = resolve_inputs(environment, &overrides, Some(lock), inputs);
    let needs = project.manifest().ok()?.map(Manifest::locked);
    let changes = lock::changes(lock, &resolution.inputs.ok()?.inputs, needs.as_ref());
    if changes.is_empty() {
        return None;
    }
    let file = project.lock_path().display();
    let message = format!("{file} is stale: {}", count(changes.len(), "change"));
    let mut finding = Finding::new(Code::StaleLock, message).at_level(Level::Warning);
    finding.place = changes.iter().find_map(|change| change.place.clone());
    let finding = changes.iter().map(ToString::to_string).fold(finding, Finding::with_note);
    Some(finding.with_help("run `envlock solve` and `envlock install`"))
}

fn stale_prefix(project: &Project, prefix: &Path, platform: Subdir) -> Option<Finding> {
    let lock = project.lock().ok()?;
    let (PrefixState::Ready { lock_digest } | PrefixState::Modified { lock_digest }) =
        envlock_install::state(prefix).ok()?
    else {
        return None;
    };
    let is_current = [(true, true), (true, false), (false, true), (false, false)].iter().any(
        |(scripts, wheels)| lock.environment_digest(platform, *scripts, *wheels) == lock_digest,
    );
    let (prefix, file) = (prefix.display(), project.lock_path().display());
    let message = format!("the environment at `{prefix}` wasn't installed from this {file}");
    (!is_current)
        .then(|| Finding::new(Code::StalePrefix, message).with_help("run `envlock install`"))
}

/// Activates the environment at `prefix`, with the variables of this process as the base. Runs
/// its activation scripts.
pub fn activate(
    prefix: PathBuf,
    platform: Subdir,
    variables: Variables,
) -> Result<ActiveEnvironment, RunError> {
    let activated = activate::activate(&prefix, platform, variables)?;
    Ok(ActiveEnvironment { prefix, activated })
}

impl ActiveEnvironment {
    /// Returns the prefix of the environment.
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// Returns the output of the activation scripts.
    pub fn script_output(&self) -> &str {
        &self.activated.script_output
    }

    /// Replaces this process by the command. Returns only on failure.
    pub fn execute(&self, command: &[OsString]) -> RunError {
        let error = activate::exec(command, &self.activated);
        let command = command.first().cloned().unwrap_or_default();
        let exists = self.finds(&command);
        RunError::Command { command, exists, prefix: self.prefix.clone(), error }
    }

    /// Whether there is a file for the command: at its path, or of its name in a folder of `PATH`.
    fn finds(&self, command: &OsStr) -> bool {
        if command.is_empty() {
            return false;
        }
        if Path::new(command).components().count() > 1 || command == "." || command == ".." {
            return Path::new(command).exists();
        }
        let path = self.activated.variables.get(OsStr::new("PATH"));
        path.is_some_and(|path| {
            std::env::split_paths(path).any(|folder| folder.join(command).exists())
        })
    }
}
