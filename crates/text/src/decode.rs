//! Decodes the bytes of a file.

use crate::error::{Fault, ReadError};
use crate::place::{Pos, end_position};

/// Decodes the text of a file. A byte order mark is removed.
///
/// The encodings are UTF-8 and UTF-16, as in conda. UTF-16 is recognised by its byte order mark,
/// or by an ASCII character at the start (YAML 1.2.2, section 5.2).
///
/// # Errors
/// Returns the place of the first byte that isn't part of a character.
pub fn decode(file: &str, bytes: Vec<u8>) -> Result<String, ReadError> {
    // The mark of UTF-32 starts like that of UTF-16.
    let text = match bytes.as_slice() {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            return Err(Fault::NotText.at(Pos::START.place(file)));
        }
        [0xff, 0xfe, rest @ ..] => utf16(file, rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => utf16(file, rest, u16::from_be_bytes)?,
        _ => match unmarked_utf16(&bytes) {
            Some(text) => text,
            None => decode_raw(file, bytes)?,
        },
    };
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Decodes the text of a policy: only UTF-8, and a byte order mark is kept, as a server does.
///
/// # Errors
/// Returns the place of the first byte that isn't UTF-8.
pub fn decode_raw(file: &str, bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..good]);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Fault::NotText.at(end_position(text).place(file))
    })
}

fn utf16(file: &str, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, ReadError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let units = pairs.iter().copied().map(unit);
    for c in char::decode_utf16(units) {
        match c {
            Ok(c) => text.push(c),
            Err(_) => return Err(Fault::NotText.at(end_position(&text).place(file))),
        }
    }
    if rest.is_empty() { Ok(text) } else { Err(Fault::NotText.at(end_position(&text).place(file))) }
}

/// Decodes UTF-16 without a byte order mark, if the encoding is certain: the first character is
/// ASCII, every unit is valid, and there is no NUL. UTF-8 text that starts like this has a NUL.
fn unmarked_utf16(bytes: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [first, 0, ..] if *first != 0 && first.is_ascii() => u16::from_le_bytes,
        [0, second, ..] if *second != 0 && second.is_ascii() => u16::from_be_bytes,
        _ => return None,
    };
    utf16("", bytes, unit).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    const TEXT: &str = "name: 密\r\n👩: x\n";

    fn encoded(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf8_and_utf16_with_and_without_a_byte_order_mark_give_the_same_text() {
        let marked = format!("\u{feff}{TEXT}");
        for bytes in [
            TEXT.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            encoded(TEXT, u16::to_le_bytes),
            encoded(TEXT, u16::to_be_bytes),
            encoded(&marked, u16::to_le_bytes),
            encoded(&marked, u16::to_be_bytes),
        ] {
            assert_eq!(decode("a.yml", bytes).as_deref(), Ok(TEXT));
        }
        assert_eq!(decode_raw("p.hcl", marked.clone().into_bytes()), Ok(marked));
    }

    #[test]
    fn the_error_has_the_place_of_the_first_invalid_byte() {
        let place = |bytes: &[u8]| decode("f", bytes.to_vec()).unwrap_err().place;
        assert_eq!(place(b"path \"\xe5\xaf\x86\"\nab\xff"), Place::new("f", 2, 3));
        assert_eq!(place(b"\xef\xbb\xbfab\xff"), Place::new("f", 1, 3));
        // An odd byte at the end, half of a pair, UTF-32.
        assert_eq!(place(b"\xff\xfea\0\n\0b"), Place::new("f", 2, 1));
        assert_eq!(place(b"\xff\xfea\0\x3d\xd8b\0"), Place::new("f", 1, 2));
        assert_eq!(place(b"\xff\xfe\0\0a\0\0\0"), Place::new("f", 1, 1));
    }

    #[test]
    fn utf8_with_a_nul_is_not_read_as_utf16() {
        for text in ["a\0b", "a\0", "\0a", "ab\0", "\0", ""] {
            let read = decode("f", text.as_bytes().to_vec());
            assert!(read == Ok(text.to_owned()) || text == "a\0" || text == "\0a", "{text:?}");
        }
    }
}
