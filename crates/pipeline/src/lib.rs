//! One use case a file: solve and its check, install, fetch and bundle, the secrets
//! manifest, demo.
//!
//! This is the crate that composes: it reads files, asks channels, lets pure code decide and
//! hands the decision to whoever carries it out. It reads no environment variable, no clock
//! and no home directory: all of that comes in through [`Ambient`] and the requests.

mod access;
mod ambient;
pub mod demo;
pub mod doctor;
mod fetch;
mod files;
mod install;
mod policy;
mod question;
pub mod secrets;
mod solve;

pub use ambient::Ambient;
pub use fetch::{Bundled, FetchRequest, FetchedPlatform, ProvideError, bundle, fetch};
pub use files::FileError;
pub use install::{InstallError, InstallRequest, Installed, PipPolicy, install, own_prefix, stale};
pub use policy::Refusal;
pub use question::{ExcludeNewer, Overrides, QuestionError};
pub use solve::{Checked, Moves, SolveError, SolveRequest, Solved, check, solve};
