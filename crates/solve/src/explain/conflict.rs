//! Finds the smallest sets of requests that can each be met alone and not together.

use std::collections::BTreeSet;

use envlock_model::lock_inputs::RequestedSpec;
use rattler_conda_types::RepoDataRecord;

use super::{
    advice::with_virtual_package,
    priority,
    reason::{ReasonKind, UnsolvableReason},
};
use crate::{Problem, SolveError, pool::Pool, solver::search};

/// How many conflicts are reported in one run; the next run reports the rest.
const MAX_CONFLICTS: usize = 5;

/// How many lines of the solver's message are shown for one conflict.
const MAX_LINES: usize = 24;

/// Returns the conflicts among `possible`, each a smallest set of requests that can't be met
/// together, and the requests that are in no conflict.
pub(super) fn conflicts<'a>(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    mut possible: Vec<&'a RequestedSpec>,
) -> (Vec<UnsolvableReason>, Vec<&'a RequestedSpec>) {
    let mut found = Vec::new();
    while found.len() < MAX_CONFLICTS {
        let Err(error) = attempt(problem, pool, &possible) else { break };
        if !matches!(error, SolveError::NoSolution { .. }) {
            break;
        }
        let core = smallest(problem, pool, possible.clone());
        possible.retain(|request| !core.iter().any(|other| std::ptr::eq(*request, *other)));
        found.push(
            priority::hidden(problem, pool, &core).unwrap_or_else(|| reason(problem, pool, &core)),
        );
    }
    (found, possible)
}

/// Solves for some of the requests.
pub(super) fn attempt(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    requests: &[&RequestedSpec],
) -> Result<Vec<RepoDataRecord>, SolveError> {
    search(problem, pool, requests.iter().map(|request| request.spec.clone()).collect(), &[])
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
            if attempt(problem, pool, &rest).is_err() {
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

fn reason(problem: &Problem<'_>, pool: &Pool<'_>, core: &[&RequestedSpec]) -> UnsolvableReason {
    let kind = match attempt(problem, pool, core) {
        Err(SolveError::NoSolution { solver_message }) => ReasonKind::Conflict {
            solver_message: Some(shortened(&solver_message)),
            missing_virtual_package: missing_virtual_package(problem, pool, core),
        },
        _ => ReasonKind::Conflict { solver_message: None, missing_virtual_package: None },
    };
    UnsolvableReason::new(problem.platform, core, kind)
}

/// Returns a virtual package that isn't assumed and with which, in any version, the requests can
/// be met.
fn missing_virtual_package(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&RequestedSpec],
) -> Option<String> {
    let assumed = &problem.asked.virtual_packages;
    let requests: BTreeSet<_> = core.iter().map(|request| request.package()).collect();
    let usable = pool.names.iter().filter(|(name, _)| requests.contains(*name));
    let depends = usable
        .flat_map(|(_, candidates)| &candidates.usable)
        .flat_map(|(_, record)| &record.package_record.depends);
    let mut missing: BTreeSet<&str> = depends
        .filter(|dependency| dependency.starts_with("__"))
        .filter_map(|dependency| dependency.split([' ', '=', '>', '<']).next())
        .collect();
    missing.retain(|name| !assumed.iter().any(|package| package.name.as_normalized() == *name));
    missing.into_iter().find_map(|name| {
        let asked = with_virtual_package(problem.asked, name)?;
        let problem = Problem { asked: &asked, ..*problem };
        attempt(&problem, pool, core).ok().map(|_| name.to_owned())
    })
}

fn shortened(solver_message: &str) -> String {
    let lines: Vec<_> = solver_message.trim_end().lines().collect();
    if lines.len() <= MAX_LINES {
        return lines.join("\n");
    }
    format!("{}\n… ({} lines more)", lines[..MAX_LINES].join("\n"), lines.len() - MAX_LINES)
}
