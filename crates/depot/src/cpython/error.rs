//! The reasons why no Python can be packed.

use std::fmt;
use std::io;
use std::path::PathBuf;

use envlock_report::{AsFindings, Code, Exit, Finding};

/// A candidate that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedInterpreter {
    /// The executable.
    pub path: PathBuf,
    /// The reason.
    pub reason: SkipReason,
}

impl fmt::Display for SkippedInterpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.reason)
    }
}

/// Why an interpreter can't be packed. The message continues after its path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// It couldn't be started, or failed, as a shim for another version does.
    #[error("doesn't run: {0}")]
    DoesNotRun(String),
    /// Another implementation.
    #[error("is {0}, not CPython")]
    OtherImplementation(String),
    /// The standard library isn't where a relocated interpreter looks for it.
    #[error("keeps its library in {0}, not in lib of its prefix")]
    LibraryElsewhere(PathBuf),
    /// Windows, macOS, or a script.
    #[error("is not a 64-bit ELF program")]
    NotElf,
    /// The dynamic linker finds `libpython` by the system's configuration.
    #[error("uses {0}, which none of its run paths contains")]
    SharedLibraryElsewhere(String),
    /// `$ORIGIN/…` is longer than the run path in this file.
    #[error("has a run path too short to be made relative, in {0}")]
    NoRoomForRunPath(String),
}

/// Why no package of Python can be made.
#[derive(Debug, thiserror::Error)]
pub enum CpythonError {
    /// No interpreter of this machine can be packed.
    #[error("no CPython was found on this machine that can be made into a package")]
    NotFound {
        /// The requested version.
        requested: [u32; 2],
        /// The interpreters that were tried.
        skipped: Vec<SkippedInterpreter>,
    },
    /// The interpreter that was found isn't relocatable.
    #[error("{0}")]
    NotMovable(SkippedInterpreter),
    /// Its files can't be read.
    #[error("the files of CPython can't be read: {0}")]
    Io(#[from] io::Error),
}

impl AsFindings for CpythonError {
    fn findings(&self) -> Vec<Finding> {
        let message = self.to_string();
        vec![match self {
            Self::NotFound { requested: [major, minor], skipped } => skipped
                .iter()
                .fold(Finding::new(Code::NoCpython, message), |finding, skipped| {
                    finding.with_note(skipped.to_string())
                })
                .with_help(format!(
                    "install Python {major}.{minor} so that `python{major}.{minor}` is on PATH, \
                     for example with `pyenv install {major}.{minor}`"
                )),
            Self::NotMovable(_) => Finding::new(Code::CpythonNotMovable, message),
            Self::Io(_) => Finding::new(Code::CpythonUnreadable, message),
        }]
    }

    fn exit(&self) -> Exit {
        Exit::Undetermined
    }
}
