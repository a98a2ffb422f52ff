//! Reads the variables of Vault and OpenBao: the server and its connection.

use std::time::Duration;

use envlock_pipeline::check_secrets::{
    Address, AddressError, ClientIdentity, RetryPolicy, Secret, VaultSettings,
};
use envlock_report::{AsFindings, Code, Exit, Finding};

use super::{
    ProcessEnvironment, VERSION,
    certificates::{UnusableFile, certificate_variable_error, read_certificates},
};

/// The default time limit of one answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Why the variables can't be used.
#[derive(Debug)]
pub(crate) enum VaultSettingsError {
    /// No variable names a server.
    NoAddress,
    /// Two variables name two servers.
    TwoAddresses,
    /// A variable isn't an address.
    Address(AddressError),
    /// A variable disables the verification of certificates.
    Insecure(String),
    /// A file that a variable names can't be read.
    File { variable: String, path: String, reason: String },
    /// A certificate without a key, or the reverse.
    IncompleteClientIdentity,
    /// The timeout isn't a number of seconds.
    Timeout { variable: String, text: String },
    /// The namespace contains a line break, which would end the header.
    Namespace(String),
}

impl std::fmt::Display for VaultSettingsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoAddress => f.write_str("no secrets server is configured"),
            Self::TwoAddresses => f.write_str("VAULT_ADDR and BAO_ADDR name two servers"),
            Self::Address(error) => error.fmt(f),
            Self::Insecure(variable) => {
                write!(
                    f,
                    "{variable} disables the verification, and certificates are always verified"
                )
            }
            Self::File { variable, path, reason } => {
                write!(f, "{variable} names {path}, which can't be used: {reason}")
            }
            Self::IncompleteClientIdentity => {
                f.write_str("a client certificate and its key must be named together")
            }
            Self::Timeout { variable, text } => {
                write!(f, "{variable} isn't a number of seconds: {text}")
            }
            Self::Namespace(variable) => {
                write!(f, "{variable} isn't a namespace: it contains a line break")
            }
        }
    }
}

impl std::error::Error for VaultSettingsError {}

impl AsFindings for VaultSettingsError {
    fn findings(&self) -> Vec<Finding> {
        let (code, help) = match self {
            Self::NoAddress => (
                Code::NoAddress,
                "set VAULT_ADDR (or BAO_ADDR), or check only the policies: `--offline`",
            ),
            Self::TwoAddresses => (Code::TwoAddresses, "unset one of them"),
            Self::Address(error) => return error.findings(),
            Self::Insecure(_) => {
                (Code::InsecureTls, "unset it, and name the authority: VAULT_CACERT=FILE")
            }
            Self::File { .. } => (Code::TlsUntrusted, "correct the path, or unset the variable"),
            Self::IncompleteClientIdentity => {
                (Code::ClientCertificateUnusable, "set both VAULT_CLIENT_CERT and VAULT_CLIENT_KEY")
            }
            Self::Timeout { .. } => {
                (Code::ServerVariableInvalid, "write a number of seconds, such as 60s")
            }
            Self::Namespace(_) => {
                (Code::ServerVariableInvalid, "write the path of the namespace into it")
            }
        };
        vec![Finding::new(code, self.to_string()).with_help(help)]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// Returns the settings of the server that the variables name.
pub(crate) fn settings(
    environment: &ProcessEnvironment,
) -> Result<VaultSettings, VaultSettingsError> {
    let variables = Variables(environment);
    if let Some((name, value)) = variables.get("SKIP_VERIFY")
        && !matches!(value.to_lowercase().as_str(), "0" | "f" | "false")
    {
        return Err(VaultSettingsError::Insecure(name));
    }
    let client_certificate = match (variables.file("CLIENT_CERT")?, variables.file("CLIENT_KEY")?) {
        (Some(certificate), Some(key)) => {
            let key = String::from_utf8_lossy(&key).into_owned();
            Some(ClientIdentity { certificate, key: Secret::new(key) })
        }
        (None, None) => None,
        _ => return Err(VaultSettingsError::IncompleteClientIdentity),
    };
    let address = variables.address()?;
    Ok(VaultSettings {
        namespace: variables.namespace()?,
        authorities: variables.authorities(address.is_https())?,
        address,
        server_name: variables.get("TLS_SERVER_NAME").map(|(_, value)| value),
        client_certificate,
        proxy: variables.proxy(),
        user_agent: format!("envlock/{VERSION}"),
        timeout: variables.timeout()?,
        retry_policy: RetryPolicy::default(),
        now: environment.now,
    })
}

/// The namespace of a profile that names none; `None` if the variable isn't set.
pub(crate) fn namespace(environment: &ProcessEnvironment) -> Option<String> {
    Variables(environment).namespace().ok().flatten()
}

struct Variables<'a>(&'a ProcessEnvironment);

impl Variables<'_> {
    /// Reads a variable. `BAO_` takes precedence over `VAULT_`. An empty variable counts as unset,
    /// because CI services set missing values to an empty text.
    fn get(&self, name: &str) -> Option<(String, String)> {
        ["BAO_", "VAULT_"].into_iter().find_map(|prefix| {
            let variable = format!("{prefix}{name}");
            let value = self.0.variables.get(&variable)?.trim().to_owned();
            (!value.is_empty()).then_some((variable, value))
        })
    }

