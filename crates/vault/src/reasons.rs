//! Reasons of errors, typed, with their texts.

use std::fmt;

use crate::ProbeError;

/// Why an answer can't be read. It never has the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFault {
    /// It isn't HTTP.
    NotHttp,
    /// It is larger than a megabyte.
    TooLong,
    /// It is a page of HTML.
    Page,
    /// It isn't JSON.
    NotJson,
    /// It is truncated.
    Truncated,
    /// Its JSON has the wrong types.
    Shape,
    /// It has no `data`.
    NoData,
    /// A login's answer has no `auth`.
    NoAuth,
    /// A login's answer is wrapped, which wasn't requested.
    Wrapped,
    /// Its token isn't valid in a header.
    BadToken,
    /// The field isn't a time.
    BadTime(&'static str),
    /// The request can't have this status.
    Status(u16),
}

impl fmt::Display for AnswerFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp => f.write_str("it isn't HTTP"),
            Self::TooLong => f.write_str("it is larger than a megabyte"),
            Self::Page => f.write_str("it is an HTML page, not JSON"),
            Self::NotJson => f.write_str("it isn't JSON"),
            Self::Truncated => f.write_str("it is truncated"),
            Self::Shape => f.write_str("its JSON doesn't have the expected types"),
            Self::NoData => f.write_str("it has no `data`"),
            Self::NoAuth => f.write_str("it has no `auth`"),
            Self::Wrapped => f.write_str("it is wrapped, which wasn't requested"),
            Self::BadToken => f.write_str("its token isn't valid"),
            Self::BadTime(field) => write!(f, "its {field} isn't a time"),
            Self::Status(status) => write!(f, "this request can't have the status {status}"),
        }
    }
}

/// Why a server isn't Vault or OpenBao.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotVaultReason {
    /// `sys/health` answers with this status, without JSON.
    HealthIsNotJson(u16),
    /// The JSON of `sys/health` has neither `initialized` nor `sealed`.
    HealthWithoutState,
    /// `sys/health` never has this status.
    HealthStatus(u16),
}

impl fmt::Display for NotVaultReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HealthIsNotJson(status) => {
                write!(f, "sys/health answers with the status {status}, without JSON")
            }
            Self::HealthWithoutState => {
                f.write_str("the answer of sys/health has neither `initialized` nor `sealed`")
            }
            Self::HealthStatus(status) => write!(f, "sys/health answers with the status {status}"),
        }
    }
}

/// Why a credential can't be used. It never has the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialFault {
    /// It is empty.
    Empty,
    /// It contains line breaks or other control characters.
    ControlCharacters,
    /// It contains characters that aren't allowed in a header.
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
            Self::ControlCharacters => "it contains line breaks or other control characters",
            Self::NotPrintable => "it contains spaces, line breaks or characters outside of ASCII",
            Self::ChangesPath => {
                "it contains a slash or `..`, which would change the path of the login"
            }
            Self::CannotSign => "no request can be signed with it",
            Self::NotWrappable => "only the secret_id of approle can be wrapped",
        })
    }
}

/// Why a text isn't the address of a server. It never has the text, which may contain a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFault {
    /// It has no host.
    NoHost,
    /// Its port isn't a number up to 65535.
    Port,
    /// It isn't a URL.
    NotAUrl,
    /// It doesn't start with `https://` or `http://`.
    Scheme,
    /// It has a user name or a password.
    UserInfo,
    /// It has a query or a fragment.
    QueryOrFragment,
    /// It ends in `/v1`, which every request adds.
    ApiVersion,
    /// The name in `VAULT_TLS_SERVER_NAME` isn't the name of a host.
    ServerName,
}

impl From<url::ParseError> for AddressFault {
    fn from(error: url::ParseError) -> Self {
        match error {
            url::ParseError::EmptyHost => Self::NoHost,
            url::ParseError::InvalidPort => Self::Port,
            url::ParseError::RelativeUrlWithoutBase => Self::Scheme,
            _ => Self::NotAUrl,
        }
    }
}

impl fmt::Display for AddressFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHost => "it has no host",
            Self::Port => "its port isn't a number up to 65535",
            Self::NotAUrl => "it isn't a URL",
            Self::Scheme => "it must start with https://",
            Self::UserInfo => "it contains a user name or a password",
            Self::QueryOrFragment => "it contains a `?` or `#`",
            Self::ApiVersion => "it must end before `/v1`, which envlock adds",
            Self::ServerName => "it isn't the name of a host",
        })
    }
}

/// Why the file of a credential can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFault {
    /// It doesn't exist.
    NotFound,
    /// It is a directory, a pipe or a device.
    NotAFile,
    /// It isn't UTF-8.
    NotText,
    /// It is larger than a credential can be.
    TooLarge,
    /// The system can't read it.
    System(std::io::ErrorKind),
}

impl From<std::io::Error> for FileFault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound,
            std::io::ErrorKind::InvalidData => Self::NotText,
            kind => Self::System(kind),
        }
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("the file doesn't exist"),
            Self::NotAFile => f.write_str("it isn't a regular file"),
            Self::NotText => f.write_str("it isn't UTF-8 text"),
            Self::TooLarge => f.write_str("it is too large for a credential"),
            Self::System(kind) => kind.fmt(f),
        }
    }
}

/// The target of a redirect that isn't followed, without anything that may be a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectTarget {
    /// Another server: scheme, host and port.
    Origin(String),
    /// Another path of the same server.
    OtherPath,
    /// The `Location` isn't a URL.
    NotAUrl,
    /// A second redirect after the first.
    Second,
}

impl fmt::Display for RedirectTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Origin(origin) => origin,
            Self::OtherPath => "another path of the same server",
            Self::NotAUrl => "a location that isn't a URL",
            Self::Second => "a second location after the first",
        })
    }
}

/// Why the token of a login wasn't revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotRevoked {
    /// The server answered with this status.
    Status(u16),
    /// The request failed.
    Error(ProbeError),
    /// The run was interrupted, or the server didn't answer in time.
    Interrupted,
}

impl fmt::Display for NotRevoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "the server answered with the status {status}"),
            Self::Error(error) => error.fmt(f),
            Self::Interrupted => {
                f.write_str("the run was interrupted, or the server didn't answer in time")
            }
        }
    }
}
