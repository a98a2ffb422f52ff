//! Parses a match spec as conda does.
//!
//! The grammar is conda's (`conda.models.match_spec` and `conda.models.version`), not rattler's.
//! If the two differ, the text is rewritten so that it has the same meaning for rattler as the
//! original has for conda. [`Conditions`] are the rest, for which rattler has no form.

mod brackets;
mod conda_version;
mod conditions;
mod error;
mod parse;
mod version;
mod version_conditions;

#[cfg(test)]
mod tests;

pub use conditions::Conditions;
pub(super) use error::{SpecError, SpecErrorKind};
pub(super) use parse::parse;
pub(crate) use parse::placeholder;
