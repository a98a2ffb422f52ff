//! Errors of a probe.

use envlock_report::connection::{NoConnection, TrustProblem};
use envlock_report::{AsFindings, Code, Exit, Finding, count};

use envlock_policy::Product;
use envlock_secrets::facts::program;

use crate::refusal::Refusal;
use crate::{AddressError, AnswerFault, CredentialError, NotVaultReason, RedirectTarget};

/// Why the server gave no answer. It never counts as a success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The address can't be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A credential is missing or malformed.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The configured authorities contain no certificate.
    #[error("the file or directory of VAULT_CACERT or VAULT_CAPATH contains no certificate")]
    InvalidAuthorities,
    /// The client certificate or its key can't be used.
    #[error("the client certificate and its key can't be used together")]
    InvalidClientIdentity,
    /// TLS can't be set up on this machine.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
    /// The connection can't be made.
    #[error("{address} can't be reached: {reason}")]
    Unreachable {
        /// The server.
        address: String,
        /// The reason.
        reason: NoConnection,
        /// The proxy that the environment names, with its variable.
        proxy: Option<String>,
    },
    /// The answer didn't arrive in time.
    #[error("{address} didn't answer {request} within {seconds} s")]
    TimedOut {
        /// The server.
        address: String,
        /// The path of the request.
        request: String,
        /// The time limit.
        seconds: u64,
    },
    /// The connection was closed, at every try.
    #[error("{address} closed the connection instead of answering {request}")]
    ConnectionLost {
        /// The server.
        address: String,
        /// The path of the request.
        request: String,
        /// Whether the connection uses TLS.
        tls: bool,
    },
    /// Its certificate isn't trusted.
    #[error("{address} isn't trusted: {reason}")]
    Untrusted {
        /// The server.
        address: String,
        /// The reason.
        reason: TrustProblem,
    },
    /// It requires a client certificate, or another one.
    #[error("{address} requires a client certificate, or refuses the configured one")]
    ClientCertificate {
        /// The server.
        address: String,
    },
    /// It redirects to another server or path.
    #[error("{address} redirects {request} to {target}, which isn't followed")]
    Redirected {
        /// The server.
        address: String,
        /// The path of the request.
        request: String,
        /// The target of the redirect.
        target: RedirectTarget,
    },
    /// It isn't Vault or OpenBao.
    #[error("the server at {address} isn't Vault or OpenBao: {reason}")]
    NotAVault {
        /// The server.
        address: String,
        /// The reason.
        reason: NotVaultReason,
    },
    /// It is sealed.
    #[error("the server is sealed, and answers no request until it is unsealed")]
    Sealed,
    /// It isn't initialised.
    #[error("the server isn't initialised")]
    NotInitialised {
        /// The server.
        product: Option<Product>,
    },
    /// It is a disaster-recovery secondary.
    #[error("the server is a disaster recovery secondary, and answers no request")]
    DrSecondary,
    /// It failed, at every try.
    #[error("the server failed at {request} with the status {status}")]
    ServerFailed {
        /// The path of the request.
        request: String,
        /// The status.
        status: u16,
        /// The server's messages.
        messages: Vec<String>,
    },
    /// It limits the rate of requests (429).
    #[error("the server's rate limit refused {request}, {tries} times in a row")]
    RateLimited {
        /// The path of the request.
        request: String,
        /// The number of tries.
        tries: u32,
    },
    /// Its state isn't replicated yet (412).
    #[error("the server's state isn't replicated yet ({request}, {tries} times in a row)")]
    StateNotReplicated {
        /// The path of the request.
        request: String,
        /// The number of tries.
        tries: u32,
    },
    /// The namespace doesn't exist.
    #[error("the server has no namespace {0}")]
    UnknownNamespace(String),
    /// The login is refused.
    #[error("the server refused the login by {method} at {path} ({status})")]
    LoginRefused {
        /// The auth method.
        method: &'static str,
        /// The path of the login.
        path: String,
        /// The role, if the login has one.
        role: Option<String>,
        /// The status.
        status: u16,
        /// The server's messages.
        messages: Vec<String>,
        /// The difference of the server's clock in seconds, if that may be the reason.
        clock: Option<i64>,
        /// The server.
        product: Option<Product>,
    },
    /// The login must be confirmed.
    #[error("the login by {method} requires a second factor, which a job can't give")]
    MfaRequired {
        /// The auth method.
        method: &'static str,
    },
    /// The answer was lost, and the credential may be used up.
    #[error("the answer to {request} was lost, and the credential in the request may be used up")]
    SingleUseAnswerLost {
        /// The path of the request.
        request: String,
    },
    /// The wrapping token was used or has expired.
    #[error("the wrapping token of `{credential}` has expired or was already used")]
    WrappingTokenUsed {
        /// The credential's name.
        credential: &'static str,
    },
    /// The wrapping token wraps something else.
    #[error("the wrapping token of `{credential}` wraps an answer of {found}, not of {wanted}")]
    WrappingTokenMismatch {
        /// The credential's name.
        credential: &'static str,
        /// The endpoint that created the content.
        found: String,
        /// The endpoint that should have created it.
        wanted: String,
    },
    /// The token is invalid.
    #[error("the server refuses the token: it is invalid, has expired or was revoked")]
    TokenRefused {
        /// The server.
        product: Option<Product>,
    },
    /// The token has too few remaining uses.
    #[error("the token has {} left, and the check needs up to {planned}", uses(*left))]
    TooFewTokenUses {
        /// The remaining uses.
        left: u64,
        /// The number of requests that the check makes.
        planned: u64,
    },
    /// The answer can't be read.
    #[error("the server's answer to {request} can't be read: {reason}")]
    Unreadable {
        /// The path of the request.
        request: String,
        /// The reason.
        reason: AnswerFault,
    },
    /// The user, or the system, interrupted the check.
    #[error("interrupted before all answers of the server arrived")]
    Interrupted,
}

