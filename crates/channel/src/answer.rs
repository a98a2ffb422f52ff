//! What a source answered when it didn't deliver, in words, and what was tried where.

use std::sync::Arc;
use std::time::Duration;

use crate::disk::DiskError;

/// Why a source didn't deliver. Its `Display` completes "the mirror answered: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Answer {
    /// It doesn't have the file.
    #[error("{0}")]
    Absent(String),
    /// Another status than success.
    #[error("{code} {reason}")]
    Status {
        /// The HTTP status.
        code: u16,
        /// Its usual name.
        reason: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// It wants a credential, or another one.
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
    /// No connection came about.
    #[error("{0}")]
    Unreachable(String),
    /// It accepted the connection and fell silent.
    #[error("nothing came for {} s", .0.as_secs_f32())]
    Silent(Duration),
    /// It sends so little that the file would never be whole.
    #[error("hardly anything came for {} s", .0.as_secs())]
    Crawling(Duration),
    /// It closed the connection without an answer, or in the middle of one.
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
    /// It can't be read as what it should be.
    #[error("unreadable: {0}")]
    Unreadable(String),
    /// Another file than the one of the record.
    #[error("wrong size: expected {expected} bytes, got {got}")]
    WrongSize {
        /// What the record says, in bytes.
        expected: u64,
        /// What came, in bytes.
        got: u64,
    },
    /// Another file than the one of the record.
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
    /// It isn't asked any more in this run.
    #[error("not asked again in this run: {0}")]
    PutAside(String),
}

impl Answer {
    /// Whether it only says that the file isn't there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// Whether a short pause is likely to help.
    pub(crate) fn may_pass_soon(&self) -> bool {
        matches!(self, Self::Reset | Self::Status { code: 429 | 500..=599, .. })
    }

    /// Whether a request for another file of the same host would end alike, now.
    pub(crate) fn concerns_the_host(&self) -> bool {
        matches!(
            self,
            Self::Unreachable(_) | Self::Silent(_) | Self::Crawling(_) | Self::PutAside(_)
        )
    }
}

/// Why something didn't come from a source.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The source didn't deliver; another may.
    Source(Answer),
    /// It couldn't be written down; no other source would help.
    Disk(DiskError),
}

impl From<Answer> for Failure {
    fn from(answer: Answer) -> Self {
        Self::Source(answer)
    }
}

impl From<DiskError> for Failure {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// One source that was asked for something and didn't deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The address, without credentials.
    pub url: String,
    /// What it answered.
    pub answer: Answer,
}

impl Attempt {
    /// One line for a note.
    pub(crate) fn line(&self) -> String {
        format!("{}: {}", self.url, self.answer)
    }
}

/// What is likely to help after these attempts. Time is no help where every source that has
/// it refuses.
pub(crate) fn what_helps<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> String {
    const ANOTHER: &str = "name another source with `--mirror PREFIX=URL`";
    let told =
        |attempt: &&Attempt| !matches!(attempt.answer, Answer::Absent(_) | Answer::PutAside(_));
    let is_refusal = |answer: &Answer| {
        matches!(answer, Answer::Denied { .. } | Answer::Status { code: 401 | 403, .. })
    };
    let told: Vec<&Answer> = attempts.filter(told).map(|attempt| &attempt.answer).collect();
    if told.is_empty() || !told.iter().all(|answer| is_refusal(answer)) {
        return format!("try again later or {ANOTHER}");
    }
    let denied = told.iter().find_map(|answer| match answer {
        Answer::Denied { credential, .. } => Some(credential.as_deref()),
        _ => None,
    });
    match denied {
        Some(Some(from)) => format!("correct the credential of {from}, or {ANOTHER}"),
        Some(None) => format!("put a credential for it into ~/.netrc, or {ANOTHER}"),
        None => format!("it lets nobody in from here: {ANOTHER}"),
    }
}

/// All attempts, a line each, as one indented note.
pub(crate) fn tried(attempts: &[Attempt]) -> String {
    attempts.iter().map(|attempt| format!("  {}", attempt.line())).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(answers: Vec<Answer>) -> String {
        let attempts: Vec<_> = answers
            .into_iter()
            .map(|answer| Attempt { url: "https://h/".into(), answer })
            .collect();
        what_helps(attempts.iter())
    }

    #[test]
    fn time_is_no_help_against_a_refusal() {
        let status = |code| Answer::Status { code, reason: String::new(), retry_after: None };
        let denied = |credential: Option<&str>| Answer::Denied {
            code: 401,
            reason: String::new(),
            credential: credential.map(Arc::from),
        };
        let absent = || Answer::Absent("404 not found".into());
        assert!(help(vec![status(403), absent()]).starts_with("it lets nobody in from here: "));
        assert!(help(vec![denied(None)]).contains("~/.netrc"));
        let wrong = help(vec![status(403), denied(Some("ENVLOCK_TOKEN"))]);
        assert!(wrong.starts_with("correct the credential of ENVLOCK_TOKEN, or "), "{wrong}");
        for passing in [vec![status(403), status(503)], vec![Answer::Reset], vec![absent()]] {
            assert!(help(passing.clone()).starts_with("try again later or "), "{passing:?}");
        }
    }
}
