//! Bytes of a file as text.

use crate::error::{Fault, ReadError};
use crate::place::{Pos, end_position};

/// The text of a file, without a byte order mark.
///
/// UTF-8 and UTF-16 are read, as conda reads them: UTF-16 by its byte order mark, and without
/// one where the first character is ASCII (YAML 1.2.2, section 5.2).
///
/// # Errors
/// The place of the first byte that belongs to no character.
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

/// The text of a policy: UTF-8 only, with a byte order mark left in, as a server gets it.
///
/// # Errors
/// The place of the first byte that isn't UTF-8.
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

/// UTF-16 without a mark, where it is certain: an ASCII character first, every unit valid, and
/// no NUL, which a text of UTF-8 with a NUL in it would have.
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
    fn utf8_and_utf16_with_and_without_a_mark_are_the_same_text() {
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
    fn the_first_bad_byte_is_named_by_its_place() {
        let place = |bytes: &[u8]| decode("f", bytes.to_vec()).unwrap_err().place;
        assert_eq!(place(b"path \"\xe5\xaf\x86\"\nab\xff"), Place::new("f", 2, 3));
        assert_eq!(place(b"\xef\xbb\xbfab\xff"), Place::new("f", 1, 3));
        // An odd byte at the end, half of a pair, UTF-32.
        assert_eq!(place(b"\xff\xfea\0\n\0b"), Place::new("f", 2, 1));
        assert_eq!(place(b"\xff\xfea\0\x3d\xd8b\0"), Place::new("f", 1, 2));
        assert_eq!(place(b"\xff\xfe\0\0a\0\0\0"), Place::new("f", 1, 1));
    }

    #[test]
    fn a_nul_is_no_sign_of_utf16() {
        for text in ["a\0b", "a\0", "\0a", "ab\0", "\0", ""] {
            let read = decode("f", text.as_bytes().to_vec());
            assert!(read == Ok(text.to_owned()) || text == "a\0" || text == "\0a", "{text:?}");
        }
    }
}
