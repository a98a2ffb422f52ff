//! The secrets manifest, and the checks of its needs against policies and against a server's facts.
//! No secret value is ever read.
//!
//! The crate is pure: texts in, findings out. [`manifest`] reads the needs, [`envlock_policy`]
//! decides what is allowed, [`facts`] is what a server reported; [`checks`] compares them, and
//! [`generate`] writes the policies that the needs require, and [`init`] a project's initial manifest.

pub mod checks;
pub mod facts;
pub mod generate;
pub mod init;
pub mod manifest;
mod mounts;
pub mod need_request;
pub mod token_life;
pub mod verdict;
