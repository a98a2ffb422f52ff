//! Explains a conflict by cases, if no single chain of steps shows it: for each version of one
//! package, the steps that exclude that version.

use std::collections::BTreeMap;

use envlock_model::lock_inputs::RequestedSpec;

use super::{
    chain::chain,
    narrow::{CandidateSet, Narrowing, PackageCandidate},
    reason::ConflictStep,
};
use crate::{Problem, pool::Pool};

/// How many packages are tried.
const MAX_PACKAGES: usize = 4;

/// Packages with more cases aren't tried.
const MAX_CASES: usize = 8;

/// How many steps are given for each case.
const MAX_STEPS: usize = 2;

/// Returns the steps of each case. Empty if no package has a conflict in every case.
pub(super) fn steps(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&RequestedSpec],
    narrowing: &Narrowing<'_>,
) -> Vec<ConflictStep> {
    let mut packages: Vec<_> = (0..narrowing.packages.len())
        .filter(|package| narrowing.packages[*package].required_by.is_some())
        .map(|package| (package, cases(narrowing, package)))
        .filter(|(_, cases)| (2..=MAX_CASES).contains(&cases.len()))
        .collect();
    // Most packages depend on Python, so that its versions explain most.
    packages.sort_by_key(|(package, cases)| {
        (narrowing.packages[*package].name != "python", cases.len(), *package)
    });
    packages
        .into_iter()
        .take(MAX_PACKAGES)
        .find_map(|(package, cases)| {
            let name = &narrowing.packages[package].name;
            all_cases(problem, pool, core, name, &cases)
        })
        .unwrap_or_default()
}

/// Returns the steps of all cases. `None` if there is a case without a conflict.
fn all_cases(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&RequestedSpec],
    name: &str,
    cases: &BTreeMap<String, CandidateSet>,
) -> Option<Vec<ConflictStep>> {
    let mut all = Vec::new();
    for (version, candidates) in cases {
        let mut narrowing = Narrowing::new(problem, pool);
        let conflict = narrowing.conflict_assuming(core, name, candidates)?;
        let (steps, _) = chain(&mut narrowing, core, conflict);
        all.extend(
            steps
                .into_iter()
                .take(MAX_STEPS)
                .map(|step| ConflictStep { assuming: Some(format!("{name} {version}")), ..step }),
        );
    }
    Some(all)
}

/// Returns the remaining candidates of a package by version; of Python by release, such as 3.12.
fn cases(narrowing: &Narrowing<'_>, package: usize) -> BTreeMap<String, CandidateSet> {
    let mut cases: BTreeMap<String, CandidateSet> = BTreeMap::new();
    let name = &narrowing.packages[package].name;
    for candidate in narrowing.remaining(package, usize::MAX) {
        let version = match narrowing.packages[package].candidates[candidate] {
            PackageCandidate::Record(record) => record.package_record.version.to_string(),
            PackageCandidate::Virtual(package) => package.version.to_string(),
        };
        let version = match name.as_str() {
            "python" => version.split('.').take(2).collect::<Vec<_>>().join("."),
            _ => version,
        };
        cases.entry(version).or_default().insert(candidate);
    }
    cases
}