    fn address(&self) -> Result<Address, VaultSettingsError> {
        let parse = |variable: &'static str| {
            let value = self.0.variables.get(variable)?.trim();
            (!value.is_empty())
                .then(|| Address::parse(variable, value).map_err(VaultSettingsError::Address))
        };
        match (parse("BAO_ADDR").transpose()?, parse("VAULT_ADDR").transpose()?) {
            (Some(bao), Some(vault)) if bao != vault => Err(VaultSettingsError::TwoAddresses),
            (Some(address), _) | (None, Some(address)) => Ok(address),
            (None, None) => Err(VaultSettingsError::NoAddress),
        }
    }

    fn namespace(&self) -> Result<Option<String>, VaultSettingsError> {
        match self.get("NAMESPACE") {
            Some((variable, name)) if name.contains(char::is_control) => {
                Err(VaultSettingsError::Namespace(variable))
            }
            found => Ok(found.map(|(_, name)| name)),
        }
    }

    /// The proxy for `https://` with its variable, as the HTTP client finds it.
    fn proxy(&self) -> Option<String> {
        ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(|variable| {
            let value = self.0.variables.get(variable).filter(|value| !value.is_empty())?;
            Some(format!("{value} ({variable})"))
        })
    }

    fn file(&self, name: &str) -> Result<Option<Vec<u8>>, VaultSettingsError> {
        let Some((variable, path)) = self.get(name) else { return Ok(None) };
        let file = self.0.absolute(path.as_ref());
        let failed = |reason: String| VaultSettingsError::File { variable, path, reason };
        read_certificates(&file).map(Some).map_err(|error| failed(error.to_string()))
    }

    /// Returns the certificates of VAULT_CACERT and of the files in VAULT_CAPATH.
    fn authorities(&self, is_https: bool) -> Result<Option<Vec<u8>>, VaultSettingsError> {
        let mut pem = self.file("CACERT")?;
        if let Some((variable, path)) = self.get("CAPATH") {
            let read = || {
                let mut all = Vec::new();
                for entry in std::fs::read_dir(self.0.absolute(path.as_ref()))? {
                    let file = entry?.path();
                    if file.is_file() {
                        all.extend(read_certificates(&file)?);
                        all.push(b'\n');
                    }
                }
                Ok(all)
            };
            let found = read().map_err(|error: std::io::Error| VaultSettingsError::File {
                variable,
                path: path.clone(),
                reason: error.to_string(),
            })?;
            pem.get_or_insert_default().extend(found);
        }
        // Only without these, the certificates of the machine are read.
        match certificate_variable_error(self.0).filter(|_| pem.is_none() && is_https) {
            Some(UnusableFile { path, reason }) => {
                Err(VaultSettingsError::File { variable: "SSL_CERT_FILE".to_owned(), path, reason })
            }
            None => Ok(pem),
        }
    }

    fn timeout(&self) -> Result<Duration, VaultSettingsError> {
        let Some((variable, text)) = self.get("CLIENT_TIMEOUT") else { return Ok(TIMEOUT) };
        let seconds = text.trim_end_matches('s').parse().ok().filter(|seconds| *seconds > 0);
        seconds.map(Duration::from_secs).ok_or(VaultSettingsError::Timeout { variable, text })
    }
}
