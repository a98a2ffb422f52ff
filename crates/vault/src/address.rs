//! The address of the server.

use std::fmt;

use envlock_report::{AsFindings, Code, Exit, Finding};
use url::{Host, Url};

use crate::AddressFault;

/// The variable with the name that the certificate must have.
const SERVER_NAME: &str = "VAULT_TLS_SERVER_NAME";

/// The address of a server, parsed and checked: `http` or `https`, a host, no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: Url,
}

/// Why an address can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It isn't a valid address.
    #[error("{variable} isn't the address of a server: {reason}")]
    Invalid {
        /// The variable.
        variable: &'static str,
        /// The reason. It doesn't have the text, which may contain a credential.
        reason: AddressFault,
    },
    /// The name that the certificate must have isn't valid.
    #[error("{variable} isn't a valid name: {reason}", variable = SERVER_NAME)]
    ServerName {
        /// The reason.
        reason: AddressFault,
    },
    /// It is `http`, and the server isn't on this machine, or the profile doesn't allow it.
    #[error("{address} would be used without TLS")]
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
            Self::ServerName { .. } => Code::ServerVariableInvalid,
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
            Self::ServerName { .. } => finding.with_help("write the host name of its certificate"),
            Self::Plaintext { loopback: true, .. } => finding.with_help(
                "use https, or set `allow_plaintext_loopback: true` in the profile for a \
                development server",
            ),
            Self::Plaintext { loopback: false, .. } => finding
                .with_note("without TLS the network can read the login and the token")
                .with_help("use https; set VAULT_CACERT for a private certificate authority"),
        }]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Address {
    /// Parses `text`, the value of `variable`.
    pub fn parse(variable: &'static str, text: &str) -> Result<Self, AddressError> {
        let invalid = |reason: AddressFault| AddressError::Invalid { variable, reason };
        let url = Url::parse(text.trim()).map_err(|error| invalid(error.into()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid(AddressFault::Scheme));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(AddressFault::UserInfo));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid(AddressFault::QueryOrFragment));
        }
        if url.path().trim_end_matches('/').ends_with("/v1") {
            return Err(invalid(AddressFault::ApiVersion));
        }
        Ok(Self { url })
    }

    /// Checks that the address may be used: `http` only for this machine, and only if that is allowed.
    pub(crate) fn check_scheme(&self, plaintext: bool) -> Result<&Self, AddressError> {
        let loopback = self.is_loopback();
        if self.is_https() || (plaintext && loopback) {
            return Ok(self);
        }
        Err(AddressError::Plaintext { address: self.to_string(), loopback })
    }

    /// Whether TLS is used.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is an address of this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Scheme, host and port, without a final slash.
    pub(crate) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The path before `/v1/`: empty, or with a leading slash.
    pub(crate) fn prefix(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Host and port of the connection.
    pub(crate) fn host(&self) -> (&str, u16) {
        let port = self.url.port_or_known_default().unwrap_or(443);
        (self.url.host_str().unwrap_or_default(), port)
    }

    /// Replaces the host name by the name in the certificate.
    pub(crate) fn with_certificate_name(&self, name: &str) -> Result<Self, AddressError> {
        let mut url = self.url.clone();
        match url.set_host(Some(name)) {
            Ok(()) => Ok(Self { url }),
            Err(_) => Err(AddressError::ServerName { reason: AddressFault::ServerName }),
        }
    }

    /// Whether the redirect target `location` has the same scheme, host and port.
    pub(crate) fn is_origin_of(&self, location: &Url) -> bool {
        self.url.origin() == location.origin()
    }

    /// Resolves the `location` of a redirect.
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
    fn an_invalid_address_is_not_repeated_in_the_error() {
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
    fn plain_http_is_accepted_only_for_this_machine_and_only_if_allowed() {
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
