//! Escapes control and bidirectional characters in text that is printed, because they could
//! move the cursor, ring the bell, or hide or reverse text on a terminal.

use std::borrow::Cow;

/// Escapes every control character except line breaks.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_unprintable(c))
}

/// Escapes every control character, line breaks too, so that the text stays on one line.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_unprintable)
}

/// Returns the first `length` characters of a text from outside, redacted and on one line, with
/// `…` in place of the rest. The text is redacted before it is cut: a part of a credential can't be
/// recognised.
pub fn excerpt(text: &str, length: usize) -> String {
    let shown = crate::redact(text);
    let end = shown.char_indices().nth(length).map_or(shown.len(), |(at, _)| at);
    let more = if end < shown.len() { "…" } else { "" };
    format!("{}{more}", one_line(&shown[..end]))
}

fn escaped(text: &str, needs_escape: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&needs_escape) {
        return Cow::Borrowed(text);
    }
    let escape =
        |c: char| if needs_escape(c) { c.escape_debug().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Whether `c` is a control character, a line or paragraph separator, or changes the direction
/// of writing (as in <https://trojansource.codes>). Joiners are parts of scripts and aren't
/// escaped.
fn is_unprintable(c: char) -> bool {
    let is_direction = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_direction || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_control_a_terminal_are_escaped() {
        assert_eq!(one_line("a\u{1b}[2J\u{7}b\nc\td"), r"a\u{1b}[2J\u{7}b\nc\td");
        assert_eq!(one_line("\u{202e}gpj.exe\u{9b}"), r"\u{202e}gpj.exe\u{9b}");
        assert_eq!(printable("a\r\nb"), "a\\r\nb");
    }

    #[test]
    fn names_in_any_script_are_not_escaped() {
        for name in ["环境/库.so", "naïve", "👩‍💻", "a b"] {
            assert_eq!(one_line(name), name);
        }
    }
}
