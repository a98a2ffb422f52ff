//! The answer of a command, which [`Ui::finish`](super::Ui::finish) prints.

use envlock_report::{
    AsFindings, Finding,
    outcome::{Completion, Failure, LevelOverrides},
};

/// The answer of a command.
pub(crate) struct CommandOutput<T> {
    /// How the command ended.
    pub(crate) completion: Completion,
    /// The findings, before the overrides of the run are applied.
    pub(crate) findings: Vec<Finding>,
    /// The overrides of files that only this command reads.
    pub(crate) overrides: LevelOverrides,
    /// The result, for JSON.
    pub(crate) result: Option<T>,
    /// The result as text for people; ends in a newline unless empty.
    pub(crate) text: String,
    /// The commands to type next, for people; ends in a newline unless empty.
    pub(crate) next: String,
    /// Whether the number of findings is printed for people.
    pub(crate) is_check: bool,
}

impl<T> CommandOutput<T> {
    /// Creates the answer of a command that did its work.
    pub(crate) fn done(result: T, text: impl Into<String>) -> Self {
        Self {
            completion: Completion::Complete,
            findings: Vec::new(),
            overrides: LevelOverrides::default(),
            result: Some(result),
            text: text.into(),
            next: String::new(),
            is_check: false,
        }
    }

    /// Creates the answer of a command that failed with an error.
    pub(crate) fn failed(error: &dyn AsFindings) -> Self {
        Self::from_failure(Failure::from_error(error))
    }

    /// Creates the answer of a command that failed.
    pub(crate) fn from_failure(failure: Failure) -> Self {
        Self {
            completion: Completion::Failed(failure),
            findings: Vec::new(),
            overrides: LevelOverrides::default(),
            result: None,
            text: String::new(),
            next: String::new(),
            is_check: false,
        }
    }

    /// Adds findings.
    #[must_use]
    pub(crate) fn with_findings(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        self.findings.extend(findings);
        self
    }

    /// Sets how the command ended.
    #[must_use]
    pub(crate) fn with_completion(mut self, completion: Completion) -> Self {
        self.completion = completion;
        self
    }

    /// Sets the commands to type next.
    #[must_use]
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// Adds overrides.
    #[must_use]
    pub(crate) fn with_overrides(mut self, overrides: LevelOverrides) -> Self {
        self.overrides.extend(overrides);
        self
    }

    /// Marks the answer as that of a check, so that the number of findings is printed.
    #[must_use]
    pub(crate) fn of_check(mut self) -> Self {
        self.is_check = true;
        self
    }
}
