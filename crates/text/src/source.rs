//! Texts and places in them: what every reader of this crate stands on.

use crate::place::{Place, Pos, end_of};

/// No policy, manifest or unit-test file may be longer than this many bytes.
///
/// The servers themselves refuse a policy of more than about a mebibyte (the storage
/// entry's limit); the ten thousand rules that are promised need some more than that.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How many levels of lists, maps and blocks a text may nest.
pub const MAX_DEPTH: usize = 64;

/// How many values one text may hold, so that `[,[,[,…` of a few megabytes stays bounded.
pub const MAX_VALUES: usize = 1_000_000;

/// Why a text can't be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The bytes aren't UTF-8.
    #[error("the file isn't UTF-8 text")]
    NotUtf8(Place),
    /// More bytes than [`MAX_BYTES`].
    #[error("the file has {bytes} bytes; the limit is {MAX_BYTES}")]
    TooLarge {
        /// Its first character.
        place: Place,
        /// How many bytes there are.
        bytes: usize,
    },
    /// More levels than [`MAX_DEPTH`].
    #[error("the text nests deeper than {MAX_DEPTH} levels here")]
    TooDeep(Place),
    /// More values than [`MAX_VALUES`].
    #[error("the file holds more than {MAX_VALUES} values; the limit is reached here")]
    TooMany(Place),
    /// An alias, which would make a small file a large one.
    #[error("an alias (`*name`) isn't read here: write the value out")]
    Alias(Place),
    /// The text isn't what its format says.
    #[error("{message}")]
    Syntax {
        /// Where it stops making sense.
        place: Place,
        /// What the reader says.
        message: String,
    },
}

impl ReadError {
    /// Where it is.
    pub fn place(&self) -> &Place {
        match self {
            Self::NotUtf8(place)
            | Self::TooDeep(place)
            | Self::TooMany(place)
            | Self::Alias(place)
            | Self::TooLarge { place, .. }
            | Self::Syntax { place, .. } => place,
        }
    }
}

/// The text of `bytes`, or the place of the first byte that isn't UTF-8.
pub fn decode(file: &str, bytes: Vec<u8>) -> Result<String, ReadError> {
    within_limit(file, bytes.len())?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
        ReadError::NotUtf8(end_of(&text).place(file))
    })
}

pub(crate) fn within_limit(file: &str, bytes: usize) -> Result<(), ReadError> {
    if bytes > MAX_BYTES {
        return Err(ReadError::TooLarge { place: Pos::START.place(file), bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_that_is_not_utf8_is_named_by_its_place() {
        let error = decode("p.hcl", b"path \"\xe5\xaf\x86\"\nab\xff".to_vec()).unwrap_err();
        assert_eq!(error, ReadError::NotUtf8(Place::new("p.hcl", 2, 3)));
    }
}
