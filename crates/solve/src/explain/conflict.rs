//! Finds the smallest sets of requests that can each be met alone and not together.

use std::collections::BTreeSet;

use envlock_model::lock_inputs::RequestedSpec;
use rattler_conda_types::RepoDataRecord;

use super::{
    cases,
    chain::chain,
    narrow::Narrowing,
    priority,
    reason::{ConflictStep, ReasonKind, StepOutcome, UnsolvableReason, Versions},
    remedy,
    request::MAX_VERSIONS,
    solver_message,
};
use crate::{Problem, SolveError, pool::Pool, solver::search};

/// How many conflicts are reported in one run; the next run reports the rest.
const MAX_CONFLICTS: usize = 5;

/// Returns the conflicts among `possible`, each a smallest set of requests that can't be met
/// together, and the requests that are in no conflict.
pub(super) fn conflicts<'a>(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    mut possible: Vec<&'a RequestedSpec>,
) -> (Vec<UnsolvableReason>, Vec<&'a RequestedSpec>) {
    let mut cores = Vec::new();
    while cores.len() < MAX_CONFLICTS {
        let subset = match narrowed(problem, pool, &possible) {
            Some(subset) => subset,
            None => match attempt(problem, pool, &possible) {
                Err(SolveError::NoSolution { .. }) => possible.clone(),
                _ => break,
            },
        };
        let core = smallest(problem, pool, subset);
        possible.retain(|request| !core.iter().any(|other| std::ptr::eq(*request, *other)));
        cores.push(core);
    }
    let reasons = cores.iter().map(|core| {
        priority::hidden_by_priority(problem, pool, core)
            .unwrap_or_else(|| reason(problem, pool, core, &possible))
    });
    (reasons.collect(), possible)
}

/// Solves for some of the requests.
pub(super) fn attempt(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    requests: &[&RequestedSpec],
) -> Result<Vec<RepoDataRecord>, SolveError> {
    search(problem, pool, requests, &[])
}

/// Returns a subset that can't be met together: the requests of the steps that lead to the
/// conflict. `None` if narrowing finds no conflict. Narrowing is much cheaper than solving.
fn narrowed<'a>(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    requests: &[&'a RequestedSpec],
) -> Option<Vec<&'a RequestedSpec>> {
    let mut narrowing = Narrowing::new(problem, pool);
    let conflict = narrowing.conflict(requests)?;
    let (_, used) = chain(&mut narrowing, requests, conflict);
    let subset: Vec<_> = used.into_iter().map(|index| requests[index]).collect();
    Some(if is_unsolvable(problem, pool, &subset) { subset } else { requests.to_vec() })
}

fn is_unsolvable(problem: &Problem<'_>, pool: &Pool<'_>, requests: &[&RequestedSpec]) -> bool {
    Narrowing::new(problem, pool).conflict(requests).is_some()
        || attempt(problem, pool, requests).is_err()
}

/// Removes requests as long as the rest still can't be met. The result is a smallest set. Removes
/// halves first, then single requests, since most of a long list has no part in a conflict.
fn smallest<'a>(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    mut core: Vec<&'a RequestedSpec>,
) -> Vec<&'a RequestedSpec> {
    let mut size = core.len().div_ceil(2);
    while size >= 1 {
        let mut start = 0;
        while start < core.len() && core.len() > 1 {
            let end = (start + size).min(core.len());
            let rest: Vec<_> = core[..start].iter().chain(&core[end..]).copied().collect();
            if is_unsolvable(problem, pool, &rest) {
                core = rest;
            } else {
                start = end;
            }
        }
        if size == 1 {
            break;
        }
        size = size.div_ceil(2);
    }
    core
}

/// Returns the reason if all requests are for one package.
fn same_package(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&RequestedSpec],
) -> Option<UnsolvableReason> {
    let package = core.first()?.package();
    let candidates = pool.get(package)?;
    let records = || candidates.usable.iter().map(|(_, record)| *record);
    let is_one = core.len() > 1 && core.iter().all(|request| request.package() == package);
    let is_met = records()
        .any(|record| core.iter().all(|request| request.matches(record, problem.channels)));
    (is_one && !is_met).then(|| {
        let usable = Versions::from_records(records(), MAX_VERSIONS);
        let kind = ReasonKind::SamePackage { package: package.to_owned(), usable };
        UnsolvableReason::new(problem.platform, core, kind)
    })
}

fn reason(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&RequestedSpec],
    others: &[&RequestedSpec],
) -> UnsolvableReason {
    if let Some(reason) = same_package(problem, pool, core) {
        return reason;
    }
    let steps = steps(problem, pool, core);
    let solver_message = if steps.is_empty() {
        match attempt(problem, pool, core) {
            Err(SolveError::NoSolution { solver_message }) => {
                Some(solver_message::merge_siblings(&solver_message))
            }
            _ => None,
        }
    } else {
        None
    };
    let missing: BTreeSet<&str> = steps
        .iter()
        .filter(|step| matches!(step.outcome, StepOutcome::NotAssumed { .. }))
        .map(|step| step.needed.as_str())
        .collect();
    // Steps without a virtual package show that none can help.
    let virtual_package = if steps.is_empty() || !missing.is_empty() {
        remedy::remedying_virtual_package(problem, pool, core, &missing)
    } else {
        None
    };
    let insufficient_virtual_package = match virtual_package {
        Some(_) => None,
        None => steps.iter().find_map(|step| missing_virtual_package(problem, step)),
    };
    let instead = match virtual_package {
        Some(_) => Vec::new(),
        None => remedy::replacement_lines(problem, pool, core, others),
    };
    let kind = ReasonKind::Conflict {
        steps,
        solver_message,
        virtual_package,
        insufficient_virtual_package,
        instead,
    };
    UnsolvableReason::new(problem.platform, core, kind)
}

/// Returns the value of `--virtual-package` that meets the need of a step, if it is one for a
/// virtual package.
fn missing_virtual_package(problem: &Problem<'_>, step: &ConflictStep) -> Option<String> {
    matches!(step.outcome, StepOutcome::NotAssumed { .. })
        .then(|| remedy::value_for(problem.platform, &step.needed, &step.needs))?
}

/// Returns the steps that show why the requests can't be met. Empty if neither a chain nor cases
/// show it.
fn steps(problem: &Problem<'_>, pool: &Pool<'_>, core: &[&RequestedSpec]) -> Vec<ConflictStep> {
    let mut narrowing = Narrowing::new(problem, pool);
    match narrowing.conflict(core) {
        Some(conflict) => chain(&mut narrowing, core, conflict).0,
        None => cases::steps(problem, pool, core, &narrowing),
    }
}
