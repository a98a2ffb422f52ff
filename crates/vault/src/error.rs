//! Why nothing could be found out, each in its own words.

use envlock_report::connection::{NoConnection, TrustProblem};
use envlock_report::{AsFindings, Code, Exit, Finding, count};

use crate::{AddressError, AnswerFault, CredentialError, ServerFault};

/// A reason for which the question has no answer. Nobody may take one for a yes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The address can't be asked.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A credential isn't there or can't be one.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The chosen authorities aren't any.
    #[error("the file or folder of VAULT_CACERT or VAULT_CAPATH holds no certificate")]
    InvalidAuthorities,
    /// The client certificate or its key can't be used.
    #[error("the client certificate and its key can't be used together")]
    InvalidClientIdentity,
    /// TLS can't be set up on this machine.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
    /// No connection.
    #[error("{address} can't be reached: {reason}")]
    Unreachable {
        /// The server.
        address: String,
        /// Why.
        reason: NoConnection,
    },
    /// No answer in time.
    #[error("{address} did not answer {asked} within {seconds} s")]
    TimedOut {
        /// The server.
        address: String,
        /// What was asked.
        asked: String,
        /// How long it was waited.
        seconds: u64,
    },
    /// The connection broke, each time.
    #[error("{address} broke off the connection instead of answering {asked}")]
    ConnectionLost {
        /// The server.
        address: String,
        /// What was asked.
        asked: String,
        /// Whether the connection was made by TLS.
        tls: bool,
    },
    /// Its certificate isn't trusted.
    #[error("{address} isn't trusted: {reason}")]
    Untrusted {
        /// The server.
        address: String,
        /// Why.
        reason: TrustProblem,
    },
    /// It wants another client certificate, or one at all.
    #[error("{address} refuses the connection's own certificate, or wants one")]
    ClientCertificate {
        /// The server.
        address: String,
    },
    /// It sends on to another server.
    #[error("{address} answers {asked} by sending on to {target}, which wasn't asked")]
    Redirected {
        /// The server.
        address: String,
        /// What was asked.
        asked: String,
        /// Where it sends to.
        target: String,
    },
    /// It isn't what it should be.
    #[error("what answers at {address} is no Vault or OpenBao: {reason}")]
    NotAVault {
        /// The server.
        address: String,
        /// Why not.
        reason: ServerFault,
    },
    /// It is sealed.
    #[error("the server is sealed: nobody is answered until it is unsealed")]
    Sealed,
    /// It was never set up.
    #[error("the server isn't initialised yet")]
    NotInitialised,
    /// It is a copy for disasters.
    #[error("the server is a disaster recovery secondary and answers nobody")]
    DrSecondary,
    /// It failed, each time.
    #[error("the server failed at {asked} with status {status}")]
    ServerFailed {
        /// What was asked.
        asked: String,
        /// The status.
        status: u16,
        /// Its own words.
        words: Vec<String>,
    },
    /// It has had enough of us.
    #[error("the server's quota refuses {asked}, {tries} times in a row")]
    RateLimited {
        /// What was asked.
        asked: String,
        /// How often it was asked.
        tries: u32,
    },
    /// It doesn't know yet what it was told.
    #[error("the server hasn't caught up with its own state ({asked}, {tries} times in a row)")]
    StateNotReplicated {
        /// What was asked.
        asked: String,
        /// How often it was asked.
        tries: u32,
    },
    /// There is no such namespace.
    #[error("the server knows no namespace {0}")]
    UnknownNamespace(String),
    /// The login is refused.
    #[error("the login by {method} at {path} is refused ({status})")]
    LoginRefused {
        /// The auth method.
        method: &'static str,
        /// The path of the login.
        path: String,
        /// The role, where there is one.
        role: Option<String>,
        /// The status.
        status: u16,
        /// The server's own words.
        words: Vec<String>,
        /// How far the server's clock is ahead, in seconds, where that may be why.
        clock: Option<i64>,
    },
    /// Somebody has to confirm it.
    #[error("the login by {method} waits for a second factor, and nobody is there to give it")]
    ConfirmationRequired {
        /// The auth method.
        method: &'static str,
    },
    /// The answer was lost, and with it perhaps the credential.
    #[error("the answer to {asked} was lost, and what was sent may be used up by it")]
    SingleUseAnswerLost {
        /// What was asked.
        asked: String,
    },
    /// The wrapping token is spent.
    #[error("the wrapping token of `{credential}` has expired or was already used")]
    WrappingTokenUsed {
        /// The credential's name.
        credential: &'static str,
    },
    /// The wrapping token holds something else.
    #[error("the wrapping token of `{credential}` wraps what {found} gave, not {wanted}")]
    WrappingTokenMismatch {
        /// The credential's name.
        credential: &'static str,
        /// Where its content comes from.
        found: String,
        /// Where it should come from.
        wanted: String,
    },
    /// The token is no good.
    #[error("the server refuses the token: it is wrong, has expired or was revoked")]
    TokenRefused,
    /// The token is good for too few requests.
    #[error("the token is good for {}, and the check makes up to {planned}", more(*left))]
    TooFewTokenUses {
        /// How many it is good for.
        left: u64,
        /// How many would be made.
        planned: u64,
    },
    /// What came back can't be read.
    #[error("the server's answer to {asked} can't be read: {reason}")]
    Unreadable {
        /// What was asked.
        asked: String,
        /// Why not.
        reason: AnswerFault,
    },
    /// The user, or the system, ended it.
    #[error("interrupted before the server had answered everything")]
    Interrupted,
}

