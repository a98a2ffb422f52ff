//! Errors for which a server rejects a policy.

use envlock_report::{AsFindings, Code, Exit, Finding, Place};

use super::dialect::DialectSet;
use envlock_text::{Pos, limits::MANIFEST};

/// The size in bytes of the largest policy that a server takes by default: the limit of an entry in
/// integrated storage, and of a text in a request to Vault since 1.21.
pub(crate) const SERVER_BYTES: usize = 1024 * 1024;

/// Why a policy is rejected, and where. One invalid block makes the whole file invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct PolicyError {
    /// The position in the file.
    pub place: Place,
    /// The kind of the error.
    pub kind: PolicyErrorKind,
}

/// The kind of a policy error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyErrorKind {
    /// A character that HCL doesn't allow outside of quotes.
    #[error("unexpected character {0:?}")]
    IllegalCharacter(char),
    /// A byte order mark, which the servers reject.
    #[error("the file starts with a byte order mark, which the servers reject")]
    ByteOrderMark,
    /// A text, comment or heredoc that isn't terminated.
    #[error("this {0} has no end")]
    Unterminated(&'static str),
    /// `<<` without a valid tag and a line end.
    #[error("a heredoc must start with `<<TAG` and a line end")]
    Heredoc,
    /// A backslash that doesn't start an escape.
    #[error("this text contains an escape that HCL doesn't have")]
    BadEscape,
    /// `08`, `0x`.
    #[error("this isn't a number")]
    BadNumber,
    /// A `{` or `[` that isn't closed.
    #[error("this `{0}` isn't closed")]
    Unclosed(char),
    /// An unexpected token.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What is expected.
        expected: &'static str,
        /// What the text contains.
        found: String,
    },
    /// `path "a" = { … }`.
    #[error("a block has no `=`: write `path \"…\" {{ … }}`")]
    AssignedBlock,
    /// `[read]`.
    #[error("`{0}` must be quoted in a list")]
    Unquoted(String),
    /// `null` in a list of JSON.
    #[error("the servers reject null in a list")]
    NullInList,
    /// `"\ud83d\ude00"` in JSON.
    #[error("the servers can't read a character that JSON escapes as a pair of surrogates")]
    SurrogateEscape,
    /// An empty text.
    #[error("the servers reject the upload of an empty policy")]
    Empty,
    /// Base64 of something that isn't UTF-8.
    #[error("the text is base64, which the servers decode, and the result isn't UTF-8")]
    EncodedBytes,
    /// Not JSON, though the file starts with `{{`.
    #[error("{0}")]
    InvalidJson(String),
    /// Larger than envlock's limit.
    #[error("the policy has {0} bytes; envlock reads at most {limit}", limit = MANIFEST.bytes)]
    TooLarge(usize),
    /// Larger than the servers' limit.
    #[error("the policy has {0} bytes; by default a server stores at most {SERVER_BYTES}")]
    TooLargeForServers(usize),
    /// Nested more deeply than envlock's limit.
    #[error(
        "the policy is nested more than {limit} levels deep here; envlock reads no deeper, though \
         a server may",
        limit = MANIFEST.depth
    )]
    TooDeep,
    /// More values than envlock's limit.
    #[error(
        "the policy contains more than {limit} values, which envlock doesn't read; the limit is \
         reached here",
        limit = MANIFEST.values
    )]
    TooMany,
    /// A key that no server accepts.
    #[error("`{key}` isn't a key {within}")]
    UnknownKey {
        /// The key.
        key: String,
        /// The part of the policy: `at the top of a policy`, `of a path block`.
        within: &'static str,
        /// The most similar valid key.
        nearest: Option<&'static str>,
    },
    /// A key or capability that only other servers accept.
    #[error("`{word}` is accepted only by {accepted}")]
    OtherDialect {
        /// The key or capability.
        word: String,
        /// The servers that accept it.
        accepted: DialectSet,
    },
    /// A value of the wrong type.
    #[error("`{key}` must be {expected}")]
    WrongType {
        /// The key.
        key: &'static str,
        /// The required type.
        expected: &'static str,
    },
    /// Not a capability of any server.
    #[error("`{word}` isn't a capability")]
    UnknownCapability {
        /// The word.
        word: String,
        /// The most similar capability.
        nearest: Option<&'static str>,
    },
    /// `policy = "admin"`.
    #[error("`policy = \"{0}\"` isn't one of deny, read, write, sudo")]
    UnknownShorthand(String),
    /// The same attribute twice in an object.
    #[error("`{0}` is assigned twice here; Vault 1.21 and later reject the policy")]
    DuplicateAttribute(String),
    /// `+*`.
    #[error("the pattern `{0}` contains `+*`, which the servers reject")]
    PlusStar(String),
    /// `{{{{` without `}}}}` or the other way round.
    #[error("the braces of the template in `{0}` don't match")]
    TemplateBraces(String),
    /// A malformed duration.
    #[error("`{key}` isn't a duration such as 300, \"90s\", \"1h30m\" or \"1d\"")]
    BadDuration {
        /// The key.
        key: &'static str,
    },
    /// `max_wrapping_ttl` below `min_wrapping_ttl`.
    #[error("`max_wrapping_ttl` is less than `min_wrapping_ttl`")]
    WrappingOrder,
    /// A malformed `expiration`.
    #[error("`expiration` isn't a time such as \"2027-01-31T00:00:00Z\"")]
    BadExpiration,
    /// A key filter without `list`.
    #[error("`list_scan_response_keys_filter_path` needs `list` in the same block")]
    FilterWithoutList,
    /// A control group without factors.
    #[error("a control group needs a factor")]
    NoFactor,
    /// A factor without `identity`.
    #[error("the factor `{0}` of the control group needs an `identity`")]
    FactorWithoutIdentity(String),
    /// A factor without groups, or without approvals.
    #[error(
        "the factor `{0}` of the control group needs `group_names` or `group_ids`, and `approvals` \
         greater than 0"
    )]
    FactorWithoutApprovals(String),
    /// A controlled capability that the block doesn't have.
    #[error("the control group controls `{0}`, which the block doesn't grant")]
    ControlledCapability(String),
    /// `root` together with other policies.
    #[error("the policy `root` can't be attached together with other policies")]
    RootWithOthers,
    /// `root` in a namespace of Vault.
    #[error("the policy `root` exists only in the root namespace")]
    RootInNamespace,
}

