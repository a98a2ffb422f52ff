//! Errors of a file or a variable of the configuration.

use envlock_report::{AsFindings, Code, Exit, Finding};
use envlock_text::redact;

use crate::ValueSource;

/// Errors in the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration can't be used: {}", .findings.first().map_or("", |finding| finding.message.as_str()))]
pub struct InvalidConfiguration {
    /// The errors, each with its place.
    pub findings: Vec<Finding>,
}

impl AsFindings for InvalidConfiguration {
    fn findings(&self) -> Vec<Finding> {
        self.findings.clone()
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Collects findings. Passwords are redacted.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Finding>);

impl Problems {
    pub(crate) fn add(
        &mut self,
        set_by: &ValueSource,
        code: Code,
        message: &str,
        help: Option<&str>,
    ) {
        let mut finding = Finding::new(code, message);
        finding.help = help.map(|help| redact(help).into_owned());
        match set_by {
            ValueSource::File(place) => finding.place = Some(place.clone()),
            ValueSource::Default => {}
            other => finding.add_note(format!("set by {other}")),
        }
        self.0.push(finding);
    }

    /// Adds a finding that has its place already.
    pub(crate) fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Returns the value if there are no findings.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, InvalidConfiguration> {
        if self.0.is_empty() { Ok(value) } else { Err(InvalidConfiguration { findings: self.0 }) }
    }
}
