//! Why a source didn't deliver a file, and the list of attempts.

use std::sync::Arc;
use std::time::Duration;

use envlock_report::{Finding, format_size};

use crate::disk::DiskError;

/// Why a source didn't deliver a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The source doesn't have the file.
    #[error("{0}")]
    Absent(String),
    /// The response status isn't a success.
    #[error("{code} {reason}")]
    Status {
        /// The HTTP status.
        code: u16,
        /// The status text.
        reason: String,
        /// The pause that the source requests.
        retry_after: Option<Duration>,
    },
    /// The source requires a credential, or rejects the one that was sent.
    #[error("{code} {reason}: {}", match credential {
        Some(from) => format!("it rejects the credential of {from}"),
        None => "it requires a credential, and none is known for it".to_owned(),
    })]
    Denied {
        /// The HTTP status.
        code: u16,
        /// The status text.
        reason: String,
        /// Where the credential that was sent comes from.
        credential: Option<Arc<str>>,
    },
    /// No connection was made.
    #[error("{0}")]
    Unreachable(String),
    /// The source accepted the connection and sent nothing.
    #[error("nothing was received for {} s", .0.as_secs_f32())]
    NoProgress(Duration),
    /// The source sends too slowly to complete the file.
    #[error("it is too slow: almost nothing was received for {} s", .0.as_secs())]
    TooSlow(Duration),
    /// The connection was closed before or during the response.
    #[error("the connection was reset")]
    Reset,
    /// The response ended early.
    #[error("cut short: {got} of {expected} bytes received")]
    Truncated {
        /// The received size in bytes.
        got: u64,
        /// The announced size in bytes.
        expected: u64,
    },
    /// A web page instead of the file.
    #[error("a web page instead of the file (a login page of the network?)")]
    WebPage,
    /// The file can't be read.
    #[error("unreadable: {0}")]
    Unreadable(String),
    /// The file is larger than any that is downloaded.
    #[error("it is larger than {}, and its record has no size", format_size(*.0))]
    TooLarge(u64),
    /// The file's size isn't that of the record.
    #[error("wrong size: expected {expected} bytes, got {got}")]
    WrongSize {
        /// The size in the record, in bytes.
        expected: u64,
        /// The received size in bytes.
        got: u64,
    },
    /// The file's digest isn't that of the record.
    #[error("wrong sha256: expected {expected}, got {got}")]
    WrongChecksum {
        /// The digest in the record.
        expected: String,
        /// The digest of the received file.
        got: String,
    },
    /// A redirect that isn't followed.
    #[error("a redirect that isn't followed: {0}")]
    Redirect(String),
    /// A setting that the request needs can't be used, such as the proxy of its host.
    #[error("{}", .0.message)]
    Setting(Arc<Finding>),
    /// The host is suspended for this run, for this reason.
    #[error("not tried again in this run: {0}")]
    Suspended(String),
}

impl SourceError {
    /// Whether the source doesn't have the file.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// Whether a retry after a short pause is likely to succeed.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Reset | Self::Status { code: 429 | 500..=599, .. })
    }

    /// Whether a request for another file of the same host would fail in the same way.
    pub(crate) fn is_about_the_host(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::NoProgress(_) | Self::TooSlow(_) | Self::Suspended(_)
        )
    }
}

/// Why a download failed.
#[derive(Debug)]
pub(crate) enum DownloadError {
    /// The source failed. Another source may deliver the file.
    Source(SourceError),
    /// The file can't be written. No other source would help.
    Disk(DiskError),
}

impl From<SourceError> for DownloadError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<DiskError> for DownloadError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// A source that was tried for a file and didn't deliver it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The URL, without credentials.
    pub url: String,
    /// Why the source didn't deliver the file.
    pub error: SourceError,
}

impl Attempt {
    /// Formats the attempt as one line of a note.
    pub(crate) fn line(&self) -> String {
        format!("{}: {}", self.url, self.error)
    }
}

/// Returns the help text for these attempts. It doesn't suggest to wait if every source that
/// has the file denies access.
pub(crate) fn help_for<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> String {
    const ANOTHER: &str = "name another source with `--mirror PREFIX=URL`";
    let is_informative = |attempt: &&Attempt| {
        !matches!(attempt.error, SourceError::Absent(_) | SourceError::Suspended(_))
    };
    let is_denial = |error: &SourceError| {
        matches!(error, SourceError::Denied { .. } | SourceError::Status { code: 401 | 403, .. })
    };
    let errors: Vec<&SourceError> =
        attempts.filter(is_informative).map(|attempt| &attempt.error).collect();
    if errors.is_empty() || !errors.iter().all(|error| is_denial(error)) {
        return format!("try again later or {ANOTHER}");
    }
    let denied = errors.iter().find_map(|error| match error {
        SourceError::Denied { credential, .. } => Some(credential.as_deref()),
        _ => None,
    });
    match denied {
        Some(Some(from)) => format!("correct the credential of {from}, or {ANOTHER}"),
        Some(None) => format!("put a credential for it into ~/.netrc, or {ANOTHER}"),
        None => format!("it denies requests from here: {ANOTHER}"),
    }
}

/// Returns the errors of settings that the requests need, each once.
pub(crate) fn setting_errors<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Vec<Finding> {
    let mut errors: Vec<Finding> = Vec::new();
    for attempt in attempts {
        if let SourceError::Setting(error) = &attempt.error
            && !errors.contains(error)
        {
            errors.push(Finding::clone(error));
        }
    }
    errors
}

/// Formats the attempts as an indented note, one line each.
pub(crate) fn list_attempts(attempts: &[Attempt]) -> String {
    attempts.iter().map(|attempt| format!("  {}", attempt.line())).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(errors: Vec<SourceError>) -> String {
        let attempts: Vec<_> =
            errors.into_iter().map(|error| Attempt { url: "https://h/".into(), error }).collect();
        help_for(attempts.iter())
    }

    #[test]
    fn the_help_suggests_to_wait_unless_every_source_denies_access() {
        let status = |code| SourceError::Status { code, reason: String::new(), retry_after: None };
        let denied = |credential: Option<&str>| SourceError::Denied {
            code: 401,
            reason: String::new(),
            credential: credential.map(Arc::from),
        };
        let absent = || SourceError::Absent("404 not found".into());
        assert!(help(vec![status(403), absent()]).starts_with("it denies requests from here: "));
        assert!(help(vec![denied(None)]).contains("~/.netrc"));
        let wrong = help(vec![status(403), denied(Some("ENVLOCK_TOKEN"))]);
        assert!(wrong.starts_with("correct the credential of ENVLOCK_TOKEN, or "), "{wrong}");
        for passing in [vec![status(403), status(503)], vec![SourceError::Reset], vec![absent()]] {
            assert!(help(passing.clone()).starts_with("try again later or "), "{passing:?}");
        }
    }
}
