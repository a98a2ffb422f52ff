//! Why the environment at a prefix can't be used: an answer that `run` and `verify` share.

use std::path::{Path, PathBuf};

use envlock_report::{AsFindings, Code, Exit, Finding};
use thiserror::Error;

use crate::state::PrefixState;

/// Why the environment at a prefix can't be used.
#[derive(Debug, Error)]
pub enum UnusableEnvironment {
    /// There is no environment.
    #[error("there is no environment at `{}`", .0.display())]
    Absent(PathBuf),
    /// An install into the prefix hasn't finished.
    #[error("an install into `{}` was killed or is still running", .0.display())]
    Unfinished(PathBuf),
    /// The environment was made for another path, which its files name.
    #[error("the environment at `{}` was made for `{}`", .prefix.display(), .recorded.display())]
    Moved {
        /// The path of the environment.
        prefix: PathBuf,
        /// The path that it was made for.
        recorded: PathBuf,
    },
}

impl UnusableEnvironment {
    /// Checks that `state` is that of an environment that can be used at `prefix`.
    pub(crate) fn check(prefix: &Path, state: PrefixState) -> Result<(), Self> {
        match state {
            PrefixState::Absent | PrefixState::NotAnEnvironment => {
                Err(Self::Absent(prefix.to_owned()))
            }
            PrefixState::Interrupted => Err(Self::Unfinished(prefix.to_owned())),
            PrefixState::Moved { from } => {
                Err(Self::Moved { prefix: prefix.to_owned(), recorded: from })
            }
            PrefixState::Ready { .. }
            | PrefixState::Modified { .. }
            | PrefixState::MadeByOtherTool => Ok(()),
        }
    }
}

impl AsFindings for UnusableEnvironment {
    fn findings(&self) -> Vec<Finding> {
        let error = |code| Finding::new(code, self.to_string());
        vec![match self {
            Self::Absent(_) => {
                error(Code::NoEnvironment).with_help("make it with `envlock install`")
            }
            Self::Unfinished(_) => error(Code::Interrupted)
                .with_note("its packages or its post-link scripts may be incomplete")
                .with_help("run `envlock install` again"),
            // `install` refuses to replace a link.
            Self::Moved { prefix, .. } if prefix.is_symlink() => error(Code::MovedPrefix)
                .with_help(format!(
                    "it is a symbolic link: remove it, and then `envlock install -p {}`",
                    prefix.display()
                )),
            Self::Moved { prefix, .. } => error(Code::MovedPrefix)
                .with_help(format!("install again: `envlock install -p {}`", prefix.display())),
        }]
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Absent(_) => Exit::Usage,
            Self::Unfinished(_) | Self::Moved { .. } => Exit::Findings,
        }
    }
}
