//! Selects the steps of a narrowing that lead to its conflict, the last ones first.

use std::collections::{BTreeMap, BTreeSet};

use envlock_model::lock_inputs::RequestedSpec;

use super::{
    describe::{describe, describe_requirements},
    narrow::{CandidateSet, Cause, Narrowing, PackageCandidate},
    reason::{ConflictStep, RequestLine, StepOutcome},
    text::requested_version,
};

/// Returns the steps that lead to the package without candidates, and the indexes of the requests
/// that they follow from.
pub(super) fn chain(
    narrowing: &mut Narrowing<'_>,
    requests: &[&RequestedSpec],
    conflict: usize,
) -> (Vec<ConflictStep>, BTreeSet<usize>) {
    let mut chain = Chain {
        narrowing,
        requests,
        open: BTreeMap::new(),
        required: BTreeSet::new(),
        links: Vec::new(),
        used: BTreeSet::new(),
        steps: Vec::new(),
    };
    chain.require(conflict);
    let all = (0..chain.narrowing.packages[conflict].candidates.len()).collect();
    chain.explain(conflict, &all);
    let mut later = Vec::new();
    while let Some((step, removed)) = chain.open.pop_last() {
        let before = chain.steps.len();
        chain.step(step, &removed);
        // What removes the candidates of the conflict comes before the reasons for it.
        if chain.narrowing.steps[step].package != conflict {
            later.extend(chain.steps.split_off(before));
        }
    }
    chain.steps.extend(later);
    let mut steps: Vec<ConflictStep> = Vec::new();
    let Chain { steps: all, links, used, .. } = chain;
    for step in all {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    // Most links are steps already, because they remove candidates.
    for (by, link) in links {
        let is_known = steps.iter().any(|step| {
            let rest = step.packages.strip_prefix(by.as_str());
            step.needed == link.needed && rest.is_some_and(|r| r.is_empty() || r.starts_with(' '))
        });
        if !is_known {
            steps.push(link);
        }
    }
    (steps, used)
}

struct Chain<'n, 'a, 'r> {
    narrowing: &'n mut Narrowing<'a>,
    requests: &'r [&'r RequestedSpec],
    /// The steps to explain, with the removed candidates that count.
    open: BTreeMap<usize, CandidateSet>,
    /// The packages of which it is explained why they are required.
    required: BTreeSet<usize>,
    /// The steps that show why a package is required, each with the package that needs it.
    links: Vec<(String, ConflictStep)>,
    /// The requests that the steps follow from.
    used: BTreeSet<usize>,
    steps: Vec<ConflictStep>,
}

