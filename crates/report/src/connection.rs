//! Why no connection came about, in words: from the chain of errors of whatever library.

use std::error::Error;
use std::io;

/// The reason of an error that says no more than that there is no connection.
pub fn why_no_connection(error: &(dyn Error + 'static)) -> String {
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
    if cause.contains("InvalidContentType") {
        return "what answers doesn't speak TLS (is it http?)".into();
    }
    why_no_trust(error).unwrap_or_else(|| format!("no connection: {cause}"))
}

/// The reason, where the server's certificate is it.
pub fn why_no_trust(error: &(dyn Error + 'static)) -> Option<String> {
    let cause = innermost(error);
    if !cause.contains("certificate") {
        return None;
    }
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
        return Some(format!("its TLS certificate isn't accepted: {cause}"));
    };
    Some(format!("its TLS certificate {why}"))
}

/// What kind of input or output failed, where one did.
pub fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    chain(error).filter_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind).last()
}

/// The message of the first cause.
pub fn innermost(error: &(dyn Error + 'static)) -> String {
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

    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the request failed")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_innermost_cause_gives_the_words() {
        let refused = Outer(io::ErrorKind::ConnectionRefused.into());
        assert_eq!(why_no_connection(&refused), "the connection was refused");
        assert_eq!(why_no_trust(&refused), None);
        let cause = "invalid peer certificate: UnknownIssuer";
        let untrusted = Outer(io::Error::new(io::ErrorKind::InvalidData, cause));
        assert!(why_no_connection(&untrusted).contains("doesn't trust"));
        let unknown = Outer(io::Error::other("failed to lookup address information"));
        assert!(why_no_connection(&unknown).contains("DNS"));
    }
}
