//! Requests that can each be met alone and not all at once: every smallest set of them.

use std::collections::BTreeSet;

use envlock_model::question::AskedSpec;
use envlock_report::{Code, Finding};
use rattler_conda_types::RepoDataRecord;

use super::{advice::on_machine_with, priority};
use crate::{Problem, SolveError, pool::Pool, solver::search};

/// So many sets are told in one run; whoever mends them sees the rest in the next.
const MOST_CONFLICTS: usize = 5;

/// So many lines of the solver's account are shown for one set.
const MOST_LINES: usize = 24;

/// Every conflict among `possible`, each a smallest set of requests that can't hold at once;
/// and the requests that have no part in any.
pub(super) fn conflicts<'a>(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    mut possible: Vec<&'a AskedSpec>,
) -> (Vec<Finding>, Vec<&'a AskedSpec>) {
    let mut found = Vec::new();
    while found.len() < MOST_CONFLICTS {
        let Err(error) = attempt(problem, pool, &possible) else { break };
        if !matches!(error, SolveError::NoSolution { .. }) {
            break;
        }
        let core = smallest(problem, pool, possible.clone());
        possible.retain(|request| !core.iter().any(|other| std::ptr::eq(*request, *other)));
        found.push(
            priority::hidden(problem, pool, &core).unwrap_or_else(|| tell(problem, pool, &core)),
        );
    }
    (found, possible)
}

/// Solves for some of the requests.
pub(super) fn attempt(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    requests: &[&AskedSpec],
) -> Result<Vec<RepoDataRecord>, SolveError> {
    search(problem, pool, requests.iter().map(|request| request.spec.clone()).collect(), &[])
}

/// Takes requests away as long as the rest still can't hold: what remains is a smallest set.
/// Halves first, then one by one, since most of a long list has no part in a conflict.
fn smallest<'a>(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    mut core: Vec<&'a AskedSpec>,
) -> Vec<&'a AskedSpec> {
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

fn tell(problem: &Problem<'_>, pool: &Pool<'_>, core: &[&AskedSpec]) -> Finding {
    let mut diagnostic = match core {
        [one] => Finding::new(
            Code::Conflict,
            format!("`{}` can't be met: what it needs isn't to be had", one.text),
        )
        .with_help("ask for another version of it, or add the channel that has what it needs"),
        _ => Finding::new(
            Code::Conflict,
            format!("these {} lines can't hold at once: {}", core.len(), texts(core)),
        )
        .with_help("loosen one of these lines"),
    };
    diagnostic.place = core.first().map(|request| request.place.clone());
    diagnostic.notes.extend(others(core));
    if let Err(SolveError::NoSolution { account }) = attempt(problem, pool, core) {
        if let Some(needed) = needed_of_machine(problem, pool, core) {
            diagnostic.help = Some(format!(
                "for machines that have it: solve with `--virtual-package {needed}=VERSION`"
            ));
        }
        diagnostic.notes.push(shortened(&account));
    }
    diagnostic
}

/// The virtual package that would make the difference: one that is not assumed at all, and
/// with which (in any version that a record names) the requests hold.
fn needed_of_machine(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&AskedSpec],
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
        let asked = on_machine_with(problem.asked, name)?;
        let problem = Problem { asked: &asked, ..*problem };
        attempt(&problem, pool, core).ok().map(|_| name.to_owned())
    })
}

/// The requests of a conflict in one line.
pub(super) fn texts(core: &[&AskedSpec]) -> String {
    core.iter().map(|request| format!("`{}`", request.text)).collect::<Vec<_>>().join(", ")
}

/// Where the requests but the first stand.
pub(super) fn others(core: &[&AskedSpec]) -> impl Iterator<Item = String> {
    core.iter().skip(1).map(|request| {
        format!("{}:{} asks for `{}`", request.place.file, request.place.line, request.text)
    })
}

fn shortened(account: &str) -> String {
    let lines: Vec<_> = account.trim_end().lines().collect();
    if lines.len() <= MOST_LINES {
        return lines.join("\n");
    }
    format!("{}\n… ({} lines more)", lines[..MOST_LINES].join("\n"), lines.len() - MOST_LINES)
}
