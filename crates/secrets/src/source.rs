//! Texts and places in them: what every reader of this crate stands on.

use envlock_report::{Diagnostic, Exit, Explain, Place};

/// No policy, manifest or unit-test file may be longer than this many bytes.
///
/// The servers themselves refuse a policy of more than about a mebibyte (the storage
/// entry's limit); the ten thousand rules that are promised need some more than that.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How many levels of lists, maps and blocks a text may nest.
pub const MAX_DEPTH: usize = 64;

/// How many values one text may hold, so that `[,[,[,…` of a few megabytes stays bounded.
pub const MAX_VALUES: usize = 1_000_000;

/// A position in a text, both numbers counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pos {
    /// The line.
    pub line: u32,
    /// The column in characters.
    pub column: u32,
}

impl Pos {
    /// The first character.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The same position as a place in `file`.
    pub fn place(self, file: &str) -> Place {
        Place::new(file, self.line, self.column)
    }
}

impl Default for Pos {
    fn default() -> Self {
        Self::START
    }
}

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

    /// Its stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8(_) => "not-utf8",
            Self::TooLarge { .. } | Self::TooDeep(_) | Self::TooMany(_) => "input-limit",
            Self::Alias(_) => "yaml-alias",
            Self::Syntax { .. } => "syntax",
        }
    }
}

impl Explain for ReadError {
    fn diagnostics(&self) -> Vec<Diagnostic> {
        let message = crate::canary::redact(&self.to_string()).into_owned();
        vec![Diagnostic::error(self.code(), message).at(self.place().clone())]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
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

/// The position just after `text`.
pub(crate) fn end_of(text: &str) -> Pos {
    let last = text.rfind('\n').map_or(text, |newline| &text[newline + 1..]);
    Pos { line: number(text.matches('\n').count() + 1), column: number(last.chars().count() + 1) }
}

/// A count as a line or column; texts are far below four billion characters.
pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
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
