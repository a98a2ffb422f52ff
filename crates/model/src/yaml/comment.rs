//! Comments, which a YAML parser drops, read from the lines themselves.

use super::Point;

/// The lines of a file, to look up what a tree of values doesn't say.
#[derive(Debug)]
pub struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    /// The lines of this text.
    pub fn new(text: &'a str) -> Self {
        Self(text.lines().collect())
    }

    /// The comment behind a value that ends at `end`, from its `#` on, and where it begins.
    pub fn comment(&self, end: Point) -> Option<(Point, &'a str)> {
        let (before, behind) = self.split(end)?;
        let at = comment_start(before, behind)?;
        Some((Point { column: end.column + count(&behind[..at]), ..end }, &behind[at..]))
    }

    /// Just behind the closing quote of a quoted value between two points.
    ///
    /// The parser's own end is behind the blanks and the comment that follow.
    pub(super) fn closing_quote(&self, start: Point, end: Point, quote: char) -> Point {
        let opens_here = start.line == end.line;
        let from = if opens_here { start } else { Point { column: 1, ..end } };
        let behind = self.split(from).map_or("", |(_, behind)| behind);
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
                return Point { column, ..end };
            }
        }
        end
    }

    /// Whether `text` stands at `point` letter by letter, so that an offset in it is a column.
    pub fn is_at(&self, point: Point, text: &str) -> bool {
        self.split(point).is_some_and(|(_, behind)| behind.starts_with(text))
    }

    /// Whether the line of `point` is indented by a tab.
    pub fn has_tab(&self, point: Point) -> bool {
        let indent = |line: &&str| line.len() - line.trim_start().len();
        self.line(point).is_some_and(|line| line[..indent(&line)].contains('\t'))
    }

    fn line(&self, point: Point) -> Option<&'a str> {
        self.0.get(point.line as usize - 1).copied()
    }

    fn split(&self, point: Point) -> Option<(&'a str, &'a str)> {
        let line = self.line(point)?;
        let at =
            line.char_indices().nth(point.column as usize - 1).map_or(line.len(), |(at, _)| at);
        Some(line.split_at(at))
    }
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
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
