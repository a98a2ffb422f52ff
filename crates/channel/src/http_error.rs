//! Converts errors of the HTTP library to a [`SourceError`].

use std::io;
use std::time::Duration;

use envlock_report::connection::{NoConnection, io_kind, root_cause};

use crate::source_error::SourceError;

/// Converts the error of a request without a response.
pub(crate) fn from_request(
    error: &reqwest::Error,
    connect: Duration,
    idle: Duration,
) -> SourceError {
    if error.is_redirect() {
        return SourceError::Redirect(root_cause(error));
    }
    if error.is_connect() {
        let reason = if error.is_timeout() {
            format!("no connection within {} s", connect.as_secs_f32())
        } else {
            NoConnection::from_error(error).to_string()
        };
        return SourceError::Unreachable(reason);
    }
    if error.is_timeout() { SourceError::NoProgress(idle) } else { SourceError::Reset }
}

/// Converts the error of an incomplete response body.
pub(crate) fn from_body(
    error: &reqwest::Error,
    got: u64,
    length: Option<u64>,
    idle: Duration,
) -> SourceError {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    if error.is_timeout() {
        return SourceError::NoProgress(idle);
    }
    match (io_kind(error), length) {
        (Some(ConnectionReset | ConnectionAborted | BrokenPipe), _) => SourceError::Reset,
        (_, Some(expected)) => SourceError::Truncated { got, expected },
        _ => SourceError::Unreadable(format!("the response ended after {got} bytes")),
    }
}
