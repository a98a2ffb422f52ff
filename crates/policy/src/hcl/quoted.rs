//! Quoted strings: finds the end of one, and resolves its escapes.
//!
//! Inside `${ … }` quotes and newlines are ordinary characters and nothing is unescaped,
//! because HCL 1 leaves interpolation to its caller; policies have no caller that does it.

use crate::error::PolicyErrorKind;

/// The length in bytes of the literal at the start of `text`, with both quotes.
pub(super) fn length(text: &str) -> Result<usize, PolicyErrorKind> {
    let mut braces = 0_usize;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' if braces == 0 => break,
            '"' if braces == 0 => return Ok(at + 1),
            '$' if braces == 0 && chars.peek().is_some_and(|(_, next)| *next == '{') => {
                braces = 1;
                chars.next();
            }
            '{' if braces > 0 => braces += 1,
            '}' if braces > 0 => braces -= 1,
            '\\' if chars.next().is_none() => break,
            _ => {}
        }
    }
    Err(PolicyErrorKind::Unterminated("text"))
}

/// Why a text can't be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadEscape {
    /// An escape isn't one of HCL.
    Unknown,
    /// The number of an escape is too large. The servers find that only where they use the text.
    OutOfRange,
}

/// Resolves the text between the quotes. Escapes of bytes may write any bytes; those that aren't
/// UTF-8 become U+FFFD.
pub(super) fn unquote(inner: &str) -> Result<String, BadEscape> {
    if !inner.contains(['\\', '$']) {
        return Ok(inner.to_owned());
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("${") {
            let end = interpolation(rest);
            out.extend_from_slice(&rest.as_bytes()[..end]);
            rest = &rest[end..];
        } else if c == '\\' {
            rest = escape(&rest[1..], &mut out)?;
        } else {
            push(&mut out, c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn push(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The length in bytes of the `${ … }` at the start.
fn interpolation(text: &str) -> usize {
    let mut braces = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => braces += 1,
            '}' if braces == 1 => return at + 1,
            '}' => braces -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Resolves one escape after its backslash, and returns the rest of the text.
fn escape<'a>(rest: &'a str, out: &mut Vec<u8>) -> Result<&'a str, BadEscape> {
    let Some(c) = rest.chars().next() else { return Err(BadEscape::Unknown) };
    let simple = match c {
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        '\\' | '"' => Some(c),
        _ => None,
    };
    if let Some(simple) = simple {
        push(out, simple);
        return Ok(&rest[1..]);
    }
    let (skip, digits, radix) = match c {
        '0'..='7' => (0, 3, 8),
        'x' => (1, 2, 16),
        'u' => (1, 4, 16),
        'U' => (1, 8, 16),
        _ => return Err(BadEscape::Unknown),
    };
    let code = rest.get(skip..skip + digits).ok_or(BadEscape::Unknown)?;
    if !code.chars().all(|digit| digit.is_digit(radix)) {
        return Err(BadEscape::Unknown);
    }
    let value = u32::from_str_radix(code, radix).map_err(|_| BadEscape::Unknown)?;
    match c {
        'u' | 'U' => push(out, code_point(value).ok_or(BadEscape::OutOfRange)?),
        _ => out.push(u8::try_from(value).map_err(|_| BadEscape::OutOfRange)?),
    }
    Ok(&rest[skip + digits..])
}

/// The character of an escape. To the servers the number is signed, and both a surrogate and a
/// negative number are U+FFFD; above the last character they can't read the text.
fn code_point(value: u32) -> Option<char> {
    let is_surrogate = (0xD800..0xE000).contains(&value);
    if is_surrogate || value > i32::MAX.cast_unsigned() {
        return Some(char::REPLACEMENT_CHARACTER);
    }
    char::from_u32(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_and_interpolation_is_kept() {
        assert_eq!(unquote(r"\u0041\x42\103\n").unwrap(), "ABC\n");
        assert_eq!(unquote(r#"a${"\n"}b"#).unwrap(), r#"a${"\n"}b"#);
        assert_eq!(unquote(r"\xc3\xa9\303\251").unwrap(), "éé");
        assert_eq!(unquote(r"\xff").unwrap(), "\u{fffd}");
        for (bad, why) in [
            (r"\q", BadEscape::Unknown),
            (r"\u12", BadEscape::Unknown),
            (r"\400", BadEscape::OutOfRange),
            (r"\U00110000", BadEscape::OutOfRange),
        ] {
            assert_eq!(unquote(bad), Err(why), "{bad}");
        }
        assert_eq!(length(r#""a${"}"}" x"#).unwrap(), 7);
    }

    #[test]
    fn a_surrogate_is_the_replacement_character() {
        assert_eq!(unquote(r"\uD800|\uDFFF|\UFFFFFFFF").unwrap(), "\u{fffd}|\u{fffd}|\u{fffd}");
        assert_eq!(unquote(r"\uD7FF\uE000\U0010FFFF").unwrap(), "\u{d7ff}\u{e000}\u{10ffff}");
    }
}
