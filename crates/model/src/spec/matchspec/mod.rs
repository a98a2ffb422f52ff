//! Parses a match spec as conda does.
//!
//! The grammar is conda's (`conda.models.match_spec` and `conda.models.version`), not rattler's.
//! If the two differ, the text is rewritten so that it has the same meaning for rattler as the
//! original has for conda.

mod brackets;
mod error;
mod parse;
mod version;

#[cfg(test)]
mod tests;

pub(super) use error::{SpecError, SpecErrorKind};
pub(super) use parse::{parse, placeholder};