impl ProbeError {
    fn code(&self) -> Code {
        match self {
            Self::Address(error) => error.code(),
            Self::Credential(error) => error.code(),
            Self::InvalidAuthorities | Self::Tls(_) | Self::Untrusted { .. } => Code::TlsUntrusted,
            Self::InvalidClientIdentity | Self::ClientCertificate { .. } => {
                Code::ClientCertificateUnusable
            }
            Self::Unreachable { .. } | Self::ConnectionLost { .. } => Code::Unreachable,
            Self::TimedOut { .. } => Code::TimedOut,
            Self::Redirected { .. } => Code::Redirected,
            Self::NotAVault { .. } => Code::NotAVault,
            Self::Sealed => Code::Sealed,
            Self::NotInitialised { .. } => Code::NotInitialised,
            Self::DrSecondary => Code::DrSecondary,
            Self::ServerFailed { .. } => Code::ServerError,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::StateNotReplicated { .. } => Code::StateNotReplicated,
            Self::UnknownNamespace(_) => Code::NamespaceUnknown,
            Self::LoginRefused { .. } => Code::LoginRefused,
            Self::MfaRequired { .. } => Code::MfaRequired,
            Self::SingleUseAnswerLost { .. } => Code::LoginAnswerLost,
            Self::WrappingTokenUsed { .. } => Code::WrappingTokenUsed,
            Self::WrappingTokenMismatch { .. } => Code::WrappingTokenMismatch,
            Self::TokenRefused { .. } => Code::TokenRefused,
            Self::TooFewTokenUses { .. } => Code::TooFewTokenUses,
            Self::Unreadable { .. } => Code::UnreadableAnswer,
            Self::Interrupted => Code::Interrupted,
        }
    }

    fn notes(&self) -> Vec<String> {
        match self {
            Self::ServerFailed { messages, .. } => quoted(messages),
            Self::Unreachable { proxy: Some(proxy), reason, .. } => vec![match reason {
                NoConnection::ProxyRefused { .. } => format!("the proxy is {proxy}"),
                _ => {
                    format!("unless NO_PROXY names the host, requests go through the proxy {proxy}")
                }
            }],
            Self::LoginRefused { messages, clock, role, .. } => {
                let role = role.as_ref().map(|role| format!("the role was {role}"));
                let clock = clock.map(|seconds| {
                    let way = if seconds > 0 { "ahead of" } else { "behind" };
                    format!(
                        "the server's clock is {} s {way} this machine's, so tokens expire early or aren't valid yet",
                        seconds.abs()
                    )
                });
                let cause = self.refusal().and_then(|refusal| refusal.cause());
                let cause = cause.map(|cause| cause.note);
                quoted(messages).into_iter().chain(cause).chain(role).chain(clock).collect()
            }
            Self::WrappingTokenUsed { .. } => {
                vec!["if you didn't use it, it may have been intercepted".to_owned()]
            }
            Self::WrappingTokenMismatch { .. } => {
                vec!["it may have been replaced in transit; it wasn't unwrapped".to_owned()]
            }
            Self::ConnectionLost { tls: true, .. } => vec![
                "a server that requires a client certificate may also do this: VAULT_CLIENT_CERT"
                    .to_owned(),
            ],
            Self::Redirected { .. } => {
                vec!["a redirect to another server would give it the token".to_owned()]
            }
            _ => Vec::new(),
        }
    }

