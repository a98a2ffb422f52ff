//! Comments, which a YAML parser drops, read from the lines themselves.

use crate::limits::ENVIRONMENT;
use crate::place::{Pos, to_u32};

/// The lines of a file, to look up what a tree of values doesn't say.
///
/// A line that is longer than an environment's may be isn't searched: that would take a step
/// for each value and character on it.
#[derive(Debug)]
pub struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    /// The lines of this text.
    pub fn new(text: &'a str) -> Self {
        Self(text.lines().collect())
    }

    /// The comment behind a value that ends at `end`, from its `#` on, and where it begins.
    pub fn comment(&self, end: Pos) -> Option<(Pos, &'a str)> {
        let (before, behind) = self.split(end)?;
        let at = comment_start(before, behind)?;
        Some((Pos { column: end.column + count(&behind[..at]), ..end }, &behind[at..]))
    }

    /// Just behind the closing quote of a quoted value between two positions.
    ///
    /// The parser's own end is behind the blanks and the comment that follow.
    pub(super) fn closing_quote(&self, start: Pos, end: Pos, quote: char) -> Pos {
        let opens_here = start.line == end.line;
        let from = if opens_here { start } else { Pos { column: 1, ..end } };
        let Some((_, behind)) = self.split(from) else { return end };
        let opening = if opens_here { behind.find(quote).map_or(0, |at| at + 1) } else { 0 };
        let mut column = from.column + count(&behind[..opening]);
        let mut chars = behind[opening..].chars().peekable();
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

    /// Whether `text` stands at `pos` letter by letter, so that an offset in it is a column.
    pub fn is_at(&self, pos: Pos, text: &str) -> bool {
        self.split(pos).is_some_and(|(_, behind)| behind.starts_with(text))
    }

    /// Whether the line of `pos` is indented by a tab.
    pub fn has_tab(&self, pos: Pos) -> bool {
        let indent = |line: &&str| line.len() - line.trim_start().len();
        self.line(pos).is_some_and(|line| line[..indent(&line)].contains('\t'))
    }

    fn line(&self, pos: Pos) -> Option<&'a str> {
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

/// Where a comment begins in the rest of a line: at the first `#` behind a blank that isn't in
/// the quotes of another value on the line.
fn comment_start(before: &str, behind: &str) -> Option<usize> {
    let mut quote = None;
    let mut previous = before.chars().next_back();
    let mut chars = behind.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            Some('"') if c == '\\' => {
                chars.next();
            }
            Some(open) if c == open => quote = None,
            None if c == '#' && matches!(previous, Some(' ' | '\t')) => return Some(at),
            // A quote opens at the beginning of a value; doubled, it reopens.
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