impl ProbeError {
    fn code(&self) -> Code {
        match self {
            Self::Address(error) => error.code(),
            Self::Credential(error) => error.code(),
            Self::InvalidAuthorities | Self::Tls(_) | Self::Untrusted { .. } => Code::TlsUntrusted,
            Self::InvalidClientIdentity | Self::ClientCertificate { .. } => Code::TlsClient,
            Self::Unreachable { .. } | Self::ConnectionLost { .. } => Code::Unreachable,
            Self::TimedOut { .. } => Code::TimedOut,
            Self::Redirected { .. } => Code::Redirected,
            Self::NotAVault { .. } => Code::NotAVault,
            Self::Sealed => Code::Sealed,
            Self::NotInitialised => Code::NotInitialised,
            Self::DrSecondary => Code::DrSecondary,
            Self::ServerFailed { .. } => Code::ServerError,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::StateNotReplicated { .. } => Code::StateNotReplicated,
            Self::UnknownNamespace(_) => Code::NamespaceUnknown,
            Self::LoginRefused { .. } => Code::LoginRefused,
            Self::ConfirmationRequired { .. } => Code::LoginInteractive,
            Self::SingleUseAnswerLost { .. } => Code::LoginAnswerLost,
            Self::WrappingTokenUsed { .. } => Code::WrappingTokenUsed,
            Self::WrappingTokenMismatch { .. } => Code::WrappingTokenMismatch,
            Self::TokenRefused => Code::TokenRefused,
            Self::TooFewTokenUses { .. } => Code::TooFewTokenUses,
            Self::Unreadable { .. } => Code::UnreadableAnswer,
            Self::Interrupted => Code::Interrupted,
        }
    }

    fn notes(&self) -> Vec<String> {
        match self {
            Self::ServerFailed { words, .. } => quoted(words),
            Self::LoginRefused { words, clock, role, .. } => {
                let role = role.as_ref().map(|role| format!("the role was {role}"));
                let clock = clock.map(|seconds| {
                    let way = if seconds > 0 { "ahead of" } else { "behind" };
                    format!(
                        "the server's clock is {} s {way} this machine's, which ends tokens early",
                        seconds.abs()
                    )
                });
                quoted(words).into_iter().chain(role).chain(clock).collect()
            }
            Self::WrappingTokenUsed { .. } => {
                vec!["if nobody here used it, somebody may have taken it on its way".to_owned()]
            }
            Self::WrappingTokenMismatch { .. } => {
                vec!["somebody may have exchanged it on its way; it was not unwrapped".to_owned()]
            }
            Self::ConnectionLost { tls: true, .. } => vec![
                "a server that wants a client certificate does so, too: VAULT_CLIENT_CERT"
                    .to_owned(),
            ],
            Self::Redirected { .. } => {
                vec!["a token shown to another server is that server's from then on".to_owned()]
            }
            _ => Vec::new(),
        }
    }

