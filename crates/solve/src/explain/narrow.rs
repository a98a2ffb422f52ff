//! Narrows the candidates of each package, step by step, until a required package has none left.
//!
//! Each step follows from the steps before it, so that the steps explain the conflict. This finds
//! most conflicts but not all of them: it makes no assumptions and doesn't search.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use envlock_model::{lock_inputs::RequestedSpec, spec::RecordSpec};
use rattler_conda_types::{GenericVirtualPackage, RepoDataRecord};

use crate::{Problem, pool::Pool};

/// A set of candidates of one package, by their index.
pub(super) type CandidateSet = BTreeSet<usize>;

/// A candidate of a package.
#[derive(Debug, Clone, Copy)]
pub(super) enum PackageCandidate<'a> {
    Record(&'a RepoDataRecord),
    Virtual(&'a GenericVirtualPackage),
}

/// A package with its candidates.
pub(super) struct PackageCandidates<'a> {
    pub(super) name: String,
    pub(super) candidates: Vec<PackageCandidate<'a>>,
    /// The step that removed each candidate: the index in [`Narrowing::steps`].
    pub(super) removed_by: Vec<Option<usize>>,
    /// Why the package must be installed, if it must.
    pub(super) required_by: Option<Cause>,
    /// The number of steps before it was required.
    pub(super) required_at: usize,
    /// The dependencies and constraints of each candidate, once they are parsed.
    relations: Vec<Option<Vec<Relation>>>,
}

/// Why candidates are removed, or why a package is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The request with this index in the requests of [`Narrowing::conflict`].
    Request(usize),
    /// Every remaining candidate of this other package depends on the package, which makes it
    /// required, or has a dependency or constraint that the removed candidates don't meet. The
    /// index in [`Narrowing::packages`].
    DependentPackage(usize),
    /// The removed candidates have a dependency or constraint on this other package, and no
    /// candidate that meets it remains. The index in [`Narrowing::packages`].
    NoMatchLeft(usize),
    /// The assumption of [`Narrowing::conflict_assuming`]: only some candidates of the package
    /// remain.
    Assumed,
}

/// Candidates of one package that are removed for one cause.
pub(super) struct Step {
    /// The index in [`Narrowing::packages`].
    pub(super) package: usize,
    pub(super) cause: Cause,
}

/// A dependency or a constraint of a candidate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relation {
    /// The index in [`Narrowing::requirements`].
    pub(super) requirement: usize,
    pub(super) is_constraint: bool,
}

/// A text of a dependency or a constraint, with the candidates that it matches.
pub(super) struct RecordRequirement {
    pub(super) text: String,
    pub(super) spec: RecordSpec,
    /// The index in [`Narrowing::packages`].
    pub(super) package: usize,
    /// The candidates of the package that meet it.
    pub(super) matching: CandidateSet,
}

/// The state of the search for a conflict.
pub(super) struct Narrowing<'a> {
    problem: &'a Problem<'a>,
    pool: &'a Pool<'a>,
    pub(super) packages: Vec<PackageCandidates<'a>>,
    pub(super) steps: Vec<Step>,
    pub(super) requirements: Vec<RecordRequirement>,
    by_name: HashMap<String, usize>,
    by_text: HashMap<&'a str, Option<usize>>,
    queue: VecDeque<usize>,
}

impl<'a> Narrowing<'a> {
    pub(super) fn new(problem: &'a Problem<'a>, pool: &'a Pool<'a>) -> Self {
        Self {
            problem,
            pool,
            packages: Vec::new(),
            steps: Vec::new(),
            requirements: Vec::new(),
            by_name: HashMap::new(),
            by_text: HashMap::new(),
            queue: VecDeque::new(),
        }
    }

    /// Returns a required package without candidates if narrowing finds one, assuming that only
    /// these candidates of a package can be installed.
    pub(super) fn conflict_assuming(
        &mut self,
        requests: &[&RequestedSpec],
        name: &str,
        candidates: &CandidateSet,
    ) -> Option<usize> {
        let package = self.package(name);
        self.require(package, Cause::Assumed);
        self.keep(package, candidates, Cause::Assumed);
        self.conflict(requests)
    }

