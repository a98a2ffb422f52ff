//! The exit codes, once for the whole program.

use serde::Serialize;

/// How a command ended. Scripts and CI rely on these numbers: they never change meaning.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// 0: yes, it is so, or it was done.
    Yes,
    /// 1: the question was answered and the answer has findings.
    Findings,
    /// 2: the command line or an input file is wrong.
    Usage,
    /// 3: it could not be found out: network, disk, server.
    Unknown,
    /// 4: a server refused the login.
    LoginRefused,
    /// 5: the lock no longer answers what environment.yml asks.
    Stale,
    /// 6: there is no solution.
    NoSolution,
    /// 130: the user, or the system, ended it: the shell's own code for Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The process's exit status.
    pub const fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Unknown => 3,
            Self::LoginRefused => 4,
            Self::Stale => 5,
            Self::NoSolution => 6,
            Self::Interrupted => 130,
        }
    }
}
