//! A table that fits its width, CJK text included.

use unicode_width::UnicodeWidthStr;

/// Rows under a head; the widest columns are shortened to fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub head: Vec<String>,
    /// The rows, each with as many cells as the head.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns and no rows.
    pub fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { head: head.map(str::to_owned).to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The lines, none wider than `width` columns of a terminal.
    pub fn render(&self, width: usize) -> String {
        let all = || std::iter::once(&self.head).chain(&self.rows);
        let mut widths = vec![0; self.head.len()];
        for row in all() {
            for (cell, widest) in row.iter().zip(&mut widths) {
                *widest = (*widest).max(cell.width());
            }
        }
        let gaps = 2 * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > width {
            let Some(widest) = widths.iter_mut().max() else { break };
            if *widest <= 4 {
                break;
            }
            *widest -= 1;
        }
        let mut out = String::new();
        for row in all() {
            let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, w)| fit(cell, *w)).collect();
            out.push_str(cells.join("  ").trim_end());
            out.push('\n');
        }
        out
    }
}

/// `text` padded or shortened in its middle to `width` columns.
fn fit(text: &str, width: usize) -> String {
    let own = text.width();
    if own <= width {
        return format!("{text}{}", " ".repeat(width - own));
    }
    let half = (width - 1) / 2;
    let head = take(text.chars(), width - 1 - half);
    let tail: String = take(text.chars().rev(), half).chars().rev().collect();
    let padding = width.saturating_sub(head.width() + 1 + tail.width());
    format!("{head}…{tail}{}", " ".repeat(padding))
}

fn take(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut out = String::new();
    for c in chars {
        out.push(c);
        if out.width() > width {
            out.pop();
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_asked_for_with_wide_characters_too() {
        let mut table = Table::new(["NEED", "PATH"]);
        table.row(["数据库凭据".repeat(9), "secret/data/".repeat(12)]);
        table.row(["a".to_owned(), "b".to_owned()]);
        let text = table.render(80);
        assert!(text.lines().all(|line| line.width() <= 80), "{text}");
        assert_eq!(text.lines().count(), 3);
    }
}