    /// Returns a required package without candidates if narrowing finds one.
    pub(super) fn conflict(&mut self, requests: &[&RequestedSpec]) -> Option<usize> {
        for (index, request) in requests.iter().enumerate() {
            let package = self.package(request.package());
            let matching = self.matching(package, |candidate| match candidate {
                PackageCandidate::Record(record) => request.matches_in_any_channel(record),
                PackageCandidate::Virtual(virtual_package) => {
                    request.matches_virtual(virtual_package)
                }
            });
            self.require(package, Cause::Request(index));
            self.keep(package, &matching, Cause::Request(index));
            if self.is_empty(package) {
                return Some(package);
            }
        }
        loop {
            while let Some(package) = self.queue.pop_front() {
                if let Some(conflict) = self.follow(package) {
                    return Some(conflict);
                }
            }
            let required = (0..self.packages.len()).filter(|package| self.is_required(*package));
            let mut removed = false;
            for package in required.collect::<Vec<_>>() {
                removed |= self.remove_unusable(package);
                if self.is_empty(package) {
                    return Some(package);
                }
            }
            if !removed {
                return None;
            }
        }
    }

    /// Returns the candidates that remain before a step.
    pub(super) fn remaining(&self, package: usize, step: usize) -> CandidateSet {
        let removed = self.packages[package].removed_by.iter().enumerate();
        removed.filter(|(_, by)| by.is_none_or(|by| by >= step)).map(|(index, _)| index).collect()
    }

    /// Returns the dependencies and constraints of a candidate.
    pub(super) fn relations(&mut self, package: usize, candidate: usize) -> Vec<Relation> {
        if let Some(known) = &self.packages[package].relations[candidate] {
            return known.clone();
        }
        let mut relations = Vec::new();
        if let PackageCandidate::Record(record) = self.packages[package].candidates[candidate] {
            let record = &record.package_record;
            let depends = record.depends.iter().map(|text| (text, false));
            for (text, is_constraint) in
                depends.chain(record.constrains.iter().map(|text| (text, true)))
            {
                if let Some(requirement) = self.requirement(text) {
                    relations.push(Relation { requirement, is_constraint });
                }
            }
        }
        self.packages[package].relations[candidate] = Some(relations.clone());
        relations
    }

    /// Returns what the remaining candidates of a package allow of others: the union of what
    /// each allows, and whether each needs the other package.
    fn allowed(&mut self, package: usize) -> BTreeMap<usize, (CandidateSet, bool)> {
        let remaining = self.remaining(package, usize::MAX);
        let mut allowed: BTreeMap<usize, (CandidateSet, usize, usize)> = BTreeMap::new();
        for candidate in &remaining {
            let mut of_candidate: BTreeMap<usize, (CandidateSet, bool)> = BTreeMap::new();
            for relation in self.relations(package, *candidate) {
                let requirement = &self.requirements[relation.requirement];
                if let Some((set, is_needed)) = of_candidate.get_mut(&requirement.package) {
                    set.retain(|other| requirement.matching.contains(other));
                    *is_needed |= !relation.is_constraint;
                } else {
                    let entry = (requirement.matching.clone(), !relation.is_constraint);
                    of_candidate.insert(requirement.package, entry);
                }
            }
            for (other, (set, is_needed)) in of_candidate {
                let entry = allowed.entry(other).or_default();
                entry.0.extend(set);
                entry.1 += 1;
                entry.2 += usize::from(is_needed);
            }
        }
        let all = remaining.len();
        let of_all = allowed.into_iter().filter(|(_, (_, number, _))| *number == all);
        of_all.map(|(other, (set, _, needed))| (other, (set, needed == all))).collect()
    }

    /// Narrows the packages that all remaining candidates of a package need.
    fn follow(&mut self, package: usize) -> Option<usize> {
        for (other, (allowed, is_needed)) in self.allowed(package) {
            if is_needed {
                self.require(other, Cause::DependentPackage(package));
            }
            self.keep(other, &allowed, Cause::DependentPackage(package));
            if self.is_present(other) && self.is_empty(other) {
                return Some(other);
            }
        }
        None
    }

