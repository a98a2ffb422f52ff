//! Why a server would refuse a policy.

use envlock_report::{AsFindings, Code, Exit, Finding, Place};

use super::dialect::DialectSet;
use envlock_text::{Pos, limits::MANIFEST};

/// A refused policy: the place and the reason. One bad block refuses the whole file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct PolicyError {
    /// Where it is.
    pub place: Place,
    /// What is wrong.
    pub kind: PolicyErrorKind,
}

/// What is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyErrorKind {
    /// A character that HCL doesn't know outside of quotes.
    #[error("the character {0:?} means nothing here")]
    IllegalCharacter(char),
    /// A byte order mark, which the servers refuse.
    #[error("the file starts with a byte order mark, which the servers refuse")]
    ByteOrderMark,
    /// A text, comment or heredoc without its end.
    #[error("this {0} has no end")]
    Unterminated(&'static str),
    /// `<<` without a proper tag and line end.
    #[error("a heredoc starts with `<<TAG` and a line end")]
    Heredoc,
    /// A backslash and something that isn't an escape.
    #[error("this text holds an escape that HCL doesn't have")]
    BadEscape,
    /// `08`, `0x`.
    #[error("this isn't a number")]
    BadNumber,
    /// A `{` or `[` without its partner.
    #[error("this `{0}` is never closed")]
    Unclosed(char),
    /// Something else was needed here.
    #[error("{expected} was expected here, not {found}")]
    Expected {
        /// What would be right.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// `path "a" = { … }`.
    #[error("a block has no `=`: write `path \"…\" {{ … }}`")]
    AssignedBlock,
    /// `[read]`.
    #[error("`{0}` must be quoted in a list")]
    Unquoted(String),
    /// Not JSON, though the file starts with `{{`.
    #[error("{0}")]
    InvalidJson(String),
    /// More bytes than the limit.
    #[error("the policy has {0} bytes; the limit is {limit}", limit = MANIFEST.bytes)]
    TooLarge(usize),
    /// Deeper than the limit.
    #[error("the policy nests deeper than {limit} levels here", limit = MANIFEST.depth)]
    TooDeep,
    /// More values than the limit.
    #[error("the policy holds more than {limit} values; the limit is reached here", limit = MANIFEST.values)]
    TooMany,
    /// A key that no server, or not this one, knows.
    #[error("`{key}` isn't a key {within}")]
    UnknownKey {
        /// The key.
        key: String,
        /// Where keys are looked at: `at the top of a policy`, `of a path block`.
        within: &'static str,
        /// The key that was probably meant.
        nearest: Option<&'static str>,
    },
    /// A key or capability that other servers have.
    #[error("`{word}` is a word of {accepted} alone")]
    OtherDialect {
        /// The key or capability.
        word: String,
        /// The servers that know it.
        accepted: DialectSet,
    },
    /// A value of the wrong shape.
    #[error("`{key}` must be {expected}")]
    WrongType {
        /// The key.
        key: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// Not a capability of any server.
    #[error("`{word}` isn't a capability")]
    UnknownCapability {
        /// The word.
        word: String,
        /// The capability that was probably meant.
        nearest: Option<&'static str>,
    },
    /// `policy = "admin"`.
    #[error("`policy = \"{0}\"` isn't one of deny, read, write, sudo")]
    UnknownShorthand(String),
    /// The same attribute twice in a block.
    #[error("`{0}` is there twice in this block; Vault 1.21 and later refuse the policy")]
    DuplicateAttribute(String),
    /// `+*`.
    #[error("the pattern `{0}` holds `+*`, which the servers refuse")]
    PlusStar(String),
    /// `{{{{` without `}}}}` or the other way round.
    #[error("the braces of the template in `{0}` don't match")]
    TemplateBraces(String),
    /// A duration that isn't one.
    #[error("`{key}` isn't a duration such as 300, \"90s\", \"1h30m\" or \"1d\"")]
    BadDuration {
        /// The key.
        key: &'static str,
    },
    /// `max_wrapping_ttl` below `min_wrapping_ttl`.
    #[error("`max_wrapping_ttl` is less than `min_wrapping_ttl`")]
    WrappingOrder,
    /// `expiration` isn't a time.
    #[error("`expiration` isn't a time such as \"2027-01-31T00:00:00Z\"")]
    BadExpiration,
    /// A key filter without `list`.
    #[error("`list_scan_response_keys_filter_path` needs `list` in the same block")]
    FilterWithoutList,
    /// `root` together with other policies.
    #[error("the policy `root` can't be attached together with others")]
    RootWithOthers,
    /// `root` in a namespace of Vault.
    #[error("the policy `root` exists only in the root namespace")]
    RootInNamespace,
}

impl PolicyErrorKind {
    /// The fault at a place.
    pub(crate) fn at(self, file: &str, pos: Pos) -> PolicyError {
        PolicyError { place: pos.place(file), kind: self }
    }

    /// Whether the text isn't HCL or JSON at all, rather than a policy with a mistake.
    fn is_syntax(&self) -> bool {
        matches!(
            self,
            Self::IllegalCharacter(_)
                | Self::ByteOrderMark
                | Self::Unterminated(_)
                | Self::Heredoc
                | Self::BadEscape
                | Self::BadNumber
                | Self::Unclosed(_)
                | Self::Expected { .. }
                | Self::AssignedBlock
                | Self::Unquoted(_)
                | Self::InvalidJson(_)
        )
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::UnknownKey { nearest: Some(near), .. }
            | Self::UnknownCapability { nearest: Some(near), .. } => {
                Some(format!("did you mean `{near}`?"))
            }
            Self::UnknownCapability { .. } => Some(
                "the capabilities are create, read, update, delete, list, sudo, patch, deny; \
                 scan in OpenBao; subscribe and recover in Vault"
                    .to_owned(),
            ),
            Self::Unquoted(word) => Some(format!("write \"{word}\"")),
            Self::DuplicateAttribute(_) => Some("write one list with all of it".to_owned()),
            Self::ByteOrderMark => Some("save the file as UTF-8 without a mark".to_owned()),
            Self::PlusStar(_) => Some(
                "write `+` for one segment, `+/*` for all below it, or `*` at the end".to_owned(),
            ),
            _ => None,
        }
    }
}

impl PolicyError {
    /// Its stable name.
    pub fn code(&self) -> Code {
        match &self.kind {
            PolicyErrorKind::TooLarge(_) | PolicyErrorKind::TooDeep | PolicyErrorKind::TooMany => {
                Code::InputLimit
            }
            kind if kind.is_syntax() => Code::PolicySyntax,
            _ => Code::PolicyRejected,
        }
    }

    /// The same as a finding.
    pub fn finding(&self) -> Finding {
        let finding = Finding::new(self.code(), self.to_string()).at(self.place.clone());
        match self.kind.help() {
            Some(help) => finding.with_help(help),
            None => finding,
        }
    }
}

impl AsFindings for PolicyError {
    fn findings(&self) -> Vec<Finding> {
        vec![self.finding()]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
