//! Reads the text of an index with a byte order mark, and with `NaN`, which conda reads.

/// The byte order mark of UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns the text of an index; `None` if it isn't UTF-8, as after damage on the way.
pub(super) fn text(bytes: Vec<u8>) -> Option<String> {
    let bytes = match bytes.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    String::from_utf8(bytes).ok()
}

/// Replaces the numbers `NaN`, `Infinity` and `-Infinity`, which JSON doesn't have, by `null`. `None`
/// if there is none.
pub(super) fn without_nan(json: &str) -> Option<String> {
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
                rest = &behind[name.len()..];
                continue;
            }
            None if behind.starts_with('"') => end_of_string(behind),
            None => 1,
        };
        replaced.push_str(&behind[..end]);
        rest = &behind[end..];
    }
    replaced.push_str(rest);
    found.then_some(replaced)
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
    fn only_numbers_outside_of_strings_are_replaced() {
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
        ] {
            assert_eq!(without_nan(json).as_deref(), replaced, "{json}");
        }
    }

    #[test]
    fn a_text_has_no_byte_order_mark() {
        assert_eq!(text(b"\xef\xbb\xbf{}".to_vec()).as_deref(), Some("{}"));
        assert_eq!(text(b"{\"a\":\"M\xfcller\"}".to_vec()), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(json in "[\"\\\\NaInfty{}:,包-]{0,40}") {
            let _ = without_nan(&json);
        }
    }
}
