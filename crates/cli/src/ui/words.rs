//! Numbers and tables for people.

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

#[cfg(test)]
mod tests {
    use super::*;

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
