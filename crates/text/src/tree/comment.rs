//! Reads comments from the lines of a file, because a YAML parser drops them.

use crate::limits::ENVIRONMENT;
use crate::place::{Pos, to_u32};

/// The lines of a file, to find what the tree doesn't contain, such as comments.
///
/// A line longer than the limit of environment.yml isn't searched: the cost grows with the
/// number of values times the number of characters on the line.
#[derive(Debug)]
pub struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    /// Splits a text into lines.
    pub fn new(text: &'a str) -> Self {
        Self(text.lines().collect())
    }

    /// Returns the comment after a value that ends at `end`: its position and its text with `#`.
    pub fn comment(&self, end: Pos) -> Option<(Pos, &'a str)> {
        let (before, after) = self.split(end)?;
        let at = comment_start(before, after)?;
        Some((Pos { column: end.column + count(&after[..at]), ..end }, &after[at..]))
    }

    /// Returns the position just after the closing quote of a value between two positions.
    ///
    /// The parser's end is later: after the blanks and the comment that follow the quote.
    pub(super) fn closing_quote(&self, start: Pos, end: Pos, quote: char) -> Pos {
        let opens_here = start.line == end.line;
        let from = if opens_here { start } else { Pos { column: 1, ..end } };
        let Some((_, after)) = self.split(from) else { return end };
        let opening = if opens_here { after.find(quote).map_or(0, |at| at + 1) } else { 0 };
        let mut column = from.column + count(&after[..opening]);
        let mut chars = after[opening..].chars().peekable();
        while let Some(c) = chars.next() {
            column += 1;
            let escapes = (quote == '"' && c == '\\')
                || (quote == '\'' && c == quote && chars.peek() == Some(&quote));
            if escapes {
                chars.next();
                column += 1;
            } else if c == quote {
                return Pos { column, ..end };
            }
        }
        end
    }

    /// Whether the line has `text` literally at `pos`. Then an offset in `text` is a column.
    pub fn is_at(&self, pos: Pos, text: &str) -> bool {
        self.split(pos).is_some_and(|(_, after)| after.starts_with(text))
    }

    /// Whether the indentation of the line of `pos` has a tab.
    pub fn has_tab(&self, pos: Pos) -> bool {
        let indent = |line: &&str| line.len() - line.trim_start().len();
        self.line(pos).is_some_and(|line| line[..indent(&line)].contains('\t'))
    }

    /// Returns the line of `pos`, without its end.
    pub fn line(&self, pos: Pos) -> Option<&'a str> {
        self.0.get(pos.line as usize - 1).copied()
    }

    fn split(&self, pos: Pos) -> Option<(&'a str, &'a str)> {
        let line = self.line(pos).filter(|line| line.len() <= ENVIRONMENT.line)?;
        let at = line.char_indices().nth(pos.column as usize - 1).map_or(line.len(), |(at, _)| at);
        Some(line.split_at(at))
    }
}

fn count(text: &str) -> u32 {
    to_u32(text.chars().count())
}

/// Finds the start of a comment in the rest of a line: the first `#` after a blank, outside the
/// quotes of other values on the line.
fn comment_start(before: &str, after: &str) -> Option<usize> {
    let mut quote = None;
    let mut previous = before.chars().next_back();
    let mut chars = after.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            Some('"') if c == '\\' => {
                chars.next();
            }
            Some(open) if c == open => quote = None,
            None if c == '#' && matches!(previous, Some(' ' | '\t')) => return Some(at),
            // A quote opens at the start of a value. A doubled quote opens it again.
            None if matches!(c, '"' | '\'')
                && (previous == Some(c) || previous.is_some_and(|p| " \t,:[{".contains(p))) =>
            {
                quote = Some(c);
            }
            _ => {}
        }
        previous = Some(c);
    }
    None
}
