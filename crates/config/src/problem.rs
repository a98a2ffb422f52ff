//! What is wrong with a file or a variable of the configuration.

use envlock_report::{Code, Exit, Explain, Finding};
use envlock_text::redact;

use crate::ValueSource;

/// A part of the configuration that can't be used: all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration can't be used: {}", .findings.first().map_or("", |d| d.message.as_str()))]
pub struct InvalidConfiguration {
    /// What is wrong, each at its place.
    pub findings: Vec<Finding>,
}

impl Explain for InvalidConfiguration {
    fn findings(&self) -> Vec<Finding> {
        self.findings.clone()
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Collects what is wrong. No password gets past it.
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
            other => finding.notes.push(format!("set by {other}")),
        }
        self.0.push(finding);
    }

    /// Adds a finding that has its place.
    pub(crate) fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// What was made, if nothing was wrong with it.
    pub(crate) fn finish<T>(self, made: T) -> Result<T, InvalidConfiguration> {
        if self.0.is_empty() { Ok(made) } else { Err(InvalidConfiguration { findings: self.0 }) }
    }
}
