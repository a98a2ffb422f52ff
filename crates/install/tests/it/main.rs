//! Installs into real directories, from packages made by hand. On Unix: they use links and
//! modes.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod activation;
mod clobbers;
mod hostile;
mod kills;
mod one_at_a_time;
mod plans;
mod prefixes;
mod python;
mod scripts;
mod support;
mod troubles;
