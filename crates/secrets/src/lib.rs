//! The secrets manifest, Vault and OpenBao policies as the servers understand them, and the
//! proof between the two, with no value; beside it, what a server said, where one was asked.
//!
//! Everything here is pure: texts and their names come in, findings go out. [`manifest`] says
//! what is needed, [`policy`] what is allowed, [`facts`] what a server said; [`checks`]
//! compares, [`codes`] explains each finding, [`suite`] runs unit tests of policies, [`canary`]
//! finds what should not be there.

pub mod canary;
pub mod checks;
pub mod codes;
pub mod evidence;
pub mod facts;
mod fields;
pub mod manifest;
mod mistakes;
pub mod policy;
pub mod requirement;
pub mod source;
pub mod suite;
mod tree;
