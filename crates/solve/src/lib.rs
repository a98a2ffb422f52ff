//! From requests and records to a pinned set, or to the reason why there is none.
//!
//! Pure: records come in, records go out. [`Problem`] says what is asked, [`solve`] answers,
//! and [`explain`] says by the lines of environment.yml why there is no answer.

mod explain;
mod pool;
mod problem;
mod solver;
#[cfg(test)]
mod tests;

pub use explain::{
    ChannelsByPackage, ExcludedRequirement, HiddenNeed, KeyValues, ReasonKind, RequestLine,
    Suggestion, TriedWith, UnsolvableReason, Versions, explain,
};
pub use problem::{Problem, Records};
pub use solver::{Solution, SolveError, TooNew, solve};
