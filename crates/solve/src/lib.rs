//! Solves requests over records: a pinned set of packages, or the reasons why there is none.
//!
//! Pure: records come in, records go out. [`Problem`] is the input, [`solve`] solves it, and
//! [`explain`] explains by the lines of environment.yml why there is no solution.

mod explain;
mod pool;
mod problem;
mod solver;
#[cfg(test)]
mod tests;
mod translate;

pub use explain::{
    ChannelsByPackage, ConflictStep, ExcludedRequirement, HiddenDependencyText, KeyValues,
    ReasonKind, RequestLine, StepOutcome, Suggestion, TriedWith, UnsolvableReason, Versions,
    explain,
};
pub use problem::{Problem, Records};
pub use solver::{ExcludedByTime, Solution, SolveError, solve};
