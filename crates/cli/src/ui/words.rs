//! Tables and commands for people.

use envlock_report::one_line;
use unicode_width::UnicodeWidthStr as _;

/// No line is wider where it can be broken.
const WIDEST: usize = 80;

/// Rows with their columns aligned, each ending in a newline; the last column is as long as
/// it is, and what doesn't fit on a line goes on below it. Widths are those on a terminal, so
/// that CJK text stays in line.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let cells = |row: &[String; N]| row.each_ref().map(|cell| one_line(cell).into_owned());
    let rows: Vec<_> = rows.iter().map(cells).collect();
    let mut widths = [0; N];
    let fits =
        |row: &&[String; N]| row.iter().map(|cell| cell.width() + 2).sum::<usize>() <= WIDEST;
    for row in rows.iter().filter(fits) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            if !line.trim().is_empty() && line.width() + cell.width() > WIDEST {
                text.push_str(line.trim_end());
                text.push('\n');
                line = " ".repeat(4);
            }
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A word as it is typed into a shell. No word of a command line has a NUL.
pub(crate) fn shell_word(word: &str) -> String {
    shlex::try_quote(word).unwrap_or(word.into()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(shell_word("--mirror"), "--mirror");
        assert_eq!(shell_word("环境/x"), "'环境/x'");
        assert_eq!(shell_word("a b"), "'a b'");
        assert_eq!(shell_word("it's $HOME"), r#""it's "'$HOME'"#);
        assert_eq!(shell_word("a=b"), "'a=b'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn columns_stay_in_line_beside_wide_characters() {
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        assert_eq!(table(&[row("环境", "x"), row("abc", "y")]), "环境  x\nabc   y\n");
    }

    #[test]
    fn what_does_not_fit_goes_on_below() {
        let row = |a: &str, b: &str, c: &str| [a.to_owned(), b.to_owned(), c.to_owned()];
        let (long, message) = ("d/".repeat(38), "has other bytes");
        assert_eq!(
            table(&[row("short", "app", message), row(&long, "lib", message)]),
            format!("short  app  {message}\n{long}\n    lib  {message}\n")
        );
        let middle = "m".repeat(60);
        for line in table(&[row(&middle, "x", "y"), row("a", "x", &middle)]).lines() {
            assert!(line.width() <= 80, "{line}");
        }
    }

    #[test]
    fn a_name_stays_on_its_line() {
        let row = ["a\n\u{1b}b".to_owned(), "x".to_owned()];
        assert_eq!(table(&[row]), "a\\n\\u{1b}b  x\n");
    }
}
