//! What went wrong with a request, from the library's error to an [`Answer`] in words.

use std::io;
use std::time::Duration;

use envlock_report::connection::{NoConnection, innermost, io_kind};

use crate::answer::Answer;

/// The error of a request that got no answer.
pub(crate) fn of_request(error: &reqwest::Error, connect: Duration, idle: Duration) -> Answer {
    if error.is_redirect() {
        return Answer::Redirect(innermost(error));
    }
    if error.is_connect() {
        let reason = if error.is_timeout() {
            format!("no connection within {} s", connect.as_secs_f32())
        } else {
            NoConnection::of(error).to_string()
        };
        return Answer::Unreachable(reason);
    }
    if error.is_timeout() { Answer::Silent(idle) } else { Answer::Reset }
}

/// The error of an answer that broke off.
pub(crate) fn of_body(
    error: &reqwest::Error,
    got: u64,
    length: Option<u64>,
    idle: Duration,
) -> Answer {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    if error.is_timeout() {
        return Answer::Silent(idle);
    }
    match (io_kind(error), length) {
        (Some(ConnectionReset | ConnectionAborted | BrokenPipe), _) => Answer::Reset,
        (_, Some(expected)) => Answer::Truncated { got, expected },
        _ => Answer::Unreadable(format!("the answer broke off after {got} bytes")),
    }
}
