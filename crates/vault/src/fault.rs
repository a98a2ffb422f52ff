//! What is wrong with an answer or with a credential, typed; the words are made here.

use std::fmt;

/// Why an answer can't be read. Never what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFault {
    /// It isn't HTTP.
    NotHttp,
    /// It is longer than a megabyte.
    TooLong,
    /// It is a page of HTML.
    Page,
    /// It isn't JSON.
    NotJson,
    /// It ends in the middle.
    Truncated,
    /// Its JSON has another shape.
    Shape,
    /// It has no `data`.
    NoData,
    /// A login's answer has no `auth`.
    NoAuth,
    /// A login's answer is wrapped, which wasn't requested.
    Wrapped,
    /// The token in it can't be one.
    BadToken,
    /// The field doesn't hold a time.
    BadTime(&'static str),
    /// No answer to this request has the status.
    Status(u16),
}

impl fmt::Display for AnswerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp => f.write_str("it isn't HTTP"),
            Self::TooLong => f.write_str("it is longer than a megabyte"),
            Self::Page => f.write_str("it is a page, not JSON"),
            Self::NotJson => f.write_str("it isn't JSON"),
            Self::Truncated => f.write_str("it ends in the middle"),
            Self::Shape => f.write_str("its JSON doesn't have the expected shape"),
            Self::NoData => f.write_str("it has no `data`"),
            Self::NoAuth => f.write_str("it has no `auth`"),
            Self::Wrapped => f.write_str("it is wrapped, which wasn't requested"),
            Self::BadToken => f.write_str("its token can't be one"),
            Self::BadTime(field) => write!(f, "its {field} isn't a time"),
            Self::Status(status) => write!(f, "this request can't have the status {status}"),
        }
    }
}

/// Why something that answers isn't Vault or OpenBao.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerFault {
    /// `sys/health` answers with this status and no JSON.
    HealthIsNotJson(u16),
    /// The JSON of `sys/health` has neither `initialized` nor `sealed`.
    HealthWithoutState,
    /// `sys/health` never has this status.
    HealthStatus(u16),
}

impl fmt::Display for ServerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HealthIsNotJson(status) => {
                write!(f, "sys/health answers {status} and no JSON")
            }
            Self::HealthWithoutState => {
                f.write_str("sys/health says neither `initialized` nor `sealed`")
            }
            Self::HealthStatus(status) => write!(f, "sys/health answers {status}"),
        }
    }
}

/// Why a credential can't be used. Never what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialFault {
    /// It is empty.
    Empty,
    /// It contains line breaks or other control characters.
    ControlCharacters,
    /// It contains characters that a header can't carry.
    NotPrintable,
    /// A user name with a slash or `..` would change the path of the login.
    ChangesPath,
    /// No request can be signed with it.
    CannotSign,
    /// Only the `secret_id` of approle can be wrapped.
    NotWrappable,
}

impl fmt::Display for CredentialFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::ControlCharacters => "it has line breaks in it",
            Self::NotPrintable => "it has spaces, line breaks or characters beyond ASCII in it",
            Self::ChangesPath => {
                "it has a slash or `..` in it, which would change the path of the login"
            }
            Self::CannotSign => "no request can be signed with it",
            Self::NotWrappable => "only the secret_id of approle can be wrapped",
        })
    }
}
