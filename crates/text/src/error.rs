//! The errors of reading a text.

use crate::place::Place;

/// An error in a text, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct ReadError {
    /// The place of the error.
    pub place: Place,
    /// The error.
    pub fault: Fault,
}

/// An error in a text. Its message is the same for every kind of file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes are neither UTF-8 nor UTF-16.
    #[error("the file isn't UTF-8 text")]
    NotText,
    /// The text has more bytes than the limit.
    #[error("the file has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// The size of the text in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A line has more bytes than the limit, which is given.
    #[error("this line has more than {0} bytes")]
    LongLine(usize),
    /// Lists and mappings are nested deeper than the limit, which is given.
    #[error("this is nested more than {0} levels deep")]
    TooDeep(usize),
    /// The text has more values than the limit, which is given. Copies by aliases count.
    #[error("the file has more than {0} values, counting those that its aliases repeat")]
    TooMany(usize),
    /// The anchors and aliases repeat more than the limit: the limit and its unit.
    #[error("the anchors and aliases up to here repeat more than {0} {1}")]
    Repeated(usize, &'static str),
    /// A character that YAML doesn't allow.
    #[error("the control character U+{:04X} isn't allowed here", *.0 as u32)]
    ControlCharacter(char),
    /// The text isn't valid in its format.
    #[error("this isn't valid {format}: {message}")]
    Syntax {
        /// The format: YAML, JSON or TOML.
        format: &'static str,
        /// The parser's message.
        message: String,
        /// Whether the line is indented with a tab.
        tab: bool,
    },
    /// A second document starts, after `---`.
    #[error("a second YAML document starts here; a file must have only one")]
    SecondDocument,
    /// A mapping has a key twice.
    #[error("the key `{key}` is a duplicate; the first one is on line {first}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line of the first one.
        first: u32,
    },
    /// A key is a list, a mapping or null.
    #[error("a key must be text, and this one is {0}")]
    KeyNotText(&'static str),
    /// A merge key, as in `<<: *base`.
    #[error("merge keys (`<<`) aren't supported")]
    MergeKey,
    /// An alias `*name` without a complete anchor `&name` above it.
    #[error("no anchor above this alias (`*`) has its name and is complete")]
    UnknownAlias,
    /// A tag, as in `!name`, that isn't one of YAML's own.
    #[error("the tag `{0}` isn't supported")]
    UnknownTag(String),
}

impl Fault {
    /// Returns the error with its place.
    pub fn at(self, place: Place) -> ReadError {
        ReadError { place, fault: self }
    }

    /// Returns the help; `None` if the fix is obvious.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NotText => Some("save the file as UTF-8"),
            Self::Syntax { tab: true, .. } => Some("indent with spaces, not with tabs"),
            Self::Syntax { .. } | Self::TooLarge { .. } => None,
            Self::LongLine(_) => Some("put each value on a separate line"),
            Self::TooDeep(_) => Some("remove levels; valid files need far fewer"),
            Self::TooMany(_) | Self::Repeated(..) => {
                Some("write out the values, and check for aliases of aliases")
            }
            Self::ControlCharacter(_) => {
                Some("remove it, or write it as an escape in double quotes")
            }
            Self::SecondDocument => Some("put each document into a separate file"),
            Self::DuplicateKey { .. } => {
                Some("keep one of the two, or put both parts under one key")
            }
            Self::KeyNotText(_) => Some("put the key into quotes"),
            Self::MergeKey => Some("write out the keys"),
            Self::UnknownAlias => {
                Some("write out the value, or put its anchor (`&name`) above the alias")
            }
            Self::UnknownTag(_) => Some("remove the tag; to make a value text, put it in quotes"),
        }
    }
}