impl Chain<'_, '_, '_> {
    /// Adds the steps that removed these candidates.
    fn explain(&mut self, package: usize, removed: &CandidateSet) {
        for candidate in removed {
            if let Some(step) = self.narrowing.packages[package].removed_by[*candidate] {
                self.open.entry(step).or_default().insert(*candidate);
            }
        }
    }

    /// Explains why a package is required.
    fn require(&mut self, package: usize) {
        if !self.required.insert(package) {
            return;
        }
        let by = match self.narrowing.packages[package].required_by {
            Some(Cause::DependentPackage(by)) => by,
            Some(Cause::Request(index)) => {
                self.used.insert(index);
                return;
            }
            Some(Cause::NoMatchLeft(_) | Cause::Assumed) | None => return,
        };
        let step = self.narrowing.packages[package].required_at;
        let remaining = self.narrowing.remaining(by, step);
        let without: CandidateSet = self.removed_before(by, step, |narrowing, candidate| {
            let relations = narrowing.relations(by, candidate);
            !relations.iter().any(|relation| {
                !relation.is_constraint
                    && narrowing.requirements[relation.requirement].package == package
            })
        });
        let link = self.needs(by, &remaining, package);
        if self.narrowing.packages[package].candidates.is_empty() {
            self.steps.push(link);
        } else {
            self.links.push((self.narrowing.packages[by].name.clone(), link));
        }
        self.explain(by, &without);
        self.require(by);
    }

    fn step(&mut self, step: usize, removed: &CandidateSet) {
        let (package, cause) = {
            let step = &self.narrowing.steps[step];
            (step.package, step.cause)
        };
        match cause {
            Cause::Request(index) => self.requested(package, index),
            Cause::Assumed => {}
            Cause::DependentPackage(by) => {
                let remaining = self.narrowing.remaining(by, step);
                let also = self.removed_before(by, step, |narrowing, candidate| {
                    let relations = narrowing.relations(by, candidate);
                    let requirements: Vec<_> = relations
                        .iter()
                        .map(|relation| &narrowing.requirements[relation.requirement])
                        .filter(|requirement| requirement.package == package)
                        .collect();
                    removed
                        .iter()
                        .any(|other| requirements.iter().all(|n| n.matching.contains(other)))
                });
                let step = self.needs(by, &remaining, package);
                self.steps.push(step);
                self.explain(by, &also);
                self.require(by);
            }
            Cause::NoMatchLeft(other) => {
                let mut matching = CandidateSet::new();
                for candidate in removed {
                    for relation in self.narrowing.relations(package, *candidate) {
                        let requirement = &self.narrowing.requirements[relation.requirement];
                        let is_unmet = requirement.package == other
                            && requirement.matching.iter().all(|index| {
                                let by = self.narrowing.packages[other].removed_by[*index];
                                by.is_some_and(|by| by < step)
                            });
                        if is_unmet {
                            matching.extend(&requirement.matching);
                        }
                    }
                }
                let step = self.needs(package, removed, other);
                self.steps.push(step);
                self.explain(other, &matching);
                self.require(other);
            }
        }
    }

    /// Returns the candidates of a package that were removed before a step and meet a condition.
    fn removed_before(
        &mut self,
        package: usize,
        step: usize,
        mut condition: impl FnMut(&mut Narrowing<'_>, usize) -> bool,
    ) -> CandidateSet {
        let remaining = self.narrowing.remaining(package, step);
        let all = 0..self.narrowing.packages[package].candidates.len();
        let removed: Vec<_> = all.filter(|index| !remaining.contains(index)).collect();
        removed.into_iter().filter(|index| condition(self.narrowing, *index)).collect()
    }

    /// Adds a request to the step of another package. It needs no step of its own, since its line
    /// is shown anyway.
    fn requested(&mut self, package: usize, index: usize) {
        self.used.insert(index);
        let request = self.requests[index];
        let name = &self.narrowing.packages[package].name;
        let other = self
            .steps
            .iter_mut()
            .rev()
            .find(|step| step.needed == *name && step.outcome == StepOutcome::Excluded);
        if let Some(step) = other {
            step.outcome = StepOutcome::RequestedOtherwise {
                line: RequestLine::new(request),
                version: requested_version(request),
            };
        }
    }

    /// Creates the step that candidates of a package need candidates of another.
    fn needs(&mut self, by: usize, candidates: &CandidateSet, package: usize) -> ConflictStep {
        let mut requirements = Vec::new();
        let mut matching = CandidateSet::new();
        for candidate in candidates {
            let relations = self.narrowing.relations(by, *candidate).into_iter();
            let all = &self.narrowing.requirements;
            let of_it: Vec<_> = relations
                .map(|relation| relation.requirement)
                .filter(|requirement| all[*requirement].package == package)
                .collect();
            let matches_all =
                |index: &usize| of_it.iter().all(|n| all[*n].matching.contains(index));
            let first = of_it.first().map(|requirement| &all[*requirement].matching);
            matching.extend(first.into_iter().flatten().filter(|index| matches_all(index)));
            for requirement in &of_it {
                // A dependency that another one of the same candidate narrows adds nothing.
                let is_narrowed = of_it.iter().any(|other| {
                    let (other, requirement) = (&all[*other].matching, &all[*requirement].matching);
                    other.len() < requirement.len() && other.is_subset(requirement)
                });
                if !is_narrowed && !requirements.contains(requirement) {
                    requirements.push(*requirement);
                }
            }
        }
        let requirements = requirements
            .into_iter()
            .map(|requirement| &self.narrowing.requirements[requirement])
            .collect::<Vec<_>>();
        let needed = &self.narrowing.packages[package];
        let outcome = if !matching.is_empty() {
            StepOutcome::Excluded
        } else if needed.name.starts_with("__") {
            StepOutcome::NotAssumed {
                assumed: needed.candidates.iter().find_map(|candidate| match candidate {
                    // The version of a microarchitecture is always 1.
                    PackageCandidate::Virtual(package) if needed.name == "__archspec" => {
                        Some(package.build_string.to_string())
                    }
                    PackageCandidate::Virtual(package) => Some(package.version.to_string()),
                    PackageCandidate::Record(_) => None,
                }),
            }
        } else if needed.candidates.is_empty() {
            StepOutcome::NoSuchPackage
        } else {
            let all = (0..needed.candidates.len()).collect();
            StepOutcome::OtherVersions { available: describe(needed, &all) }
        };
        ConflictStep {
            assuming: None,
            packages: describe(&self.narrowing.packages[by], candidates),
            needed: needed.name.clone(),
            needs: describe_requirements(needed, &requirements, &matching),
            outcome,
        }
    }
}