    fn refusal(&self) -> Option<Refusal<'_>> {
        let Self::LoginRefused { method, path, role, status, messages, product, .. } = self else {
            return None;
        };
        Some(Refusal {
            method,
            path,
            role: role.as_deref(),
            status: *status,
            messages,
            program: program(*product),
        })
    }

    fn help(&self) -> String {
        match self {
            Self::NotInitialised { product } => {
                format!("ask its operator to initialise it (`{} operator init`)", program(*product))
            }
            Self::TokenRefused { product } => {
                format!("get a new one: `{} login`", program(*product))
            }
            Self::LoginRefused { .. } => {
                let cause = self.refusal().and_then(|refusal| refusal.cause());
                cause.map_or_else(|| self.fixed_help().to_owned(), |cause| cause.help)
            }
            _ => self.fixed_help().to_owned(),
        }
    }

    fn fixed_help(&self) -> &'static str {
        match self {
            Self::Address(_)
            | Self::Credential(_)
            | Self::Interrupted
            | Self::NotInitialised { .. }
            | Self::TokenRefused { .. } => "",
            Self::InvalidAuthorities => "name a file of PEM certificates in VAULT_CACERT",
            Self::InvalidClientIdentity => "name a PEM certificate and its key",
            Self::Tls(_) => "check SSL_CERT_FILE and the certificates of this machine",
            Self::Unreachable { reason: NoConnection::ProxyRefused { .. }, .. } => {
                "let the proxy connect to the server, or add its host to NO_PROXY"
            }
            Self::Unreachable { .. } => {
                "check VAULT_ADDR, and the network between this machine and the server"
            }
            Self::TimedOut { .. } => {
                "try again; set VAULT_CLIENT_TIMEOUT to wait longer, such as 60s"
            }
            Self::ConnectionLost { .. } | Self::ServerFailed { .. } => {
                "try again; if it fails again, the server's log has the reason"
            }
            Self::Untrusted { reason: TrustProblem::WrongHostName, .. } => {
                "name the host in the certificate: VAULT_TLS_SERVER_NAME=NAME"
            }
            Self::Untrusted { .. } => "name the authority that signed it: VAULT_CACERT=FILE",
            Self::ClientCertificate { .. } => {
                "name one that the server trusts: VAULT_CLIENT_CERT=FILE VAULT_CLIENT_KEY=FILE"
            }
            Self::Redirected { .. } => "if that server is the right one, set VAULT_ADDR to it",
            Self::NotAVault { .. } => "check VAULT_ADDR: host, port, and the path of a proxy",
            Self::Sealed => "ask its operator to unseal it, then try again",
            Self::DrSecondary => "set VAULT_ADDR to the address of the primary",
            Self::RateLimited { .. } => {
                "try again later, or ask the operator for a higher rate limit"
            }
            Self::StateNotReplicated { .. } => "try again in a moment",
            Self::UnknownNamespace(_) => "check the profile's `namespace:` and VAULT_NAMESPACE",
            Self::LoginRefused { .. } => {
                "check `auth:` of the profile (mount, role), and the sources of its credentials"
            }
            Self::MfaRequired { .. } => "give the job a separate role, without a second factor",
            Self::SingleUseAnswerLost { .. } => "get a new credential before you try again",
            Self::WrappingTokenUsed { .. } => {
                "if you didn't use it, revoke the SecretID; then get a new wrapping token"
            }
            Self::WrappingTokenMismatch { .. } => "don't use it; get a new wrapping token",
            Self::TooFewTokenUses { .. } => {
                "use a token without a limit of uses, or with a higher one"
            }
            Self::Unreadable { .. } => "check whether a proxy changes the answers",
        }
    }
}

fn uses(left: u64) -> String {
    count(usize::try_from(left).unwrap_or(usize::MAX), "use")
}

/// The server's messages, one note each.
fn quoted(messages: &[String]) -> Vec<String> {
    messages.iter().map(|message| format!("the server's message: {message}")).collect()
}

impl AsFindings for ProbeError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Address(error) => return error.findings(),
            Self::Credential(error) => return error.findings(),
            _ => {}
        }
        let finding = Finding::new(self.code(), self.to_string());
        let finding = self.notes().iter().fold(finding, Finding::with_note);
        vec![match self.help() {
            help if help.is_empty() => finding,
            help => finding.with_help(help),
        }]
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Address(error) => error.exit(),
            Self::Credential(error) => error.exit(),
            Self::InvalidAuthorities | Self::InvalidClientIdentity => Exit::Usage,
            Self::LoginRefused { .. }
            | Self::MfaRequired { .. }
            | Self::SingleUseAnswerLost { .. }
            | Self::WrappingTokenUsed { .. }
            | Self::WrappingTokenMismatch { .. }
            | Self::TokenRefused { .. } => Exit::LoginRefused,
            _ => Exit::Undetermined,
        }
    }
}
