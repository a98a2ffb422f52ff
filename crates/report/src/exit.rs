//! The exit codes of all commands.

use serde::Serialize;

/// How a command ended. Scripts and CI use these numbers, so they never change their meaning.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// 0: the command succeeded, and no finding is an error.
    Success,
    /// 1: at least one finding is an error.
    Findings,
    /// 2: the command line or an input file is wrong.
    Usage,
    /// 3: the result couldn't be determined, because of the network, the disk or a server.
    Undetermined,
    /// 4: a server rejected the login.
    LoginRefused,
    /// 5: the lock file doesn't match environment.yml.
    Stale,
    /// 6: the requirements have no solution.
    NoSolution,
    /// 126: `run` found its command and can't execute it. It is the shell's code.
    CommandNotExecutable,
    /// 127: `run` doesn't find its command. It is the shell's code.
    CommandNotFound,
    /// 130: the user or the system stopped the command. It is the shell's code for Ctrl-C.
    Interrupted,
}

impl Exit {
    /// Returns the process's exit status.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Undetermined => 3,
            Self::LoginRefused => 4,
            Self::Stale => 5,
            Self::NoSolution => 6,
            Self::CommandNotExecutable => 126,
            Self::CommandNotFound => 127,
            Self::Interrupted => 130,
        }
    }
}
