//! Collects the mistakes in a file, up to a limit.

use crate::Finding;

/// The limit of findings per file. Further ones are counted only: a hostile file could have a
/// million.
const MAX_FINDINGS: usize = 100;

/// The mistakes in one file, in the order in which they were found.
#[derive(Debug, Default)]
pub struct Mistakes {
    findings: Vec<Finding>,
    omitted: usize,
}

impl Mistakes {
    /// Adds a mistake. Only the first 100 are findings.
    pub fn push(&mut self, mistake: Finding) {
        self.push_with(|| mistake);
    }

    /// Adds a mistake that takes time to describe. Only the first 100 are described.
    pub fn push_with(&mut self, mistake: impl FnOnce() -> Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(mistake());
        } else {
            self.omitted += 1;
        }
    }

    /// Whether there are no mistakes.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// Returns the mistakes, or a single one if there are none.
    pub fn into_findings_or(self, only: impl FnOnce() -> Finding) -> Vec<Finding> {
        if self.is_empty() { vec![only()] } else { self.into_findings() }
    }

    /// Returns the mistakes. A note of the last one says how many were omitted.
    pub fn into_findings(mut self) -> Vec<Finding> {
        if let Some(last) = self.findings.last_mut().filter(|_| self.omitted > 0) {
            last.add_note(format!("and {} more mistakes after this one", self.omitted));
        }
        self.findings
    }
}
