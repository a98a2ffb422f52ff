//! The answer of a command, in the one shape that [`Ui::finish`](super::Ui::finish) prints.

use envlock_report::{
    AsFindings, Finding,
    sink::{Completion, Failure, Rules},
};

/// What a command answers.
pub(crate) struct Answer<T> {
    /// How it came to its end.
    pub(crate) ended: Completion,
    /// What was found. The rules of the run aren't applied yet.
    pub(crate) findings: Vec<Finding>,
    /// Rules of a file that only this command reads.
    pub(crate) rules: Rules,
    /// What was found or done, for JSON.
    pub(crate) result: Option<T>,
    /// The same for people; ends in a newline unless empty.
    pub(crate) text: String,
    /// The next commands to type, for people; ends in a newline unless empty.
    pub(crate) next: String,
    /// Whether people are shown how many findings there are.
    pub(crate) is_check: bool,
}

impl<T> Answer<T> {
    /// The command did its work.
    pub(crate) fn done(result: T, text: impl Into<String>) -> Self {
        Self {
            ended: Completion::Complete,
            findings: Vec::new(),
            rules: Rules::default(),
            result: Some(result),
            text: text.into(),
            next: String::new(),
            is_check: false,
        }
    }

    /// An error came before there was an answer.
    pub(crate) fn failed(error: &dyn AsFindings) -> Self {
        Self::from_failure(Failure::from_error(error))
    }

    /// The same, for an error that is no type.
    pub(crate) fn from_failure(failure: Failure) -> Self {
        Self {
            ended: Completion::Failed(failure),
            findings: Vec::new(),
            rules: Rules::default(),
            result: None,
            text: String::new(),
            next: String::new(),
            is_check: false,
        }
    }

    /// The same, with further findings.
    #[must_use]
    pub(crate) fn with_findings(mut self, findings: impl IntoIterator<Item = Finding>) -> Self {
        self.findings.extend(findings);
        self
    }

    /// The same, ended in another way.
    #[must_use]
    pub(crate) fn ended(mut self, ended: Completion) -> Self {
        self.ended = ended;
        self
    }

    /// The same, with the next commands to type.
    #[must_use]
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// The same, under further rules.
    #[must_use]
    pub(crate) fn with_rules(mut self, rules: Rules) -> Self {
        self.rules.extend(rules);
        self
    }

    /// The same, as the answer of a check: people are shown how many findings there are.
    #[must_use]
    pub(crate) fn as_check(mut self) -> Self {
        self.is_check = true;
        self
    }
}
