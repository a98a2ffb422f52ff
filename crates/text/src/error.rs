//! Why a text can't be read.

use crate::place::Place;

/// What is wrong with a text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct ReadError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a text. The words are the same for every file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes are neither UTF-8 nor UTF-16.
    #[error("the file isn't UTF-8 text")]
    NotText,
    /// More bytes than the limit.
    #[error("the file has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// How many are read.
        limit: usize,
    },
    /// A line with more bytes than the limit.
    #[error("this line has more than {0} bytes")]
    LongLine(usize),
    /// More levels than the limit.
    #[error("this is nested more than {0} levels deep")]
    TooDeep(usize),
    /// More values than the limit.
    #[error("the file has more than {0} values, with what its aliases repeat")]
    TooMany(usize),
    /// The aliases repeat more than the limit.
    #[error("the anchors and aliases up to here repeat more than {0} {1}")]
    Repeated(usize, &'static str),
    /// A character that YAML doesn't allow.
    #[error("the control character U+{:04X} isn't allowed here", *.0 as u32)]
    ControlCharacter(char),
    /// The text isn't what its format says.
    #[error("this isn't valid {format}: {message}")]
    Syntax {
        /// YAML, JSON or TOML.
        format: &'static str,
        /// What the parser says.
        message: String,
        /// Whether the line is indented with a tab.
        tab: bool,
    },
    /// `---` a second time.
    #[error("a second YAML document starts here, and a file is one document")]
    SecondDocument,
    /// One key twice in a mapping.
    #[error("the key `{key}` is here twice; it was first on line {first}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line that has it first.
        first: u32,
    },
    /// A list, a mapping or nothing as a key.
    #[error("a key must be text, and this one is {0}")]
    KeyNotText(&'static str),
    /// `<<: *base`.
    #[error("a merge key (`<<`) isn't read here")]
    MergeKey,
    /// `*name` without a complete `&name` above it.
    #[error("the alias `*` stands for nothing that is complete above it")]
    UnknownAlias,
    /// `!name`.
    #[error("the tag `{0}` means nothing here")]
    UnknownTag(String),
}

impl Fault {
    /// The fault at a place.
    pub fn at(self, place: Place) -> ReadError {
        ReadError { place, fault: self }
    }

    /// What to do, where that isn't obvious.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NotText => Some("save the file as UTF-8"),
            Self::Syntax { tab: true, .. } => Some("indent with spaces, not with tabs"),
            Self::Syntax { .. } | Self::TooLarge { .. } => None,
            Self::LongLine(_) => Some("put each value on a line of its own"),
            Self::TooDeep(_) => Some("four levels are enough for everything that is read here"),
            Self::TooMany(_) | Self::Repeated(..) => {
                Some("write out the values, and check for aliases of aliases")
            }
            Self::ControlCharacter(_) => Some("remove it; in double quotes it can be an escape"),
            Self::SecondDocument => Some("put each document into a file of its own"),
            Self::DuplicateKey { .. } => {
                Some("keep one of the two, or put both parts under one key")
            }
            Self::KeyNotText(_) => Some("put the key into quotes"),
            Self::MergeKey => Some("write the keys out"),
            Self::UnknownAlias => Some("write the value out, or put its anchor (`&name`) above"),
            Self::UnknownTag(_) => Some("remove the tag; quotes make a value text"),
        }
    }
}
