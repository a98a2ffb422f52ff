//! Why a file isn't a lock.

use envlock_report::{AsFindings, Code, Exit, Finding, Place};
use envlock_text::ReadError as TextError;

use super::{Inconsistency, Lock};

/// Why a file is not a lock that can be relied on.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A merge left its markers.
    #[error("the lock has unresolved merge conflicts")]
    MergeConflict {
        /// The first marker.
        place: Place,
    },
    /// It isn't YAML that is read: the same errors as in every other file.
    #[error("the lock can't be read: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Text(Vec<TextError>),
    /// It doesn't have the form of a lock.
    #[error("the lock can't be read: {message}")]
    Malformed {
        /// Where, when that is known.
        place: Place,
        /// What is wrong.
        message: String,
    },
    /// A lock of another tool.
    #[error("this lock was not written by envlock: it has no `envlock:` block")]
    OtherTool {
        /// The file.
        place: Place,
    },
    /// Written by another generation of envlock.
    #[error("the lock's {key} is {found}; this envlock reads {reads}")]
    Version {
        /// Where.
        place: Place,
        /// Which version: that of the body or that of envlock's own block.
        key: &'static str,
        /// The version that it has.
        found: u64,
        /// The version that this program reads.
        reads: u64,
    },
    /// A block of envlock's own has mistakes, each with its place.
    #[error("a block of the lock can't be read")]
    Blocks(Vec<Finding>),
    /// It contradicts itself: a hand edit or a bad merge.
    #[error("the lock contradicts itself")]
    Inconsistent {
        /// Each contradiction with its place.
        problems: Vec<(Place, Inconsistency)>,
        /// What could be read: good enough to say which packages to keep, for nothing else.
        lock: Box<Lock>,
    },
}

impl AsFindings for LockError {
    fn findings(&self) -> Vec<Finding> {
        let solve_again = "solve again with `envlock solve`; what is right in it stays";
        match self {
            Self::MergeConflict { place } => vec![
                Finding::new(Code::LockConflict, self.to_string())
                    .at(place.clone())
                    .with_note("both sides are answers to different questions; neither half is one")
                    .with_help(format!(
                        "take either side whole, then solve: `git checkout --theirs {0} && envlock solve`",
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
            Self::OtherTool { place } => vec![
                Finding::new(Code::LockOfOtherTool, self.to_string())
                    .at(place.clone())
                    .with_help("remove it and run `envlock solve`, which writes one with that block"),
            ],
            Self::Version { place, found, reads, .. } => vec![
                Finding::new(Code::LockVersion, self.to_string()).at(place.clone()).with_help(
                    if found > reads {
                        "it was written by a newer envlock: use that one, or remove the lock and \
                         run `envlock solve`"
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

/// A mistake of a manifest's reader, as one of the lock: nobody writes a lock by hand.
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
