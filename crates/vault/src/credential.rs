//! Reads credentials from the variables and files that the manifest names.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use envlock_report::{AsFindings, Code, Exit, Finding};
use envlock_secrets::manifest::{Auth, AuthMethod, ResolvedProfile, RuntimeValue};

use crate::{CredentialFault, FileFault, Secret};

/// The maximum number of bytes of a credential's file. A certificate chain has a few thousand.
const MAX_BYTES: u64 = 1 << 20;

/// The sources of credentials: environment variables and files. Variables are read by name, one
/// at a time, so that no code has all of them.
#[derive(Clone, Copy)]
pub struct CredentialSources<'a> {
    /// The value of a variable.
    pub variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The home directory.
    pub home: Option<&'a Path>,
}

/// Why a credential can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Its variable isn't set.
    #[error("`{name}` is read from the variable {variable}, which isn't set or is empty")]
    NoVariable {
        /// The credential's name.
        name: String,
        /// The variable.
        variable: String,
    },
    /// Its file can't be read.
    #[error("`{name}` is read from the file {file}, which can't be read: {reason}")]
    NoFile {
        /// The credential's name.
        name: String,
        /// The file.
        file: String,
        /// The reason.
        reason: FileFault,
    },
    /// Its content is invalid.
    #[error("`{name}` from {place} is malformed: {reason}")]
    Malformed {
        /// The credential's name.
        name: String,
        /// The variable or file.
        place: String,
        /// The reason.
        reason: CredentialFault,
    },
    /// The profile has no `auth:`.
    #[error("profile {0} has no `auth:`, so the login is unknown")]
    NoAuth(String),
}

impl CredentialError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NoVariable { .. } | Self::NoFile { .. } => Code::LoginCredentialMissing,
            Self::Malformed { .. } => Code::LoginCredentialMalformed,
            Self::NoAuth(_) => Code::NoAuth,
        }
    }
}

impl AsFindings for CredentialError {
    fn findings(&self) -> Vec<Finding> {
        let finding = Finding::new(self.code(), self.to_string());
        vec![match self {
            Self::NoVariable { variable, .. } => finding
                .with_help(format!("set {variable}, or choose another profile: `--profile NAME`")),
            Self::NoFile { .. } => {
                finding.with_help("create it, or choose another profile: `--profile NAME`")
            }
            Self::Malformed { .. } => {
                finding.with_help("write only the credential into it, on one line")
            }
            Self::NoAuth(_) => finding.with_help(
                "add `auth: {method: …}` to it, or check only its policies: `--offline`",
            ),
        }]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl CredentialSources<'_> {
    /// Reads the credential `name`.
    pub(crate) fn read(
        self,
        name: &str,
        credential: &RuntimeValue,
    ) -> Result<Secret, CredentialError> {
        let text = match credential {
            RuntimeValue::Env { env, .. } => self.variable_if_set(env).ok_or_else(|| {
                CredentialError::NoVariable { name: name.to_owned(), variable: env.clone() }
            })?,
            RuntimeValue::File { file, .. } => self.text(name, file)?,
        };
        let secret = Secret::new(text);
        let malformed = |reason| CredentialError::Malformed {
            name: name.to_owned(),
            place: place(credential),
            reason,
        };
        if secret.reveal().is_empty() {
            return Err(malformed(CredentialFault::Empty));
        }
        Ok(secret)
    }

    /// Reads a credential for a header: it must consist of printable ASCII characters.
    pub(crate) fn read_header_value(
        self,
        name: &str,
        credential: &RuntimeValue,
    ) -> Result<Secret, CredentialError> {
        let secret = self.read(name, credential)?;
        if secret.is_header_value() {
            return Ok(secret);
        }
        let reason = CredentialFault::NotPrintable;
        let (name, place) = (name.to_owned(), place(credential));
        Err(CredentialError::Malformed { name, place, reason })
    }

    /// Reads a name that isn't secret and may have characters of any script, such as a namespace.
    ///
    /// # Errors
    /// The variable isn't set, the file can't be read, or a control character is in it.
    pub fn read_name(
        self,
        name: &str,
        credential: &RuntimeValue,
    ) -> Result<String, CredentialError> {
        let text = self.read(name, credential)?.reveal().to_owned();
        if !text.contains(char::is_control) {
            return Ok(text);
        }
        let (name, place) = (name.to_owned(), place(credential));
        Err(CredentialError::Malformed { name, place, reason: CredentialFault::ControlCharacters })
    }

    /// The value of a variable, if it is set and isn't blank.
    pub(crate) fn variable_if_set(self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty()).map(trimmed)
    }

    fn text(self, name: &str, file: &str) -> Result<String, CredentialError> {
        let path = self.path(file);
        let read = read_bounded(&path).map(trimmed);
        read.map_err(|reason| CredentialError::NoFile {
            name: name.to_owned(),
            file: file.to_owned(),
            reason,
        })
    }

    fn path(self, written: &str) -> PathBuf {
        match (Path::new(written).strip_prefix("~"), self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(written),
        }
    }

    fn is_available(self, credential: &RuntimeValue) -> bool {
        match credential {
            RuntimeValue::Env { env, .. } => self.variable_if_set(env).is_some(),
            RuntimeValue::File { file, .. } => self.path(file).is_file(),
        }
    }
}

/// What is missing of the credentials of `profile`, each as a clause. A profile of which nothing is
/// missing can be chosen automatically.
pub fn missing_credentials(
    profile: &ResolvedProfile,
    sources: CredentialSources<'_>,
) -> Vec<String> {
    let Some(Auth { method, credentials, .. }) = &profile.auth else {
        return vec!["it has no `auth:`".to_owned()];
    };
    let ambient: &[&str] = match method {
        AuthMethod::AwsIam => &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
        _ => &[],
    };
    let unset = |name: &str| format!("the variable {name} isn't set or is empty");
    let ambient = ambient.iter().filter(|name| sources.variable_if_set(name).is_none());
    let named = credentials.values().filter(|credential| !sources.is_available(credential));
    let named = named.map(|credential| match credential {
        RuntimeValue::Env { env, .. } => unset(env),
        RuntimeValue::File { file, .. } => format!("the file {file} doesn't exist"),
    });
    ambient.map(|name| unset(name)).chain(named).collect()
}

fn place(credential: &RuntimeValue) -> String {
    match credential {
        RuntimeValue::Env { env, .. } => format!("the variable {env}"),
        RuntimeValue::File { file, .. } => format!("the file {file}"),
    }
}

/// Reads a regular file up to the limit. A pipe would block, and a device never ends.
fn read_bounded(path: &Path) -> Result<String, FileFault> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(FileFault::NotAFile);
    }
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(FileFault::TooLarge);
    }
    Ok(text)
}

/// Removes line breaks at the end: editors and `echo` add one, and no credential ends in one.
fn trimmed(text: String) -> String {
    let kept = text.trim_end_matches(['\n', '\r']).len();
    let mut text = text;
    text.truncate(kept);
    text
}
