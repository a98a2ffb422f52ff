//! One match spec as conda reads it, taken apart into what the solver needs.
//!
//! The grammar is conda's (`conda.models.match_spec` and `conda.models.version`), not
//! rattler's: where the two differ, the text is brought into a form that means for rattler
//! what the original means for conda.

mod brackets;
mod error;
mod parse;
mod version;

#[cfg(test)]
mod tests;

pub(super) use error::{SpecError, SpecErrorKind};
pub(super) use parse::{parse, placeholder};
