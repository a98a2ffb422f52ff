//! The faults of a mirror or of a proxy before it.

use std::time::Duration;

use bytes::Bytes;

/// A fault: what is sent instead of the right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status with these headers (`retry-after`, `location`, …) and a short text.
    Status(u16, Vec<(&'static str, String)>),
    /// The right headers and this many bytes of the body; then the connection is closed.
    Truncate(usize),
    /// The right answer with these headers (`cache-control`, …), instead of those of the same name.
    Headers(Vec<(&'static str, String)>),
    /// The right answer, always whole: ranges aren't supported.
    NoRanges,
    /// The right length with wrong bytes.
    Corrupt,
    /// 200 with other content.
    Bytes(Bytes),
    /// 200 with this content and this `Content-Encoding`.
    Encoded(&'static str, Bytes),
    /// 200 with the login page of a captive portal.
    Html,
    /// The right headers and this many bytes of the body; then nothing more is sent, and the
    /// connection stays open.
    Stall(usize),
    /// Another fault or the right answer, slowly.
    Slow {
        /// The other fault; none for the right answer.
        fault: Option<Box<Fault>>,
        /// The speed.
        pace: Pace,
    },
    /// No answer, and the connection stays open.
    Hang,
    /// The connection is closed without an answer.
    Close,
}

/// The speed at which a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The size of a chunk, in bytes.
    pub chunk: usize,
    /// The pause before each chunk.
    pub pause: Duration,
}

impl Fault {
    /// The page of a captive portal.
    pub(super) const LOGIN_PAGE: &'static str =
        "<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in first.</body></html>";

    /// Creates a status without further headers.
    pub fn status(code: u16) -> Self {
        Self::Status(code, Vec::new())
    }

    /// Creates the right answer, sent at this pace.
    pub fn slow(pace: Pace) -> Self {
        Self::Slow { fault: None, pace }
    }

    /// Returns the same fault, sent at this pace.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self::Slow { fault: Some(Box::new(self)), pace }
    }
}
