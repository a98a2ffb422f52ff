//! Where the characters of a text are in its file.

use std::ops::Range;

use envlock_report::Place;
use envlock_text::{Pos, to_u32};

/// Finds the places of the parts of a text.
pub(crate) trait Origin {
    /// Returns the place of a range of bytes of the text.
    fn place(&self, range: Range<usize>) -> Place;
}

/// A whole file.
pub(super) struct WholeFile<'a> {
    file: &'a str,
    text: &'a str,
    /// The offset of each line.
    lines: Vec<usize>,
}

impl<'a> WholeFile<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { file, text, lines: std::iter::once(0).chain(ends).collect() }
    }

    fn pos(&self, at: usize) -> Pos {
        let line = self.lines.partition_point(|start| *start <= at);
        let start = line.checked_sub(1).and_then(|line| self.lines.get(line)).copied();
        let before = self.text.get(start.unwrap_or_default()..at).unwrap_or_default();
        Pos { line: to_u32(line), column: to_u32(before.chars().count() + 1) }
    }
}

impl Origin for WholeFile<'_> {
    fn place(&self, range: Range<usize>) -> Place {
        self.pos(range.start).place(self.file).with_end(self.pos(range.end))
    }
}
