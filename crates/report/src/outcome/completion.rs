//! How a command ended, before its findings get their levels.

use crate::{AsFindings, Exit, Finding, Level};

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// The command finished. The findings alone decide the exit code.
    Complete,
    /// A part of the result is missing. If a finding is an error, it determines the exit
    /// code; otherwise the failure does.
    Partial(Failure),
    /// An error prevented the result. It determines the exit code.
    Failed(Failure),
}

/// An error that ends a command, or leaves its result incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub(super) exit: Exit,
    pub(super) findings: Vec<Finding>,
}

impl Failure {
    /// Creates a failure that ends with `exit`. If none of its findings is an error, the first
    /// one becomes an error.
    pub fn new(exit: Exit, findings: Vec<Finding>) -> Self {
        let mut findings = findings;
        let has_error = findings.iter().any(|finding| finding.level == Level::Error);
        if let Some(first) = findings.first_mut().filter(|_| !has_error) {
            first.level = Level::Error;
        }
        Self { exit: if exit == Exit::Success { Exit::Undetermined } else { exit }, findings }
    }

    /// Converts an error to a failure.
    pub fn from_error(error: &dyn AsFindings) -> Self {
        Self::new(error.exit(), error.findings())
    }

    /// Adds a note to each of its findings.
    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        for finding in &mut self.findings {
            finding.add_note(note);
        }
        self
    }
}
