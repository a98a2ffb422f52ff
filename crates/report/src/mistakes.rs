//! Mistakes in a file, as many as a person will read.

use crate::Finding;

/// More than these are only counted: a hostile file could have a million.
const KEPT: usize = 100;

/// The mistakes in one file, in the order in which they were found.
#[derive(Debug, Default)]
pub struct Mistakes {
    kept: Vec<Finding>,
    more: usize,
}

impl Mistakes {
    /// Notes one.
    pub fn push(&mut self, mistake: Finding) {
        if self.kept.len() < KEPT {
            self.kept.push(mistake);
        } else {
            self.more += 1;
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The mistakes, or a single one where there is none.
    pub fn or(self, only: impl FnOnce() -> Finding) -> Vec<Finding> {
        if self.is_empty() { vec![only()] } else { self.into_findings() }
    }

    /// The mistakes that are kept; the last says how many more there are.
    pub fn into_findings(mut self) -> Vec<Finding> {
        if let Some(last) = self.kept.last_mut().filter(|_| self.more > 0) {
            last.notes.push(format!("and {} more mistakes after this one", self.more));
        }
        self.kept
    }
}
