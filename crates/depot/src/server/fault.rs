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
    /// The right answer, so many bytes at a time with a pause before each.
    Slow {
        /// In bytes.
        chunk: usize,
        /// Before each chunk.
        pause: Duration,
    },
    /// Nothing is ever answered, and the connection stays open.
    Hang,
    /// The connection is closed without an answer.
    Close,
}

impl Fault {
    pub(super) const PAGE: &'static str =
        "<!DOCTYPE html><html><head><title>Log in</title></head><body>Log in first.</body></html>";

    /// A status without further headers.
    pub fn status(code: u16) -> Self {
        Self::Status(code, Vec::new())
    }
}