impl PolicyErrorKind {
    /// Makes the error at a position.
    pub(crate) fn at(self, file: &str, pos: Pos) -> PolicyError {
        PolicyError { place: pos.place(file), kind: self }
    }

    /// Whether the text isn't valid HCL or JSON, rather than a policy with a mistake.
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
                | Self::NullInList
                | Self::SurrogateEscape
                | Self::EncodedBytes
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
            Self::DuplicateAttribute(_) => {
                Some("write one list that contains all values".to_owned())
            }
            Self::SurrogateEscape => Some("write the character itself".to_owned()),
            Self::ByteOrderMark => {
                Some("save the file as UTF-8 without a byte order mark".to_owned())
            }
            Self::PlusStar(_) => Some(
                "write `+` for one segment, `+/*` for everything below it, or `*` at the end"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl PolicyError {
    /// The code of its finding.
    pub fn code(&self) -> Code {
        match &self.kind {
            PolicyErrorKind::TooLarge(_)
            | PolicyErrorKind::TooLargeForServers(_)
            | PolicyErrorKind::TooDeep
            | PolicyErrorKind::TooMany => Code::InputLimit,
            kind if kind.is_syntax() => Code::PolicySyntax,
            _ => Code::PolicyRejected,
        }
    }

    /// Makes the finding.
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
