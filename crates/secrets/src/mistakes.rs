//! Mistakes in a file, as many as a person will read.

use envlock_report::Finding;

/// More than these are counted, not told: a hostile file could have a million.
const TOLD: usize = 100;

/// The mistakes in one file, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Mistakes {
    told: Vec<Finding>,
    more: usize,
}

impl Mistakes {
    /// Notes one.
    pub(crate) fn push(&mut self, mistake: Finding) {
        if self.told.len() < TOLD {
            self.told.push(mistake);
        } else {
            self.more += 1;
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Those that are told; the last says how many more there are.
    pub(crate) fn into_diagnostics(mut self) -> Vec<Finding> {
        if let Some(last) = self.told.last_mut().filter(|_| self.more > 0) {
            last.notes.push(format!("and {} more mistakes after this one", self.more));
        }
        self.told
    }
}
