//! Names from elsewhere on a terminal: what would move the cursor, ring, hide or turn the text
//! around is shown as an escape instead.

use std::borrow::Cow;

/// The text with every control character escaped but the ends of lines.
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_unprintable(c))
}

/// The text with every control character escaped, for what has to stay on its line.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_unprintable)
}

fn escaped(text: &str, is_wrong: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_wrong) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if is_wrong(c) { c.escape_debug().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Control characters, ends of lines and paragraphs, and what turns the direction of writing
/// (as in <https://trojansource.codes>). Joiners belong to scripts and stay.
fn is_unprintable(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_reach_the_terminal_is_shown_instead() {
        assert_eq!(one_line("a\u{1b}[2J\u{7}b\nc\td"), r"a\u{1b}[2J\u{7}b\nc\td");
        assert_eq!(one_line("\u{202e}gpj.exe\u{9b}"), r"\u{202e}gpj.exe\u{9b}");
        assert_eq!(printable("a\r\nb"), "a\\r\nb");
    }

    #[test]
    fn names_in_any_script_stay_as_they_are() {
        for name in ["环境/库.so", "naïve", "👩‍💻", "a b"] {
            assert_eq!(one_line(name), name);
        }
    }
}
