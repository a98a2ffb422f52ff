//! Comments, which a YAML parser drops, read from the lines themselves.

use super::yaml::Point;

/// The lines of a file, to look up what a tree of values doesn't say.
#[derive(Debug)]
pub(super) struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text.lines().collect())
    }

    /// The comment behind a value that ends at `end`, from its `#` on, and where it begins.
    pub(super) fn comment(&self, end: Point) -> Option<(Point, &'a str)> {
        let (before, behind) = self.split(end)?;
        let (at, _) = behind.match_indices('#').find(|(at, _)| {
            let front = if *at == 0 { before } else { &behind[..*at] };
            front.ends_with([' ', '\t'])
        })?;
        let skipped = u32::try_from(behind[..at].chars().count()).unwrap_or_default();
        Some((Point { column: end.column + skipped, ..end }, &behind[at..]))
    }

    /// Whether `text` stands at `point` letter by letter, so that an offset in it is a column.
    pub(super) fn is_at(&self, point: Point, text: &str) -> bool {
        self.split(point).is_some_and(|(_, behind)| behind.starts_with(text))
    }

    /// Whether the line of `point` is indented by a tab.
    pub(super) fn has_tab(&self, point: Point) -> bool {
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
