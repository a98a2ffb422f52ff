//! Explains by the lines of environment.yml why there is no solution.
//!
//! Returns all reasons of one run: names that no channel has, versions that don't exist, and then,
//! among the requests that can each be met alone, every smallest set of lines that can't be met
//! together. An [`UnsolvableReason`] is data; [`UnsolvableReason::finding`] is its text.

mod cases;
mod chain;
mod conflict;
mod describe;
mod finding;
mod narrow;
mod nearest;
mod other_names;
mod priority;
mod reason;
mod remedy;
mod request;
mod solver_message;
mod suggestion_trials;
mod text;

use std::collections::BTreeMap;

use crate::{
    Problem,
    pool::{Pool, PriorityExempt},
};
pub use reason::{
    ConflictStep, ExcludedRequirement, HiddenDependencyText, KeyValues, ReasonKind, RequestLine,
    StepOutcome, Suggestion, TriedWith, UnsolvableReason, Versions,
};
use suggestion_trials::SuggestionTrials;

/// Every package name in the repodata, with the positions of its channels in
/// [`Problem::channels`].
pub type ChannelsByPackage = BTreeMap<String, Vec<usize>>;

/// Explains why `problem` has no solution: at least one reason, in the order of the lines.
pub fn explain(problem: &Problem<'_>, names: &ChannelsByPackage) -> Vec<UnsolvableReason> {
    let pool = Pool::new(problem, &PriorityExempt::new());
    let (possible, impossible): (Vec<_>, Vec<_>) = problem
        .inputs
        .requests
        .iter()
        .partition(|request| request::can_be_met(problem, &pool, request));
    let (mut found, satisfiable) = conflict::conflicts(problem, &pool, possible);
    let mut trials = SuggestionTrials::new(problem, &satisfiable, found.is_empty());
    for request in impossible {
        found.push(request::unmet(problem, &pool, names, &mut trials, request));
    }
    found.sort_by(|a, b| a.place().cmp(&b.place()));
    found
}
