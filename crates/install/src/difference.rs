//! How a path of a prefix differs from its record.

use std::fmt;
use std::path::PathBuf;

/// How a path differs from its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The path doesn't exist.
    Missing,
    /// The contents differ.
    Changed,
    /// The size in bytes differs.
    Size {
        /// As recorded.
        expected: u64,
        /// As found.
        found: u64,
    },
    /// The type differs, such as a directory instead of a file.
    Type,
    /// The link has another target.
    Target {
        /// As installed.
        expected: PathBuf,
        /// As found.
        found: PathBuf,
    },
    /// The permissions differ: executable, setuid or writable for everyone, for example.
    Mode {
        /// The permissions of an installed file or directory, as `chmod` takes them.
        expected: u32,
        /// As found.
        found: u32,
    },
    /// No package contains it.
    Untracked,
    /// It can't be read.
    Unreadable {
        /// The operating system's message.
        reason: String,
    },
}

/// A path that differs from its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDifference {
    /// Relative to the prefix.
    pub path: PathBuf,
    /// The package's name; `None` for an extra file.
    pub package: Option<String>,
    /// How it differs.
    pub kind: DifferenceKind,
}

impl fmt::Display for FileDifference {
    /// Formats one line without a full stop: `lib/x.py (numpy) is missing`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(package) = &self.package {
            write!(f, " ({package})")?;
        }
        match &self.kind {
            DifferenceKind::Missing => f.write_str(" is missing"),
            DifferenceKind::Changed => f.write_str(" has other bytes"),
            DifferenceKind::Size { expected, found } => {
                write!(f, " has {found} bytes instead of {expected}")
            }
            DifferenceKind::Type => f.write_str(" is another kind of file"),
            DifferenceKind::Target { expected, found } => {
                write!(f, " points to {} instead of {}", found.display(), expected.display())
            }
            DifferenceKind::Mode { expected, found } => {
                write!(f, " has mode {found:04o} instead of {expected:04o}")
            }
            DifferenceKind::Untracked => f.write_str(" belongs to no package"),
            DifferenceKind::Unreadable { reason } => write!(f, " can't be read: {reason}"),
        }
    }
}
