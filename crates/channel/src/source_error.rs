//! Why a source didn't deliver a file, and the list of what was tried.

use std::sync::Arc;
use std::time::Duration;

use crate::disk::DiskError;

/// Why a source didn't deliver a file. Its `Display` completes "the mirror answered: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It doesn't have the file.
    #[error("{0}")]
    Absent(String),
    /// Its status isn't a success.
    #[error("{code} {reason}")]
    Status {
        /// The HTTP status.
        code: u16,
        /// Its usual name.
        reason: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// It wants a credential, or refuses the one that was sent.
    #[error("{code} {reason}: {}", match credential {
        Some(from) => format!("it refuses the credential of {from}"),
        None => "it wants a credential, and none is known for it".to_owned(),
    })]
    Denied {
        /// The HTTP status.
        code: u16,
        /// Its usual name.
        reason: String,
        /// Where the credential that was sent is from.
        credential: Option<Arc<str>>,
    },
    /// No connection was made.
    #[error("{0}")]
    Unreachable(String),
    /// It accepted the connection and sent nothing more.
    #[error("nothing came for {} s", .0.as_secs_f32())]
    Silent(Duration),
    /// It sends too slowly for the file ever to be complete.
    #[error("hardly anything came for {} s", .0.as_secs())]
    TooSlow(Duration),
    /// It closed the connection before or during its answer.
    #[error("the connection was reset")]
    Reset,
    /// The file ended early.
    #[error("cut short: {got} of {expected} bytes came")]
    Truncated {
        /// What came, in bytes.
        got: u64,
        /// What was announced, in bytes.
        expected: u64,
    },
    /// A web page instead of the file.
    #[error("a web page instead of the file (a login page of the network?)")]
    WebPage,
    /// The file can't be read.
    #[error("unreadable: {0}")]
    Unreadable(String),
    /// The file's size isn't that of the record.
    #[error("wrong size: expected {expected} bytes, got {got}")]
    WrongSize {
        /// What the record says, in bytes.
        expected: u64,
        /// What came, in bytes.
        got: u64,
    },
    /// The file's digest isn't that of the record.
    #[error("wrong sha256: expected {expected}, got {got}")]
    WrongChecksum {
        /// What the record says.
        expected: String,
        /// What came.
        got: String,
    },
    /// A redirect that isn't followed.
    #[error("a redirect that isn't followed: {0}")]
    Redirect(String),
    /// Its host is suspended for this run, for this reason.
    #[error("not asked again in this run: {0}")]
    Suspended(String),
}

impl SourceError {
    /// Whether it only says that the file isn't there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// Whether a short pause is likely to help.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Reset | Self::Status { code: 429 | 500..=599, .. })
    }

    /// Whether a request for another file of the same host would fail in the same way.
    pub(crate) fn is_about_the_host(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::Silent(_) | Self::TooSlow(_) | Self::Suspended(_)
        )
    }
}

/// Why a download failed.
#[derive(Debug)]
pub(crate) enum DownloadError {
    /// The source failed; another may deliver.
    Source(SourceError),
    /// The file can't be written; no other source would help.
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

/// A source that was asked for a file and didn't deliver it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The address, without credentials.
    pub url: String,
    /// Why it didn't deliver.
    pub error: SourceError,
}

impl Attempt {
    /// One line for a note.
    pub(crate) fn line(&self) -> String {
        format!("{}: {}", self.url, self.error)
    }
}

/// The help after these attempts. Waiting doesn't help where every source that has the file
/// refuses it.
pub(crate) fn help_for<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> String {
    const ANOTHER: &str = "name another source with `--mirror PREFIX=URL`";
    let told = |attempt: &&Attempt| {
        !matches!(attempt.error, SourceError::Absent(_) | SourceError::Suspended(_))
    };
    let is_refusal = |answer: &SourceError| {
        matches!(answer, SourceError::Denied { .. } | SourceError::Status { code: 401 | 403, .. })
    };
    let told: Vec<&SourceError> = attempts.filter(told).map(|attempt| &attempt.error).collect();
    if told.is_empty() || !told.iter().all(|answer| is_refusal(answer)) {
        return format!("try again later or {ANOTHER}");
    }
    let denied = told.iter().find_map(|answer| match answer {
        SourceError::Denied { credential, .. } => Some(credential.as_deref()),
        _ => None,
    });
    match denied {
        Some(Some(from)) => format!("correct the credential of {from}, or {ANOTHER}"),
        Some(None) => format!("put a credential for it into ~/.netrc, or {ANOTHER}"),
        None => format!("it lets nobody in from here: {ANOTHER}"),
    }
}

/// All attempts, a line each, as one indented note.
pub(crate) fn list_attempts(attempts: &[Attempt]) -> String {
    attempts.iter().map(|attempt| format!("  {}", attempt.line())).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(answers: Vec<SourceError>) -> String {
        let attempts: Vec<_> = answers
            .into_iter()
            .map(|answer| Attempt { url: "https://h/".into(), error: answer })
            .collect();
        help_for(attempts.iter())
    }

    #[test]
    fn time_is_no_help_against_a_refusal() {
        let status = |code| SourceError::Status { code, reason: String::new(), retry_after: None };
        let denied = |credential: Option<&str>| SourceError::Denied {
            code: 401,
            reason: String::new(),
            credential: credential.map(Arc::from),
        };
        let absent = || SourceError::Absent("404 not found".into());
        assert!(help(vec![status(403), absent()]).starts_with("it lets nobody in from here: "));
        assert!(help(vec![denied(None)]).contains("~/.netrc"));
        let wrong = help(vec![status(403), denied(Some("ENVLOCK_TOKEN"))]);
        assert!(wrong.starts_with("correct the credential of ENVLOCK_TOKEN, or "), "{wrong}");
        for passing in [vec![status(403), status(503)], vec![SourceError::Reset], vec![absent()]] {
            assert!(help(passing.clone()).starts_with("try again later or "), "{passing:?}");
        }
    }
}
