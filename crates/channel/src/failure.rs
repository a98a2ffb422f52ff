//! What went wrong with a request, from the library's error to an [`Answer`] in words.

use std::error::Error;
use std::io;
use std::time::Duration;

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
            unreachable(error)
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

/// Why no connection came about.
fn unreachable(error: &reqwest::Error) -> String {
    let cause = innermost(error);
    match io_kind(error) {
        Some(io::ErrorKind::ConnectionRefused) => return "the connection was refused".into(),
        Some(io::ErrorKind::ConnectionReset) => return "the connection was reset at once".into(),
        Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            return "there is no way to it through the network".into();
        }
        _ => {}
    }
    if cause.contains("lookup address")
        || chain(error).any(|error| error.to_string().contains("dns error"))
    {
        return "its name isn't known to the network (DNS)".into();
    }
    if cause.contains("certificate") {
        return certificate(&cause);
    }
    format!("no connection: {cause}")
}

fn certificate(cause: &str) -> String {
    let why = if cause.contains("UnknownIssuer") {
        "is signed by an authority that this machine doesn't trust (SSL_CERT_FILE names a file of trusted ones)"
    } else if cause.contains("CaUsedAsEndEntity") {
        "is that of an authority and not that of a server: let the one sign the other"
    } else if cause.contains("NotValidForName") || cause.contains("not valid for name") {
        "is made out to another name"
    } else if cause.contains("xpired") {
        "has expired"
    } else if cause.contains("NotValidYet") || cause.contains("not valid yet") {
        "isn't valid yet (is this machine's clock right?)"
    } else {
        return format!("its TLS certificate isn't accepted: {cause}");
    };
    format!("its TLS certificate {why}")
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind).last()
}

/// The message of the first cause.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}
