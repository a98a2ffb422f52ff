//! Where the server is.

use std::fmt;

use envlock_report::{AsFindings, Code, Exit, Finding};
use url::{Host, Url};

/// The address of a server, parsed and checked: `http` or `https`, a host, no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
}

/// Why an address can't be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It can't be read.
    #[error("{variable} holds no address of a server: {reason}")]
    Invalid {
        /// The variable that holds it.
        variable: &'static str,
        /// Why not. The text itself isn't told: it may hold a credential.
        reason: String,
    },
    /// It is `http`, and the server isn't this machine, or the profile doesn't allow it.
    #[error("{address} would be asked without TLS")]
    Plaintext {
        /// The address.
        address: String,
        /// Whether it is this machine, so that the profile may allow it.
        loopback: bool,
    },
}

impl AddressError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Invalid { .. } => Code::WrongAddress,
            Self::Plaintext { .. } => Code::Plaintext,
        }
    }
}

impl AsFindings for AddressError {
    fn findings(&self) -> Vec<Finding> {
        let message = self.to_string();
        let finding = Finding::new(self.code(), message);
        vec![match self {
            Self::Invalid { .. } => finding.with_help("write it as https://vault.example.com:8200"),
            Self::Plaintext { loopback: true, .. } => finding.with_help(
                "use https, or let the profile say `allow_plaintext_loopback: true` for a \
                     development server",
            ),
            Self::Plaintext { loopback: false, .. } => finding
                .with_note("whoever is on the way could read the login and the token")
                .with_help("use https; an own authority goes into VAULT_CACERT"),
        }]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Address {
    /// Reads the address that `variable` holds.
    pub fn parse(variable: &'static str, text: &str) -> Result<Self, AddressError> {
        let wrong = |reason: &str| AddressError::Invalid { variable, reason: reason.to_owned() };
        let text = text.trim();
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("it must start with https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it has a user name or password in it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has a `?` or `#` in it"));
        }
        if url.path().trim_end_matches('/').ends_with("/v1") {
            return Err(wrong("it ends before `/v1`, which is added by itself"));
        }
        Ok(Self { url })
    }

    /// The address, if it may be asked: `http` only of this machine, and where that is allowed.
    pub(crate) fn check_scheme(&self, plaintext: bool) -> Result<&Self, AddressError> {
        let loopback = self.is_loopback();
        if self.is_https() || (plaintext && loopback) {
            return Ok(self);
        }
        Err(AddressError::Plaintext { address: self.to_string(), loopback })
    }

    /// Whether it is asked with TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is this machine itself.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Scheme, host and port, without a slash at the end.
    pub(crate) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// What stands before `/v1/` in every path: empty, or with a slash at its start.
    pub(crate) fn prefix(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Host and port, to connect to.
    pub(crate) fn host(&self) -> (&str, u16) {
        let port = self.url.port_or_known_default().unwrap_or(443);
        (self.url.host_str().unwrap_or_default(), port)
    }

    /// The same with another host name: the one that the certificate is made out to.
    pub(crate) fn with_host(&self, name: &str) -> Result<Self, AddressError> {
        let mut url = self.url.clone();
        let changed = url.set_host(Some(name));
        changed.map(|()| Self { url }).map_err(|error| AddressError::Invalid {
            variable: "VAULT_TLS_SERVER_NAME",
            reason: error.to_string(),
        })
    }

    /// Whether `location`, of a redirect, is at the same scheme, host and port.
    pub(crate) fn is_origin_of(&self, location: &Url) -> bool {
        self.url.origin() == location.origin()
    }

    /// `location` of a redirect as an address of its own.
    pub(crate) fn resolve(&self, path: &str, location: &str) -> Option<Url> {
        self.url.join(path).ok()?.join(location).ok()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.prefix())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, AddressError> {
        Address::parse("VAULT_ADDR", text)
    }

    #[test]
    fn an_address_is_read_or_refused_without_being_repeated() {
        let address = parse(" https://vault.example.com:8200/below/ \n").unwrap();
        assert_eq!(address.to_string(), "https://vault.example.com:8200/below");
        assert_eq!((address.prefix(), address.host().1), ("/below", 8200));
        for bad in
            ["", "vault:8200", "ftp://a", "https://u:canary@a", "https://a?x", "https://a/v1"]
        {
            let error = parse(bad).unwrap_err().to_string();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_and_only_where_it_is_allowed() {
        for (text, allowed, fits) in [
            ("http://127.0.0.1:8200", true, true),
            ("http://[::1]:8200", true, true),
            ("http://localhost:8200", true, true),
            ("http://127.0.0.1:8200", false, false),
            ("http://vault.internal", true, false),
            ("http://127.0.0.1.example.com", true, false),
            ("https://vault.internal", false, true),
        ] {
            let address = parse(text).unwrap();
            assert_eq!(address.check_scheme(allowed).is_ok(), fits, "{text} {allowed}");
        }
    }
}
