//! Where credentials come from: variables and files, by the names that the manifest gives.

use std::path::{Path, PathBuf};

use envlock_report::{AsFindings, Code, Exit, Finding};
use envlock_secrets::manifest::{Auth, AuthMethod, Credential, ResolvedProfile};

use crate::{CredentialFault, Secret};

/// The most bytes of a credential's file: a chain of certificates takes a few thousand.
const MAX_BYTES: u64 = 1 << 20;

/// Where credentials are read from: the process's variables and the files below its home
/// folder. Variables are read by name, one at a time, so that no code holds all of them.
#[derive(Clone, Copy)]
pub struct CredentialSources<'a> {
    /// The value of a variable.
    pub variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The home folder.
    pub home: Option<&'a Path>,
}

/// Why a credential can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Its variable isn't set.
    #[error("`{name}` comes from the variable {variable}, which isn't set, or is empty")]
    NoVariable {
        /// The credential's name.
        name: String,
        /// The variable.
        variable: String,
    },
    /// Its file can't be read.
    #[error("`{name}` comes from the file {file}, which can't be read: {reason}")]
    NoFile {
        /// The credential's name.
        name: String,
        /// The file.
        file: String,
        /// Why not.
        reason: String,
    },
    /// It holds what it can't.
    #[error("`{name}` of {place} can't be one: {reason}")]
    Malformed {
        /// The credential's name.
        name: String,
        /// Where it comes from.
        place: String,
        /// Why not.
        reason: CredentialFault,
    },
    /// The profile doesn't say how to log in.
    #[error("profile {0} doesn't say how to log in")]
    NoAuth(String),
}

impl CredentialError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NoVariable { .. } | Self::NoFile { .. } => Code::MissingCredential,
            Self::Malformed { .. } => Code::CredentialMalformed,
            Self::NoAuth(_) => Code::CredentialUnsupported,
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
                finding.with_help("put it there, or choose another profile: `--profile NAME`")
            }
            Self::Malformed { .. } => {
                finding.with_help("write the credential alone into it, on one line")
            }
            Self::NoAuth(_) => {
                finding.with_help("give it `auth: {method: …}`, or judge it alone: `--offline`")
            }
        }]
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl CredentialSources<'_> {
    /// The credential `name`.
    pub(crate) fn read(
        self,
        name: &str,
        credential: &Credential,
    ) -> Result<Secret, CredentialError> {
        let text = match credential {
            Credential::Env { env, .. } => self.variable_if_set(env).ok_or_else(|| {
                CredentialError::NoVariable { name: name.to_owned(), variable: env.clone() }
            })?,
            Credential::File { file, .. } => self.text(name, file)?,
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

    /// The same, for what goes into a header: it has to be a word of printable characters.
    pub(crate) fn read_header_value(
        self,
        name: &str,
        credential: &Credential,
    ) -> Result<Secret, CredentialError> {
        let secret = self.read(name, credential)?;
        if secret.is_header_value() {
            return Ok(secret);
        }
        let reason = CredentialFault::NotPrintable;
        let (name, place) = (name.to_owned(), place(credential));
        Err(CredentialError::Malformed { name, place, reason })
    }

    /// The same, for a name that isn't secret and may be of any script.
    pub(crate) fn read_name(
        self,
        name: &str,
        credential: &Credential,
    ) -> Result<String, CredentialError> {
        let text = self.read(name, credential)?.reveal().to_owned();
        if !text.contains(char::is_control) {
            return Ok(text);
        }
        let (name, place) = (name.to_owned(), place(credential));
        Err(CredentialError::Malformed { name, place, reason: CredentialFault::ControlCharacters })
    }

    /// A variable that is set to something.
    pub(crate) fn variable_if_set(self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty()).map(trimmed)
    }

    fn text(self, name: &str, file: &str) -> Result<String, CredentialError> {
        let path = self.path(file);
        // A path in the error twice would be once too often.
        let read = whole(&path).map(trimmed);
        read.map_err(|error| CredentialError::NoFile {
            name: name.to_owned(),
            file: file.to_owned(),
            reason: match error.kind() {
                std::io::ErrorKind::NotFound => "there is none".to_owned(),
                std::io::ErrorKind::InvalidData => "it isn't text".to_owned(),
                _ => error.to_string(),
            },
        })
    }

    fn path(self, written: &str) -> PathBuf {
        match (Path::new(written).strip_prefix("~"), self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(written),
        }
    }

    fn is_available(self, credential: &Credential) -> bool {
        match credential {
            Credential::Env { env, .. } => self.variable_if_set(env).is_some(),
            Credential::File { file, .. } => self.path(file).is_file(),
        }
    }
}

/// Whether all that `profile` logs in with is there, so that it can be the one that is meant.
pub fn has_all_credentials(profile: &ResolvedProfile, sources: CredentialSources<'_>) -> bool {
    let Some(Auth { method, credentials, .. }) = &profile.auth else { return false };
    let ambient = *method != AuthMethod::AwsIam
        || ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
            .iter()
            .all(|name| sources.variable_if_set(name).is_some());
    ambient && credentials.values().all(|credential| sources.is_available(credential))
}

fn place(credential: &Credential) -> String {
    match credential {
        Credential::Env { env, .. } => format!("the variable {env}"),
        Credential::File { file, .. } => format!("the file {file}"),
    }
}

/// The text of a file that is one, and has an end: a pipe would be waited for, a device never
/// ends.
fn whole(path: &Path) -> std::io::Result<String> {
    let refuse = |why| Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, why));
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return refuse("it isn't a file");
    }
    if metadata.len() > MAX_BYTES {
        return refuse("it is too long for a credential");
    }
    std::fs::read_to_string(path)
}

/// Editors and `echo` put a line break at the end, and no credential ends in one.
fn trimmed(text: String) -> String {
    let kept = text.trim_end_matches(['\n', '\r']).len();
    let mut text = text;
    text.truncate(kept);
    text
}