    fn help(&self) -> &'static str {
        match self {
            Self::Address(_) | Self::Credential(_) | Self::Interrupted => "",
            Self::InvalidAuthorities => "name a file of PEM certificates in VAULT_CACERT",
            Self::InvalidClientIdentity => "name a PEM certificate and the key that belongs to it",
            Self::Tls(_) => "check SSL_CERT_FILE and the certificates of this machine",
            Self::Unreachable { .. } => "check VAULT_ADDR, and the network between here and there",
            Self::TimedOut { .. } => "try again; VAULT_CLIENT_TIMEOUT waits longer, such as 60s",
            Self::ConnectionLost { .. } | Self::ServerFailed { .. } => {
                "try again; if it stays, its operator's log has the reason"
            }
            Self::Untrusted { reason: TrustProblem::WrongHostName, .. } => {
                "name the one in the certificate: VAULT_TLS_SERVER_NAME=NAME"
            }
            Self::Untrusted { .. } => "name the authority that signed it: VAULT_CACERT=FILE",
            Self::ClientCertificate { .. } => {
                "name one that the server trusts: VAULT_CLIENT_CERT=FILE VAULT_CLIENT_KEY=FILE"
            }
            Self::Redirected { .. } => "if that server is meant, put it into VAULT_ADDR",
            Self::NotAVault { .. } => "check VAULT_ADDR: host, port, and the path of a proxy",
            Self::Sealed => "ask its operator to unseal it, then run this again",
            Self::NotInitialised => "ask its operator to initialise it (`bao operator init`)",
            Self::DrSecondary => "put the address of the primary into VAULT_ADDR",
            Self::RateLimited { .. } => "run it later, or ask for a larger quota",
            Self::StateNotReplicated { .. } => "run it again in a moment",
            Self::UnknownNamespace(_) => "check the profile's `namespace:` and VAULT_NAMESPACE",
            Self::LoginRefused { .. } => {
                "check `auth:` of the profile (mount, role) and where its credentials come from"
            }
            Self::ConfirmationRequired { .. } => {
                "give the job a role of its own, without a second factor"
            }
            Self::SingleUseAnswerLost { .. } => "get a new credential before the next try",
            Self::WrappingTokenUsed { .. } => {
                "revoke it if it wasn't you, and have a new one delivered"
            }
            Self::WrappingTokenMismatch { .. } => "don't use it; have a new one delivered",
            Self::TokenRefused => "get a new one: `bao login` or `vault login`",
            Self::TooFewTokenUses { .. } => {
                "use a token without a limit of uses, or with a higher one"
            }
            Self::Unreadable { .. } => "see whether a proxy in between changes answers",
        }
    }
}

fn more(requests: u64) -> String {
    count(usize::try_from(requests).unwrap_or(usize::MAX), "more request")
}

/// What the server said, a line each.
fn quoted(words: &[String]) -> Vec<String> {
    words.iter().map(|words| format!("the server says: {words}")).collect()
}

impl AsFindings for ProbeError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Address(error) => return error.findings(),
            Self::Credential(error) => return error.findings(),
            _ => {}
        }
        let mut finding = Finding::new(self.code(), self.to_string());
        finding.notes = self.notes();
        finding.help = Some(self.help().to_owned()).filter(|help| !help.is_empty());
        vec![finding]
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Address(error) => error.exit(),
            Self::Credential(error) => error.exit(),
            Self::InvalidAuthorities | Self::InvalidClientIdentity => Exit::Usage,
            Self::LoginRefused { .. }
            | Self::ConfirmationRequired { .. }
            | Self::SingleUseAnswerLost { .. }
            | Self::WrappingTokenUsed { .. }
            | Self::WrappingTokenMismatch { .. }
            | Self::TokenRefused => Exit::LoginRefused,
            _ => Exit::Undetermined,
        }
    }
}
