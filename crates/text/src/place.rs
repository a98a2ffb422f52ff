//! Positions in a text, and places in a file.

use std::fmt;

use serde::Serialize;

/// A position in a text, both numbers counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pos {
    /// The line.
    pub line: u32,
    /// The column in characters.
    pub column: u32,
}

impl Pos {
    /// The first character.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The same position as a place in `file`.
    pub fn place(self, file: &str) -> Place {
        Place::new(file, self.line, self.column)
    }
}

impl Default for Pos {
    fn default() -> Self {
        Self::START
    }
}

/// A place in a file of the user's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
pub struct Place {
    /// The file, as the user named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}

impl Place {
    /// A place in `file`; both numbers count from 1.
    pub fn new(file: impl Into<String>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// The position just after `text`.
pub fn end_of(text: &str) -> Pos {
    let last = text.rfind('\n').map_or(text, |newline| &text[newline + 1..]);
    Pos { line: number(text.matches('\n').count() + 1), column: number(last.chars().count() + 1) }
}

/// A count as a line or column; texts are far below four billion characters.
pub fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
