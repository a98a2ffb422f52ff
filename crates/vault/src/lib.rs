//! Asks a Vault or OpenBao server, in the name of a job, what the job may do and what is
//! there: the online half of the proof.
//!
//! No secret is ever read. The module `request` holds the closed list of requests that can be
//! made; none of them returns a secret's value, and there is no way to make another. What
//! comes back is turned into [`envlock_secrets::facts`], types in which no value fits. What
//! has to be kept from everybody, a token or a password, is a [`Secret`]: it can be neither
//! printed nor compared nor written down.
//!
//! The flow: [`Settings`] -> `login` -> `session` -> `probe` -> facts, and the way out
//! ends the login on every path.

mod address;
mod answer;
mod connection;
mod credential;
mod error;
mod fault;
mod login;
mod probe;
mod request;
mod secret;
mod session;
mod settings;
mod wrapping;

pub use address::{Address, AddressError};
pub use credential::{CredentialError, CredentialSources, has_all_credentials};
pub use error::ProbeError;
pub use fault::{AnswerFault, CredentialFault, ServerFault};
pub use probe::{ProbeReport, ProbeRequest, probe};
pub use secret::Secret;
pub use settings::{ClientIdentity, RetryPolicy, Settings};
