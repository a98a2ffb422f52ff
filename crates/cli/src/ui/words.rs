//! Numbers, tables and commands for people.

use unicode_width::UnicodeWidthStr as _;

/// `4.1 MB`, in powers of ten as downloads are told.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let (mut tenths, mut unit) = (count / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    if tenths >= 1000 {
        format!("{} {}", tenths / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

/// Rows with their columns aligned, each ending in a newline; the last column is as long as
/// it is. Widths are those on a terminal, so that CJK text stays in line.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.width() + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A word as it is typed into a shell.
pub(crate) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else if word.contains(['"', '$', '`', '\\', '!']) {
        format!("'{}'", word.replace('\'', r"'\''"))
    } else {
        format!("\"{word}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(shell_word("--mirror"), "--mirror");
        assert_eq!(shell_word("环境/x"), "环境/x");
        assert_eq!(shell_word("a b"), "\"a b\"");
        assert_eq!(shell_word("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(shell_word(""), "\"\"");
    }

    #[test]
    fn sizes_have_two_or_three_figures() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(4_120_000), "4.1 MB");
        assert_eq!(bytes(253_000_000), "253 MB");
        assert_eq!(bytes(1_500_000_000_000_000), "1500 TB");
    }

    #[test]
    fn columns_stay_in_line_beside_wide_characters() {
        let row = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        assert_eq!(table(&[row("环境", "x"), row("abc", "y")]), "环境  x\nabc   y\n");
    }
}
