//! Positions in a text, and places in a named file.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::Serialize;

/// A line and a column in a text, both counted from 1. Columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pos {
    /// The line.
    pub line: u32,
    /// The column in characters.
    pub column: u32,
}

impl Pos {
    /// The position of the first character.
    pub const START: Self = Self { line: 1, column: 1 };

    /// Returns the place with this position in `file`.
    pub fn place(self, file: &str) -> Place {
        Place::new(file, self.line, self.column)
    }
}

impl Default for Pos {
    fn default() -> Self {
        Self::START
    }
}

/// A line and a column in a named file.
///
/// The end is for display only: equality and order of two places depend on their starts.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Place {
    /// The file, as the user named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// The column just after the last character. Left out if the end is unknown or on another
    /// line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
}

impl Place {
    /// Creates a place in `file`. Line and column count from 1.
    pub fn new(file: impl Into<String>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column, end_column: None }
    }

    /// Sets the end, the position just after the last character. An end on another line, or not
    /// after the start, is ignored.
    #[must_use]
    pub fn with_end(mut self, end: Pos) -> Self {
        let fits = end.line == self.line && end.column > self.column;
        self.end_column = fits.then_some(end.column);
        self
    }

    fn start(&self) -> (&str, u32, u32) {
        (&self.file, self.line, self.column)
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.start() == other.start()
    }
}

impl Eq for Place {}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.start().cmp(&other.start())
    }
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.start().hash(state);
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Returns the position just after the end of `text`.
pub fn end_position(text: &str) -> Pos {
    let last = text.rfind('\n').map_or(text, |newline| &text[newline + 1..]);
    Pos { line: to_u32(text.matches('\n').count() + 1), column: to_u32(last.chars().count() + 1) }
}

/// Converts a count to a line or column number. Texts have far fewer than four billion characters.
pub fn to_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_kept_only_on_the_same_line_and_does_not_affect_equality() {
        let start = Place::new("a.yml", 2, 3);
        let marked = start.clone().with_end(Pos { line: 2, column: 7 });
        assert_eq!(marked.end_column, Some(7));
        assert_eq!(marked, start);
        assert_eq!(marked.to_string(), "a.yml:2:3");
        assert_eq!(serde_json::to_value(&start).unwrap().get("end_column"), None);
        for end in [Pos { line: 3, column: 9 }, Pos { line: 2, column: 3 }] {
            assert_eq!(start.clone().with_end(end).end_column, None);
        }
    }
}
