//! Classifies the errors of HTTP libraries by the reason why there is no connection.
//!
//! The libraries give most reasons as English text only. Only this file matches that text.

use std::error::Error;
use std::fmt;
use std::io;

/// The reason why there is no connection. Its `Display` is a clause such as "the connection was
/// refused".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoConnection {
    /// The host refused the connection.
    Refused,
    /// The host reset the connection at once.
    Reset,
    /// The network has no route to the host.
    Unreachable,
    /// The host's name can't be resolved.
    UnknownHost,
    /// A proxy refused to connect to the host.
    ProxyRefused {
        /// Whether it wants a user and a password.
        wants_password: bool,
    },
    /// The host doesn't use TLS.
    NotTls,
    /// The host's certificate isn't accepted.
    Untrusted(TrustProblem),
    /// The host ended the TLS handshake by an alert, as the library's text.
    TlsAlert(String),
    /// Another reason, as the library's text.
    Other(String),
}

/// Why a certificate isn't accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustProblem {
    /// Its issuer isn't trusted by this machine.
    UnknownIssuer,
    /// It is a certificate authority's certificate.
    IsCertificateAuthority,
    /// It is for another host name.
    WrongHostName,
    /// It has expired.
    Expired,
    /// It isn't valid yet.
    NotYetValid,
    /// Another reason, as the library's text.
    Other(String),
}

impl NoConnection {
    /// Classifies an error by its chain of causes.
    pub fn from_error(error: &(dyn Error + 'static)) -> Self {
        let cause = root_cause(error);
        match io_kind(error) {
            Some(io::ErrorKind::ConnectionRefused) => return Self::Refused,
            Some(io::ErrorKind::ConnectionReset) => return Self::Reset,
            Some(io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
                return Self::Unreachable;
            }
            _ => {}
        }
        let tunnel =
            chain(error).map(ToString::to_string).find(|text| text.contains("tunnel error"));
        if let Some(text) = tunnel {
            return Self::ProxyRefused { wants_password: text.contains("authorization") };
        }
        if cause.contains("lookup address")
            || chain(error).any(|error| error.to_string().contains("dns error"))
        {
            return Self::UnknownHost;
        }
        if cause.contains("InvalidContentType") {
            return Self::NotTls;
        }
        if let Some(problem) = TrustProblem::from_error(error) {
            return Self::Untrusted(problem);
        }
        if cause.contains("fatal alert") {
            return Self::TlsAlert(cause);
        }
        Self::Other(cause)
    }
}

impl TrustProblem {
    /// Classifies an error about a certificate. `None` if the error has another cause.
    pub fn from_error(error: &(dyn Error + 'static)) -> Option<Self> {
        let cause = root_cause(error);
        let has = |words: &[&str]| words.iter().any(|word| cause.contains(word));
        if !has(&["certificate"]) {
            return None;
        }
        Some(if has(&["UnknownIssuer"]) {
            Self::UnknownIssuer
        } else if has(&["CaUsedAsEndEntity"]) {
            Self::IsCertificateAuthority
        } else if has(&["NotValidForName", "not valid for name"]) {
            Self::WrongHostName
        } else if has(&["xpired"]) {
            Self::Expired
        } else if has(&["NotValidYet", "not valid yet"]) {
            Self::NotYetValid
        } else {
            Self::Other(cause)
        })
    }
}

impl fmt::Display for NoConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("the connection was refused"),
            Self::Reset => f.write_str("the connection was reset at once"),
            Self::Unreachable => f.write_str("the network has no route to the host"),
            Self::UnknownHost => f.write_str("DNS has no address for the host name"),
            Self::ProxyRefused { wants_password: false } => {
                f.write_str("the proxy refused to connect to it")
            }
            Self::ProxyRefused { wants_password: true } => {
                f.write_str("the proxy wants a user and a password")
            }
            Self::NotTls => f.write_str("the host answers without TLS (does it use http?)"),
            Self::Untrusted(problem) => problem.fmt(f),
            Self::TlsAlert(cause) | Self::Other(cause) => write!(f, "no connection: {cause}"),
        }
    }
}

impl fmt::Display for TrustProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its TLS certificate ")?;
        match self {
            Self::UnknownIssuer => f.write_str(
                "is signed by an authority that this machine doesn't trust (SSL_CERT_FILE names a \
                 file of trusted ones)",
            ),
            Self::IsCertificateAuthority => f.write_str(
                "is a certificate authority's, not a server's (the authority must sign a \
                 certificate for the server)",
            ),
            Self::WrongHostName => f.write_str("is for another host name"),
            Self::Expired => f.write_str("has expired"),
            Self::NotYetValid => f.write_str("isn't valid yet (is this machine's clock right?)"),
            Self::Other(cause) => write!(f, "isn't accepted: {cause}"),
        }
    }
}

/// Returns the kind of the innermost IO error in the chain of causes.
pub fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind).last()
}

/// Returns the message of the root cause.
pub fn root_cause(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(io::Error);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the request failed")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_root_cause_gives_the_reason() {
        let refused = Outer(io::ErrorKind::ConnectionRefused.into());
        assert_eq!(NoConnection::from_error(&refused), NoConnection::Refused);
        assert_eq!(NoConnection::from_error(&refused).to_string(), "the connection was refused");
        assert_eq!(TrustProblem::from_error(&refused), None);
        let of = |cause: &str| {
            NoConnection::from_error(&Outer(io::Error::new(io::ErrorKind::InvalidData, cause)))
        };
        let untrusted = of("invalid peer certificate: UnknownIssuer");
        assert_eq!(untrusted, NoConnection::Untrusted(TrustProblem::UnknownIssuer));
        assert!(untrusted.to_string().contains("doesn't trust"));
        assert_eq!(of("failed to lookup address information"), NoConnection::UnknownHost);
        for (cause, problem) in [
            ("certificate not valid for name \"a\"", TrustProblem::WrongHostName),
            ("invalid peer certificate: Expired", TrustProblem::Expired),
            ("invalid peer certificate: NotValidYet", TrustProblem::NotYetValid),
            ("invalid peer certificate: Odd", {
                TrustProblem::Other("invalid peer certificate: Odd".into())
            }),
        ] {
            assert_eq!(of(cause), NoConnection::Untrusted(problem));
        }
        assert_eq!(
            of("received fatal alert: X"),
            NoConnection::TlsAlert("received fatal alert: X".into())
        );
        assert_eq!(of("odd"), NoConnection::Other("odd".into()));
    }
}
