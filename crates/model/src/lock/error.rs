//! The errors of reading a lock.

use std::path::Path;

use envlock_report::{AsFindings, Code, Exit, Finding, Place};
use envlock_text::ReadError as TextError;

use super::{FILE_NAME, Inconsistency, Lock};
use crate::OtherFormat;

/// Why a lock can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The file has the conflict markers of a merge.
    #[error("the lock has unresolved merge conflicts")]
    MergeConflict {
        /// The first marker.
        place: Place,
    },
    /// The text can't be read. The errors are the same as for other files.
    #[error("the lock can't be read: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Text(Vec<TextError>),
    /// The file doesn't have the format of a lock.
    #[error("the lock can't be read: {message}")]
    Malformed {
        /// The place of the error, or the start of the file.
        place: Place,
        /// The error.
        message: String,
    },
    /// The file is another tool's lock.
    #[error("{}", other_tool(place, *format))]
    OtherTool {
        /// The start of the file.
        place: Place,
        /// Its format, if it is known.
        format: Option<OtherFormat>,
    },
    /// The lock has another version of the format.
    #[error("the lock's {key} is {found}; this envlock reads {reads}")]
    Version {
        /// The place of the version.
        place: Place,
        /// The key of the version, such as `envlock.version`.
        key: &'static str,
        /// The version in the file.
        found: u64,
        /// The version that this program reads.
        reads: u64,
    },
    /// The block `envlock:` or `secrets:` has mistakes, each with its place.
    #[error("a block of the lock can't be read")]
    Blocks(Vec<Finding>),
    /// The lock contradicts itself, because of a manual edit or a wrong merge.
    #[error("the lock contradicts itself")]
    Inconsistent {
        /// Each contradiction with its place.
        problems: Vec<(Place, Inconsistency)>,
        /// The lock as read. Use it only as a preference for the next solve.
        lock: Box<Lock>,
    },
}

impl AsFindings for LockError {
    fn findings(&self) -> Vec<Finding> {
        let solve_again = "run `envlock solve`, which keeps the locked packages that fit";
        match self {
            Self::MergeConflict { place } => vec![
                Finding::new(Code::LockConflict, self.to_string())
                    .at(place.clone())
                    .with_note("a mixture of the two sides isn't a valid lock")
                    .with_help(format!(
                        "take one of the two sides, then solve: `git checkout --theirs {0} && envlock solve`",
                        place.file
                    )),
            ],
            Self::Malformed { place, .. } => {
                let finding = Finding::new(Code::LockMalformed, self.to_string()).at(place.clone());
                vec![finding.with_help(restore(&place.file))]
            }
            Self::Text(errors) => {
                let finding = |error: &TextError| {
                    Finding::from(error).with_help(restore(&error.place.file))
                };
                errors.iter().map(finding).collect()
            }
            Self::Blocks(mistakes) => mistakes.iter().map(in_lock).collect(),
            Self::OtherTool { place, format } => {
                let help = match format {
                    Some(OtherFormat::Environment) => {
                        format!("name it with `-f {}`, and envlock's lock with `--lock`", place.file)
                    }
                    Some(_) if !is_default_name(&place.file) => format!(
                        "name envlock's own lock with `--lock`, or leave `--lock` out for {FILE_NAME}"
                    ),
                    _ => format!(
                        "restore it with `git checkout {0}`, or move it away and run `envlock solve`",
                        place.file
                    ),
                };
                let finding = Finding::new(Code::LockOfOtherTool, self.to_string());
                vec![finding.at(place.clone()).with_help(help)]
            }
            Self::Version { place, found, reads, .. } => vec![
                Finding::new(Code::LockVersionUnsupported, self.to_string()).at(place.clone()).with_help(
                    if found > reads {
                        "a newer envlock wrote it: use that version, or remove the lock and run \
                         `envlock solve`"
                    } else {
                        "remove it and run `envlock solve`"
                    },
                ),
            ],
            Self::Inconsistent { problems, .. } => problems
                .iter()
                .map(|(place, problem)| {
                    Finding::new(Code::LockInconsistent, problem.to_string())
                        .at(place.clone())
                        .with_help(solve_again)
                })
                .collect(),
        }
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Whether a file has the usual name of envlock's lock.
pub(super) fn is_default_name(file: &str) -> bool {
    Path::new(file).file_name().is_some_and(|name| name == FILE_NAME)
}

fn other_tool(place: &Place, format: Option<OtherFormat>) -> String {
    match format {
        Some(format) => format!("{} is {format}, and not a lock file of envlock", place.file),
        None => format!("{} has no `envlock:` block, which envlock writes", place.file),
    }
}

/// Converts a mistake in a block to a finding about a malformed lock. Its own help is for people
/// who write a manifest, and isn't useful for a lock.
fn in_lock(mistake: &Finding) -> Finding {
    let message = format!("the lock can't be read: {}", mistake.message);
    let finding = Finding::new(Code::LockMalformed, message);
    match &mistake.place {
        Some(place) => finding.at(place.clone()).with_help(restore(&place.file)),
        None => finding,
    }
}

fn restore(file: &str) -> String {
    format!("restore it with `git checkout {file}`, or remove it and run `envlock solve`")
}
