//! The secrets manifest, Vault and OpenBao policies as the servers understand them, and the
//! proof between the two, with no value; beside it, what a server said, where one was asked.
//!
//! Everything here is pure: texts and their names come in, findings go out. [`manifest`] says
//! what is needed, [`policy`] what is allowed, [`facts`] what a server said; [`checks`]
//! compares, [`suite`] runs unit tests of policies.

pub mod checks;
pub mod evidence;
pub mod facts;
pub mod generate;
pub mod manifest;
pub mod requirement;
