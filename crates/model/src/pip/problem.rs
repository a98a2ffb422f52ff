//! What is wrong with a part of a line.

use std::ops::Range;

use envlock_report::{Code, Finding, Level, Place};

/// A finding about a part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) code: Code,
    pub(super) level: Level,
    /// The part of the line, in bytes.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

impl Problem {
    pub(super) fn error(
        code: Code,
        at: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let (message, help) = (message.into(), help.into());
        Self { code, level: Level::Error, at, message, help }
    }

    /// Creates an error about the syntax of a requirement.
    pub(super) fn syntax(
        at: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::error(Code::PipRequirement, at, message, help)
    }

    pub(super) fn warning(
        code: Code,
        at: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { level: Level::Warning, ..Self::error(code, at, message, help) }
    }

    /// Moves the part by the offset of the text in its line.
    #[must_use]
    pub(super) fn moved(mut self, by: usize) -> Self {
        self.at = self.at.start + by..self.at.end + by;
        self
    }

    /// Returns the finding at a place.
    pub(super) fn finding(&self, place: Place) -> Finding {
        let finding = Finding::new(self.code, &self.message).at_level(self.level).at(place);
        if self.help.is_empty() { finding } else { finding.with_help(&self.help) }
    }
}
