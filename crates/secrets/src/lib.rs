//! The secrets manifest, and the checks of its needs against policies and against what a server
//! reported. No secret value is ever read.
//!
//! Everything here is pure: texts come in, findings go out. [`manifest`] says what is needed,
//! [`envlock_policy`] what is allowed, [`facts`] what a server reported; [`checks`] compares
//! them, and [`generate`] writes the policies that the needs require.

pub mod checks;
pub mod facts;
pub mod generate;
pub mod manifest;
pub mod requirement;
pub mod verdict;
