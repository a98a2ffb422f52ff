//! Comments, which a YAML parser drops, read from the lines themselves.

use super::selector::{Selector, SelectorError};
use super::yaml::Point;

/// The lines of a file, to look up what follows a value.
#[derive(Debug)]
pub(super) struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text.lines().collect())
    }

    /// The comment behind `point` on its line, from its `#` on.
    fn comment(&self, point: Point) -> Option<&'a str> {
        let line = self.line(point)?;
        let at = line.char_indices().nth(point.column as usize - 1).map(|(at, _)| at)?;
        // A comment needs a blank before it; the value may end with it or before it.
        let (before, rest) = line.split_at(at);
        let blank = before.ends_with([' ', '\t']) || rest.starts_with([' ', '\t', ',', ']', '}']);
        let found = rest
            .find('#')
            .filter(|at| blank && (*at == 0 || rest[..*at].ends_with([' ', '\t'])))?;
        Some(&rest[found..])
    }

    fn line(&self, point: Point) -> Option<&'a str> {
        self.0.get(point.line as usize - 1).copied()
    }

    /// Whether `text` stands at `point` letter by letter, so that an offset in it is a column.
    pub(super) fn is_at(&self, point: Point, text: &str) -> bool {
        self.line(point)
            .and_then(|line| {
                line.char_indices().nth(point.column as usize - 1).map(|(at, _)| &line[at..])
            })
            .is_some_and(|rest| rest.starts_with(text))
    }

    /// Whether the line of `point` is indented by a tab.
    pub(super) fn has_tab(&self, point: Point) -> bool {
        self.line(point)
            .is_some_and(|line| line.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t'))
    }

    /// The selector in the comment behind a value that ends at `end`.
    pub(super) fn selector(&self, end: Point) -> Result<Option<Selector>, SelectorError> {
        self.comment(end).map_or(Ok(None), Selector::in_comment)
    }
}
