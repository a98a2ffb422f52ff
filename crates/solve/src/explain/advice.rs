//! Lines to write in place of those that can't be met. None is given before it was tried.

use envlock_model::{
    question::{Asked, AskedSpec, Priority},
    spec::parse_request,
};
use envlock_report::Place;
use rattler_conda_types::{GenericVirtualPackage, RepoDataRecord};

use super::{
    conflict::attempt,
    reason::{Suggestion, TriedWith},
};
use crate::{
    Problem,
    pool::{Pool, PriorityExempt},
};

/// The lines that hold at once, and those that were advised so far: whoever follows all advice
/// of one run has a set that can be solved.
pub(super) struct Advice<'a> {
    problem: Problem<'a>,
    lines: Vec<AskedSpec>,
    /// Whether the lines that hold are all that could be met.
    holds_all: bool,
}

impl<'a> Advice<'a> {
    pub(super) fn new(problem: &Problem<'a>, holding: &[&AskedSpec], holds_all: bool) -> Self {
        Self { problem: *problem, lines: holding.iter().copied().cloned().collect(), holds_all }
    }

    /// The lines that advice is tried with.
    pub(super) fn tried_with(&self) -> TriedWith {
        if self.holds_all { TriedWith::OtherLines } else { TriedWith::SatisfiableLines }
    }

    /// That no version can be advised.
    pub(super) fn no_suggestion(&self) -> Suggestion {
        Suggestion::NoneFits { tried_with: (!self.lines.is_empty()).then(|| self.tried_with()) }
    }

    /// The priorities under which advice is tried: that of the question, and where it is a
    /// strict one among several channels, one that hides nothing.
    pub(super) fn priorities(&self) -> Vec<Priority> {
        let listed = self.problem.channels.iter().filter(|channel| !channel.only_for_specs);
        let hides = self.problem.priority == Priority::Strict && listed.count() > 1;
        let flexible = hides.then_some(Priority::Flexible);
        [self.problem.priority].into_iter().chain(flexible).collect()
    }

    /// The set with `line` among the others, on a machine that has `machine` besides what is
    /// assumed, if there is one. Where nothing but the line is needed for it, the line is one
    /// of the others from then on.
    pub(super) fn try_line(
        &mut self,
        line: &str,
        machine: Option<&str>,
        priority: Priority,
    ) -> Option<Vec<RepoDataRecord>> {
        let mut asked = match machine {
            Some(package) => with_virtual_package(self.problem.asked, package)?,
            None => self.problem.asked.clone(),
        };
        let line = parse_request(line, Place::new("", 1, 1))?;
        asked.requests = self.lines.iter().chain([&line]).cloned().collect();
        let problem = Problem { asked: &asked, priority, ..self.problem };
        let pool = Pool::new(&problem, &PriorityExempt::new());
        let set = attempt(&problem, &pool, &asked.requests.iter().collect::<Vec<_>>()).ok()?;
        if machine.is_none() && priority == self.problem.priority {
            self.lines.push(line);
        }
        Some(set)
    }
}

/// The same question for a machine that has `package`, newer than anything that asks for "at
/// least".
pub(super) fn with_virtual_package(asked: &Asked, package: &str) -> Option<Asked> {
    let mut asked = asked.clone();
    asked.virtual_packages.push(GenericVirtualPackage {
        name: package.parse().ok()?,
        version: "9999".parse().ok()?,
        build_string: "0".parse().ok()?,
    });
    Some(asked)
}
