//! What is wrong with a file or a variable of the configuration.

use envlock_report::{Code, Exit, Explain, Finding};
use envlock_text::redact;

use crate::Setter;

/// A part of the configuration that can't be used: all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration can't be used: {}", .diagnostics.first().map_or("", |d| d.message.as_str()))]
pub struct Invalid {
    /// What is wrong, each at its place.
    pub diagnostics: Vec<Finding>,
}

impl Explain for Invalid {
    fn findings(&self) -> Vec<Finding> {
        self.diagnostics.clone()
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Collects what is wrong. No password gets past it.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Finding>);

impl Problems {
    pub(crate) fn add(&mut self, by: &Setter, code: Code, message: &str, help: Option<&str>) {
        let mut diagnostic = Finding::new(code, message);
        diagnostic.help = help.map(|help| redact(help).into_owned());
        match by {
            Setter::File(place) => diagnostic.place = Some(place.clone()),
            Setter::Default => {}
            other => diagnostic.notes.push(format!("set by {other}")),
        }
        self.0.push(diagnostic);
    }

    /// Adds a finding that has its place.
    pub(crate) fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// What was made, if nothing was wrong with it.
    pub(crate) fn finish<T>(self, made: T) -> Result<T, Invalid> {
        if self.0.is_empty() { Ok(made) } else { Err(Invalid { diagnostics: self.0 }) }
    }
}
