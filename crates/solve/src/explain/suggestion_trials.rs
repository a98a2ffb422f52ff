//! Tries lines with the solver before they are suggested in place of lines that can't be met.

use envlock_model::{
    lock_inputs::{Priority, RequestedSpec},
    spec::parse_spec,
};
use envlock_report::Place;
use rattler_conda_types::RepoDataRecord;

use super::{
    conflict::attempt,
    reason::{Suggestion, TriedWith},
    remedy::with_newest_virtual_package,
};
use crate::{
    Problem,
    pool::{Pool, PriorityExempt},
};

/// Tries suggested lines together with all lines that can be met, and with the suggestions made
/// before. So following all suggestions of one run leads to a solution.
pub(super) struct SuggestionTrials<'a> {
    problem: Problem<'a>,
    /// The lines that can be met together, and the suggestions made before.
    lines: Vec<RequestedSpec>,
    /// Whether the satisfiable lines are all lines that could be met alone.
    includes_all: bool,
}

impl<'a> SuggestionTrials<'a> {
    pub(super) fn new(
        problem: &Problem<'a>,
        satisfiable: &[&RequestedSpec],
        includes_all: bool,
    ) -> Self {
        Self {
            problem: *problem,
            lines: satisfiable.iter().copied().cloned().collect(),
            includes_all,
        }
    }

    /// Returns which lines a suggestion is tried with: all others, or only the satisfiable ones.
    pub(super) fn tried_with(&self) -> TriedWith {
        if self.includes_all { TriedWith::OtherLines } else { TriedWith::SatisfiableLines }
    }

    /// Returns the result that no version can be suggested.
    pub(super) fn no_suggestion(&self) -> Suggestion {
        Suggestion::NoneFits { tried_with: (!self.lines.is_empty()).then(|| self.tried_with()) }
    }

    /// Returns the priorities to try: the one of the problem, and flexible priority if that one is
    /// strict and there are several channels.
    pub(super) fn priorities(&self) -> Vec<Priority> {
        let listed = self.problem.channels.iter().filter(|channel| !channel.only_for_specs);
        let hides = self.problem.priority == Priority::Strict && listed.count() > 1;
        let flexible = hides.then_some(Priority::Flexible);
        [self.problem.priority].into_iter().chain(flexible).collect()
    }

    /// Solves with `line` added, on a machine that also has the virtual package `machine`. Returns
    /// the records if there is a solution, and keeps the line for later attempts if it needs
    /// nothing else.
    pub(super) fn try_line(
        &mut self,
        line: &str,
        machine: Option<&str>,
        priority: Priority,
    ) -> Option<Vec<RepoDataRecord>> {
        let mut inputs = match machine {
            Some(package) => with_newest_virtual_package(self.problem.inputs, package)?,
            None => self.problem.inputs.clone(),
        };
        let line = parse_spec(line, Place::new("", 1, 1))?;
        inputs.requests = self.lines.iter().chain([&line]).cloned().collect();
        let problem = Problem { inputs: &inputs, priority, ..self.problem };
        let pool = Pool::new(&problem, &PriorityExempt::new());
        let set = attempt(&problem, &pool, &inputs.requests.iter().collect::<Vec<_>>()).ok()?;
        if machine.is_none() && priority == self.problem.priority {
            self.lines.push(line);
        }
        Some(set)
    }
}
