//! Queries a Vault or OpenBao server with a job's login: what the job may do, and which secrets
//! exist. This is the online part of the check.
//!
//! No secret value is ever read. The module `request` has the closed list of possible requests;
//! none of them returns a secret's value, and the crate can't send any other. Answers become
//! [`envlock_secrets::facts`], types that can't contain a value. A token or a password is a
//! [`Secret`], which can't be printed, compared or serialised.
//!
//! The flow: [`Settings`] -> `login` -> `session` -> `probe` -> facts. The login is revoked on every
//! path.

mod address;
mod answer;
mod connection;
mod credential;
mod error;
mod login;
mod probe;
mod reasons;
mod refusal;
mod request;
mod secret;
mod session;
mod settings;
mod wrapping;

pub use address::{Address, AddressError};
pub use credential::{CredentialError, CredentialSources, missing_credentials};
pub use error::ProbeError;
pub use probe::{ProbeReport, ProbeRequest, probe};
pub(crate) use reasons::NotRevoked;
pub use reasons::{
    AddressFault, AnswerFault, CredentialFault, FileFault, NotVaultReason, RedirectTarget,
};
pub use secret::Secret;
pub use settings::{ClientIdentity, RetryPolicy, Settings};
