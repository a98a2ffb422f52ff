//! Why there is no solution, by the lines of environment.yml.
//!
//! All reasons of one run come together: names that no channel has, versions that don't
//! exist, and then, among the requests that could each be met alone, every set of lines that
//! can't hold at once. A [`UnsolvableReason`] is data; [`UnsolvableReason::finding`] gives its words.

mod advice;
mod conflict;
mod finding;
mod nearest;
mod priority;
mod reason;
mod request;
mod text;

use std::collections::BTreeMap;

use crate::{
    Problem,
    pool::{Pool, PriorityExempt},
};
use advice::Advice;
pub use reason::{
    ExcludedRequirement, HiddenNeed, KeyValues, ReasonKind, RequestLine, Suggestion, TriedWith,
    UnsolvableReason, Versions,
};

/// Every package name of the indexes, with the channels that have it (by their place in
/// [`Problem::channels`]).
pub type ChannelsByPackage = BTreeMap<String, Vec<usize>>;

/// Explains why `problem` has no solution: at least one reason, in the order of the lines.
pub fn explain(problem: &Problem<'_>, names: &ChannelsByPackage) -> Vec<UnsolvableReason> {
    let pool = Pool::new(problem, &PriorityExempt::new());
    let (possible, impossible): (Vec<_>, Vec<_>) = problem
        .asked
        .requests
        .iter()
        .partition(|request| request::can_be_met(problem, &pool, request));
    let (mut found, holding) = conflict::conflicts(problem, &pool, possible);
    let mut advice = Advice::new(problem, &holding, found.is_empty());
    for request in impossible {
        found.push(request::unmet(problem, &pool, names, &mut advice, request));
    }
    found.sort_by(|a, b| a.place().cmp(&b.place()));
    found
}
