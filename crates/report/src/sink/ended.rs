//! How a command came to its end, before its findings are judged.

use crate::{Exit, Explain, Finding, Level};

/// How a command came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It did its work: the findings alone decide the exit code.
    Done,
    /// A part of the answer is missing. An error that was found counts more than the failure.
    Partly(Failure),
    /// An error came before there was an answer: the exit code is that of the error.
    Failed(Failure),
}

/// An error that ends a command, or leaves its answer incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub(super) exit: Exit,
    pub(super) findings: Vec<Finding>,
}

impl Failure {
    /// A failure that ends with `exit`. One of its findings is an error: the first one is made
    /// one if none is.
    pub fn new(exit: Exit, findings: Vec<Finding>) -> Self {
        let mut findings = findings;
        let has_error = findings.iter().any(|finding| finding.level == Level::Error);
        if let Some(first) = findings.first_mut().filter(|_| !has_error) {
            first.level = Level::Error;
        }
        Self { exit: if exit == Exit::Yes { Exit::Unknown } else { exit }, findings }
    }

    /// The failure that an error is.
    pub fn of(error: &dyn Explain) -> Self {
        Self::new(error.exit(), error.findings())
    }

    /// The same, with one more fact on each of its findings.
    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        for finding in &mut self.findings {
            finding.notes.push(note.to_owned());
        }
        self
    }
}
