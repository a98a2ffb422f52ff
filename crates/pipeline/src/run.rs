//! `run`: activates an environment and replaces this process by a command.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use envlock_install::activate::{self, ActivateError, Activated, Variables};
use envlock_report::{AsFindings, Code, Exit, Finding};
use rattler_conda_types::Subdir;

use crate::{FileError, Project};

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
            Self::Command { prefix, .. } => {
                let bin = prefix.join("bin");
                vec![
                    Finding::new(Code::NoSuchCommand, self.to_string()).with_help(format!(
                        "the commands of the environment are in {}",
                        bin.display()
                    )),
                ]
            }
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Activate(error) => error.exit(),
            Self::Command { .. } => Exit::Usage,
        }
    }
}

/// An activated environment, in which a command can be run.
pub struct ActiveEnvironment {
    prefix: PathBuf,
    activated: Activated,
}

/// Activates the environment at `prefix`, else at the default prefix, with the variables of this
/// process as the base. Runs its activation scripts.
pub fn activate(
    project: &Project,
    prefix: Option<PathBuf>,
    platform: Subdir,
    variables: Variables,
) -> Result<ActiveEnvironment, RunError> {
    let prefix = match prefix {
        Some(prefix) => prefix,
        None => project.default_prefix()?,
    };
    let activated = activate::activate(&prefix, platform, variables)?;
    Ok(ActiveEnvironment { prefix, activated })
}

impl ActiveEnvironment {
    /// The prefix of the environment.
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// The output of the activation scripts.
    pub fn script_output(&self) -> &str {
        &self.activated.script_output
    }

    /// Replaces this process by the command. Returns only on failure.
    pub fn execute(&self, command: &[OsString]) -> RunError {
        RunError::Command {
            error: activate::exec(command, &self.activated),
            command: command.first().cloned().unwrap_or_default(),
            prefix: self.prefix.clone(),
        }
    }
}
