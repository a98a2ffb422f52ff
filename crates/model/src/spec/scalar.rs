//! Where the characters of a YAML scalar are in the file: without quotes, in quotes with escapes, and
//! in blocks of lines.

use std::ops::Range;

use envlock_report::Place;
use envlock_text::tree::{Lines, Node};
use envlock_text::{Pos, to_u32};

use crate::pip::Origin;

/// The text of a scalar, with the position of each of its characters.
#[derive(Debug)]
pub(super) struct Scalar<'a> {
    file: &'a str,
    node: &'a Node,
    /// The offset and the position of each character up to the first one that isn't found.
    characters: Vec<(usize, Pos)>,
}

impl<'a> Scalar<'a> {
    /// Finds the characters of `text`, the text of a node.
    pub(super) fn new(file: &'a str, node: &'a Node, text: &str, lines: &Lines<'_>) -> Self {
        let mut cursor = Cursor::new(node.start, lines);
        let mut characters = Vec::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            let Some(pos) = cursor.find(c) else { break };
            characters.push((at, pos));
        }
        Self { file, node, characters }
    }

    /// Returns the position of a character. `None` if it isn't found.
    fn pos(&self, at: usize) -> Option<Pos> {
        let found = self.characters.binary_search_by_key(&at, |(offset, _)| *offset).ok()?;
        self.characters.get(found).map(|(_, pos)| *pos)
    }
}

impl Origin for Scalar<'_> {
    fn place(&self, range: Range<usize>) -> Place {
        let Some(start) = self.pos(range.start) else { return self.node.place(self.file) };
        let last = self.characters.partition_point(|(offset, _)| *offset < range.end);
        let end = last.checked_sub(1).map_or(start, |last| self.characters[last].1);
        start.place(self.file).with_end(Pos { column: end.column + 1, ..end })
    }
}

/// A position in the source of a scalar.
struct Cursor<'l, 'a> {
    lines: &'l Lines<'a>,
    quote: Option<char>,
    line: Vec<char>,
    /// The line and the column of the next character, counted from 0.
    at: (u32, usize),
}

impl<'l, 'a> Cursor<'l, 'a> {
    fn new(start: Pos, lines: &'l Lines<'a>) -> Self {
        let mut cursor = Self { lines, quote: None, line: Vec::new(), at: (start.line, 0) };
        cursor.load(start.line);
        cursor.at.1 = start.column as usize - 1;
        match cursor.peek(0) {
            Some(quote @ ('"' | '\'')) => {
                cursor.quote = Some(quote);
                cursor.at.1 += 1;
            }
            // A block starts on the next line.
            Some('|' | '>') => {
                cursor.load(start.line + 1);
            }
            _ => {}
        }
        cursor
    }

    /// Reads a line. Returns whether it exists.
    fn load(&mut self, line: u32) -> bool {
        let text = self.lines.line(Pos { line, column: 1 });
        self.line = text.unwrap_or_default().chars().collect();
        self.at = (line, 0);
        text.is_some()
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.line.get(self.at.1 + ahead).copied()
    }

    /// Finds the next character of the text, and returns where it is.
    fn find(&mut self, c: char) -> Option<Pos> {
        if c == ' ' || c == '\n' {
            return self.blank(c);
        }
        // Blanks that the text doesn't have: indentation, and the ends of folded lines.
        loop {
            match self.peek(0) {
                Some(next) if self.is(next, c) => break,
                Some(' ' | '\t') => self.at.1 += 1,
                None if self.load(self.at.0 + 1) => {}
                // An escaped end of a line.
                Some('\\') if self.quote == Some('"') && self.peek(1).is_none() => {
                    self.load(self.at.0 + 1);
                }
                _ => return None,
            }
        }
        let pos = self.pos();
        self.at.1 += self.length(c)?;
        Some(pos)
    }

    /// Whether the source continues with a character, or with an escape.
    fn is(&self, next: char, c: char) -> bool {
        next == c || (next == '\\' && self.quote == Some('"') && self.peek(1).is_some())
    }

    /// Returns the number of characters in the source of the next character of the text. `None` if
    /// it is another one.
    fn length(&self, c: char) -> Option<usize> {
        match (self.quote, self.peek(0)?) {
            (Some('\''), '\'') => (self.peek(1) == Some('\'')).then_some(2),
            (Some('"'), '\\') => {
                let digits = match self.peek(1)? {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                Some(2 + digits)
            }
            (_, found) => (found == c).then_some(1),
        }
    }

    /// Finds a blank: one of the line, or the end of a line, which can be several lines in the
    /// source.
    fn blank(&mut self, c: char) -> Option<Pos> {
        let pos = self.pos();
        match self.peek(0) {
            Some(' ') if c == ' ' => self.at.1 += 1,
            Some('\\') if self.quote == Some('"') => self.at.1 += 2,
            // Blanks at the end of a folded line.
            _ if self.line[self.at.1.min(self.line.len())..].iter().all(|c| c.is_whitespace()) => {
                if !self.load(self.at.0 + 1) {
                    return None;
                }
            }
            Some(' ' | '\t') => self.at.1 += 1,
            _ => return None,
        }
        Some(pos)
    }

    fn pos(&self) -> Pos {
        Pos { line: self.at.0, column: to_u32(self.at.1 + 1) }
    }
}
