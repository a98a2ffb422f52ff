//! The ways in which a mirror, or what stands before one, misbehaves.

use std::time::Duration;

use bytes::Bytes;

/// What happens to one request instead of the right answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status with these headers (`retry-after`, `location`, …) and a short text.
    Status(u16, Vec<(&'static str, String)>),
    /// The right headers and so many bytes of the body; then the connection is closed.
    Truncate(usize),
    /// The right length with wrong bytes.
    Corrupt,
    /// 200 with other content.
    Bytes(Bytes),
    /// 200 with the page of a network that wants one to log in.
    Html,
    /// The right headers and so many bytes of the body; then nothing more comes, and the
    /// connection stays open.
    Stall(usize),
    /// What another fault sends, or the right answer, so many bytes at a time.
    Slow {
        /// The other fault; none for the right answer.
        fault: Option<Box<Fault>>,
        /// How slowly.
        pace: Pace,
    },
    /// Nothing is ever answered, and the connection stays open.
    Hang,
    /// The connection is closed without an answer.
    Close,
}

/// How slowly a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// In bytes.
    pub chunk: usize,
    /// Before each chunk.
    pub pause: Duration,
}

impl Fault {
    pub(super) const PAGE: &'static str =
        "<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in first.</body></html>";

    /// A status without further headers.
    pub fn status(code: u16) -> Self {
        Self::Status(code, Vec::new())
    }

    /// The right answer at this pace.
    pub fn slow(pace: Pace) -> Self {
        Self::Slow { fault: None, pace }
    }

    /// The same at this pace.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self::Slow { fault: Some(Box::new(self)), pace }
    }
}