    /// Removes the candidates of a package that need a removed one. Returns whether there are any.
    fn remove_unusable(&mut self, package: usize) -> bool {
        let mut removed: BTreeMap<usize, CandidateSet> = BTreeMap::new();
        for candidate in self.remaining(package, usize::MAX) {
            let lacks = self.relations(package, candidate).into_iter().find_map(|relation| {
                let requirement = &self.requirements[relation.requirement];
                let counts = !relation.is_constraint || self.is_present(requirement.package);
                let other = &self.packages[requirement.package];
                let is_met =
                    requirement.matching.iter().any(|index| other.removed_by[*index].is_none());
                (counts && !is_met).then_some(requirement.package)
            });
            if let Some(other) = lacks {
                removed.entry(other).or_default().insert(candidate);
            }
        }
        let found = !removed.is_empty();
        for (other, set) in removed {
            self.remove(package, &set, Cause::NoMatchLeft(other));
        }
        found
    }

    fn require(&mut self, package: usize, cause: Cause) {
        if self.packages[package].required_by.is_none() {
            self.packages[package].required_by = Some(cause);
            self.packages[package].required_at = self.steps.len();
            self.queue.push_back(package);
        }
    }

    fn keep(&mut self, package: usize, allowed: &CandidateSet, cause: Cause) {
        let remaining = self.remaining(package, usize::MAX);
        self.remove(package, &remaining.difference(allowed).copied().collect(), cause);
    }

    fn remove(&mut self, package: usize, removed: &CandidateSet, cause: Cause) {
        if removed.is_empty() {
            return;
        }
        let step = self.steps.len();
        for candidate in removed {
            self.packages[package].removed_by[*candidate] = Some(step);
        }
        self.steps.push(Step { package, cause });
        if self.is_required(package) {
            self.queue.push_back(package);
        }
    }

    fn is_required(&self, package: usize) -> bool {
        self.packages[package].required_by.is_some()
    }

    /// Whether a package is a part of every solution: it is required, or the machine has it.
    fn is_present(&self, package: usize) -> bool {
        let PackageCandidates { name, candidates, .. } = &self.packages[package];
        self.is_required(package) || (name.starts_with("__") && !candidates.is_empty())
    }

    fn is_empty(&self, package: usize) -> bool {
        self.packages[package].removed_by.iter().all(Option::is_some)
    }

    fn requirement(&mut self, text: &'a str) -> Option<usize> {
        if let Some(known) = self.by_text.get(text) {
            return *known;
        }
        let spec = RecordSpec::parse(text)
            .filter(|spec| spec.spec().condition.is_none() && !spec.package().is_empty());
        let requirement = spec.map(|spec| {
            let package = self.package(spec.package());
            let matching = self.matching(package, |candidate| match candidate {
                PackageCandidate::Record(record) => spec.matches(&record.package_record),
                PackageCandidate::Virtual(virtual_package) => spec.matches_virtual(virtual_package),
            });
            self.requirements.push(RecordRequirement {
                text: text.to_owned(),
                spec,
                package,
                matching,
            });
            self.requirements.len() - 1
        });
        self.by_text.insert(text, requirement);
        requirement
    }

    fn package(&mut self, name: &str) -> usize {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let candidates: Vec<_> = if name.starts_with("__") {
            let assumed = self.problem.inputs.virtual_packages.iter();
            assumed
                .filter(|package| package.name.as_normalized() == name)
                .map(PackageCandidate::Virtual)
                .collect()
        } else {
            let usable = self.pool.get(name).into_iter().flat_map(|found| &found.usable);
            usable.map(|(_, record)| PackageCandidate::Record(record)).collect()
        };
        self.packages.push(PackageCandidates {
            name: name.to_owned(),
            removed_by: vec![None; candidates.len()],
            relations: vec![None; candidates.len()],
            candidates,
            required_by: None,
            required_at: 0,
        });
        self.by_name.insert(name.to_owned(), self.packages.len() - 1);
        self.packages.len() - 1
    }

    fn matching(
        &self,
        package: usize,
        matches: impl Fn(PackageCandidate<'a>) -> bool,
    ) -> CandidateSet {
        let candidates = self.packages[package].candidates.iter().enumerate();
        candidates.filter(|(_, candidate)| matches(**candidate)).map(|(index, _)| index).collect()
    }
}
