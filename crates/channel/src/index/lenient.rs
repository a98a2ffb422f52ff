//! Reads the text of an index with a byte order mark, with bytes that aren't UTF-8 in a string, and
//! with `NaN`, which conda reads.

/// The byte order mark of UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The number of places in an index that may not be UTF-8. An index with more of them was damaged on
/// the way, or is in another encoding.
const MAX_REPLACED: usize = 1_000;

/// The escape sequence of half a character. JSON with it in a string can be split into values, but
/// the string can't be read. So only records that have it in a field that is used can't be read.
const NO_CHARACTER: &str = "\\udfff";

/// Returns the text of an index; `None` if it isn't UTF-8, as after damage on the way. A few bytes
/// that aren't UTF-8 are replaced by [`NO_CHARACTER`].
pub(super) fn text(bytes: Vec<u8>) -> Option<String> {
    let bytes = match bytes.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    String::from_utf8(bytes).or_else(|error| replaced(error.as_bytes()).ok_or(error)).ok()
}

fn replaced(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let mut number = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            number += 1;
            text.push_str(NO_CHARACTER);
        }
        if number > MAX_REPLACED {
            return None;
        }
    }
    Some(text)
}

/// Replaces what JSON doesn't have and what can't hide the end of a record: the numbers `NaN`,
/// `Infinity` and `-Infinity` by `null`, and in strings, control characters and unknown escape
/// sequences. `None` if there is nothing of this.
pub(super) fn mended(json: &str) -> Option<String> {
    let mut replaced = String::with_capacity(json.len());
    let (mut rest, mut found) = (json, false);
    while let Some(at) = rest.find(['"', 'N', 'I', '-']) {
        let (before, behind) = rest.split_at(at);
        replaced.push_str(before);
        let name = ["NaN", "Infinity", "-Infinity"].into_iter().find(|n| behind.starts_with(n));
        let end = match name {
            Some(name) => {
                found = true;
                replaced.push_str("null");
                name.len()
            }
            None if behind.starts_with('"') => {
                let end = end_of_string(behind);
                found |= mend_string(&behind[..end], &mut replaced);
                end
            }
            None => {
                replaced.push_str(&behind[..1]);
                1
            }
        };
        rest = &behind[end..];
    }
    replaced.push_str(rest);
    found.then_some(replaced)
}

/// Adds a string, with its quotes, to `to`. Returns whether something in it was replaced.
fn mend_string(string: &str, to: &mut String) -> bool {
    let mut found = false;
    let mut chars = string.chars();
    while let Some(char) = chars.next() {
        match char {
            '\0'..='\x1f' => {
                found = true;
                to.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            '\\' => match chars.next() {
                Some(escape) if r#""\/bfnrtu"#.contains(escape) => to.extend([char, escape]),
                Some(_) => {
                    found = true;
                    to.push_str(NO_CHARACTER);
                }
                None => to.push(char),
            },
            _ => to.push(char),
        }
    }
    found
}

/// Returns the length of the string at the beginning of a text, with its quotes.
fn end_of_string(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_json_does_not_have_is_replaced() {
        for (json, replaced) in [
            (r#"{"a":NaN}"#, Some(r#"{"a":null}"#)),
            (r#"{"a": -Infinity, "b":[Infinity,1]}"#, Some(r#"{"a": null, "b":[null,1]}"#)),
            (
                r#"{"NaN":"NaN \"NaN\" -Infinity","b":-1,"c":NaN}"#,
                Some(r#"{"NaN":"NaN \"NaN\" -Infinity","b":-1,"c":null}"#),
            ),
            (r#"{"NaN":"\\","包":"-"}"#, None),
            (r#"{"a":"NaN"#, None),
            (r#"{"a":"\"#, None),
            (r#"{"a":"\"\\\/\b\f\n\r\t\u00e4"}"#, None),
            ("{\"a\":\n\"x\ny\t\"}", Some("{\"a\":\n\"x\\u000ay\\u0009\"}")),
            (r#"{"a":"\x41\包"}"#, Some(r#"{"a":"\udfff41\udfff"}"#)),
        ] {
            assert_eq!(mended(json).as_deref(), replaced, "{json}");
        }
    }

    #[test]
    fn a_text_has_no_byte_order_mark() {
        assert_eq!(text(b"\xef\xbb\xbf{}".to_vec()).as_deref(), Some("{}"));
    }

    #[test]
    fn a_few_bytes_that_are_not_utf_8_are_replaced_by_no_character() {
        let json = text(b"{\"a\":\"M\xfcller \xe6\x97\",\"b\":\"\xe6\x97\xa5\"}".to_vec());
        assert_eq!(json.as_deref(), Some(r#"{"a":"M\udfffller \udfff","b":"日"}"#));
        assert_eq!(text(b"\xfc,".repeat(MAX_REPLACED)).map(|text| text.len()), Some(7_000));
        assert_eq!(text(b"\xfc,".repeat(MAX_REPLACED + 1)), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(json in "[\"\\\\NaInfty{}:,包\n-]{0,40}") {
            let _ = mended(&json);
        }
    }
}
