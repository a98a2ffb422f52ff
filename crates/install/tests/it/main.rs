//! Installs into real directories, from packages made by hand. On Unix: they use links and
//! modes.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod activation;
mod clobbers;
mod errors;
mod hostile;
mod kills;
mod plans;
mod prefix_lock;
mod prefixes;
mod python;
mod scripts;
mod support;
mod untrusted;
