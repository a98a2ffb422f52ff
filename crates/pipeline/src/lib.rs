//! The use cases, one per file: solve and its check, install, fetch and bundle, verify, run, the
//! secrets manifest, policies, doctor, demo.
//!
//! This crate composes the other crates: it reads files, requests channels, calls pure code for
//! decisions and executes them. It prints nothing, and reads no environment variable, no clock
//! and no home directory: [`Project`], [`Context`] and the requests provide all of that.

mod allowed_channels;
pub mod check_secrets;
mod context;
pub mod demo;
pub mod doctor;
mod fetch;
mod files;
mod inputs;
mod install;
mod install_flags;
mod lock_credentials;
mod need_changes;
mod package_restrictions;
pub mod policy;
mod project;
mod run;
pub mod secrets_init;
mod solve;
mod verify;

pub use allowed_channels::Refusal;
pub use context::Context;
pub use fetch::{Bundle, FetchCommandError, FetchOptions, FetchedPlatform, bundle, fetch};
pub use files::FileError;
pub use inputs::{ExcludeNewer, InputsError, Overrides};
pub use install::{InstallError, InstallOptions, Installed, PipHandling, install, stale_findings};
pub use install_flags::InstallFlags;
pub use need_changes::{NeedChange, NeedChangeKind};
pub use project::{ENVIRONMENT_FILE, Project, ProjectFiles};
pub use run::{
    ActiveEnvironment, FreshnessContext, RunError, activate, freshness_warnings, prefix_to_run,
};
pub use solve::{LockCheck, PipError, SolveError, SolveOptions, Solved, Upgrade, check, solve};
pub use verify::{VerifiedPrefix, VerifyError, verify};

use envlock_channel::spawn_blocking;
