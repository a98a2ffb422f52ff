//! Tables that fit into a width, also with CJK text. No cell is cut.

use unicode_width::UnicodeWidthStr;

use super::paragraph;
use crate::one_line;

/// A table with aligned columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns. Empty for a table without a head.
    pub head: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// The indentation of the continuation lines of a row, in columns.
const INDENT: usize = 4;

impl Table {
    /// Creates a table with these column names and no rows.
    pub fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { head: head.map(str::to_owned).to_vec(), rows: Vec::new() }
    }

    /// Creates a table without a head.
    pub fn from_rows<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> Self {
        Self { head: Vec::new(), rows: rows.into_iter().map(Vec::from).collect() }
    }

    /// Adds a row.
    pub fn add_row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// Formats the table. A line is at most `width` columns wide, unless a word is longer: cells
    /// that don't fit are put on further lines below.
    pub fn render(&self, width: usize) -> String {
        let head = (!self.head.is_empty()).then_some(&self.head);
        let rows: Vec<Vec<String>> = head
            .into_iter()
            .chain(&self.rows)
            .map(|row| row.iter().map(|cell| one_line(cell).into_owned()).collect())
            .collect();
        let widths = widths(&rows, width);
        rows.iter().map(|row| lines(row, &widths, width)).collect()
    }
}

/// Computes the widths of the columns, from the rows that fit into one line.
fn widths(rows: &[Vec<String>], width: usize) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    let fits = |row: &&Vec<String>| row.iter().map(|cell| cell.width() + 2).sum::<usize>() <= width;
    for row in rows.iter().filter(fits) {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = cell.width().max(*widest);
        }
    }
    widths
}

fn lines(row: &[String], widths: &[usize], width: usize) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for (cell, column) in row.iter().zip(widths) {
        if !line.trim().is_empty() && line.width() + cell.width() > width {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(INDENT);
        }
        if line.width() + cell.width() > width {
            let wrapped = paragraph(cell, &line, &" ".repeat(INDENT), width);
            let mut lines: Vec<_> = wrapped.lines().collect();
            line = lines.pop().unwrap_or_default().to_owned() + "  ";
            text.extend(lines.iter().map(|line| format!("{line}\n")));
            continue;
        }
        line.push_str(cell);
        line.push_str(&" ".repeat(column.saturating_sub(cell.width()) + 2));
    }
    text.push_str(line.trim_end());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<const N: usize>(cells: [&str; N]) -> [String; N] {
        cells.map(str::to_owned)
    }

    #[test]
    fn no_line_is_wider_than_the_width_and_no_cell_is_cut() {
        let mut table = Table::new(["NEED", "PATH"]);
        let (wide, words) = ("数据库凭据".repeat(19), "some words ".repeat(12));
        table.add_row([wide.clone(), words.clone()]);
        table.add_row(row(["a", "b"]));
        for width in [40, 80] {
            let text = table.render(width);
            assert!(text.lines().all(|line| line.width() <= width), "{text}");
            let joined = text.split_whitespace().collect::<String>();
            assert!(joined.contains(&wide), "{text}");
            assert!(joined.contains(&words.replace(' ', "")), "{text}");
        }
    }

    #[test]
    fn columns_are_aligned_next_to_wide_characters() {
        let table = Table::from_rows([row(["环境", "x"]), row(["abc", "y"])]);
        assert_eq!(table.render(80), "环境  x\nabc   y\n");
    }

    #[test]
    fn cells_that_do_not_fit_are_on_further_lines() {
        let (long, message) = ("d/".repeat(38), "has other bytes");
        let table =
            Table::from_rows([row(["short", "app", message]), row([&long, "lib", message])]);
        assert_eq!(
            table.render(80),
            format!("short  app  {message}\n{long}\n    lib  {message}\n")
        );
        let middle = "m".repeat(60);
        let table = Table::from_rows([row([&middle, "x", "y"]), row(["a", "x", &middle])]);
        for line in table.render(80).lines() {
            assert!(line.width() <= 80, "{line}");
        }
    }

    #[test]
    fn control_characters_in_cells_are_escaped() {
        let table = Table::from_rows([row(["a\n\u{1b}b", "x"])]);
        assert_eq!(table.render(80), "a\\n\\u{1b}b  x\n");
    }
}
