//! Requests that can each be met alone and not all at once: every smallest set of them.

use envlock_model::question::AskedSpec;
use envlock_report::Diagnostic;
use rattler_conda_types::RepoDataRecord;

use super::{request::without_channel, words};
use crate::{
    Problem, SolveError,
    pool::{Lifted, Pool, name},
    solver::search,
};

/// So many sets are told in one run; whoever mends them sees the rest in the next.
const MOST_CONFLICTS: usize = 5;

/// So many lines of the solver's account are shown for one set.
const MOST_LINES: usize = 24;

/// Every conflict among `possible`, each a smallest set of requests that can't hold at once.
pub(super) fn conflicts(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    mut possible: Vec<&AskedSpec>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    while found.len() < MOST_CONFLICTS {
        let Err(error) = attempt(problem, pool, &possible) else { break };
        if !matches!(error, SolveError::NoSolution { .. }) {
            break;
        }
        let core = smallest(problem, pool, possible.clone());
        possible.retain(|request| !core.iter().any(|other| std::ptr::eq(*request, *other)));
        found.push(tell(problem, pool, &core));
    }
    found
}

fn attempt(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    requests: &[&AskedSpec],
) -> Result<Vec<RepoDataRecord>, SolveError> {
    search(problem, pool, requests.iter().map(|request| request.spec.clone()).collect())
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

fn tell(problem: &Problem<'_>, pool: &Pool<'_>, core: &[&AskedSpec]) -> Diagnostic {
    let hidden = hidden_by_priority(problem, core);
    let texts: Vec<_> = core.iter().map(|request| format!("`{}`", request.text)).collect();
    let place = core.first().map(|request| request.place.clone());
    let mut diagnostic = if hidden.is_empty() {
        match core {
            [one] => Diagnostic::error(
                "conflict",
                format!("`{}` can't be met: what it needs isn't to be had", one.text),
            ),
            _ => Diagnostic::error(
                "conflict",
                format!("these {} lines can't hold at once: {}", core.len(), texts.join(", ")),
            ),
        }
    } else {
        let packages: Vec<_> =
            hidden.iter().map(|lift| format!("the {} of {}", lift.package, lift.channel)).collect();
        Diagnostic::error(
            "hidden-by-priority",
            format!(
                "{} can't be met: strict channel priority hides {}",
                texts.join(", "),
                packages.join(", ")
            ),
        )
    };
    diagnostic.place = place;
    for request in core.iter().skip(1) {
        diagnostic = diagnostic.with_note(format!(
            "{}:{} asks for `{}`",
            request.place.file, request.place.line, request.text
        ));
    }
    for lift in &hidden {
        diagnostic = diagnostic.with_note(format!(
            "{} comes before {} and has {} too ({}), so it alone is used",
            lift.used, lift.channel, lift.package, lift.versions
        ));
    }
    if let Err(SolveError::NoSolution { account }) = attempt(problem, pool, core) {
        diagnostic = diagnostic.with_note(shortened(&account));
    }
    diagnostic.with_help(help(core, &hidden))
}

fn help(core: &[&AskedSpec], hidden: &[Lift<'_>]) -> String {
    let Some(first) = hidden.first() else {
        return match core {
            [_] => "ask for another version of it, or add the channel that has what it needs"
                .to_owned(),
            _ => "loosen one of these lines".to_owned(),
        };
    };
    let lines: Vec<_> = hidden
        .iter()
        .map(|lift| {
            let asked = core.iter().find(|request| request.package() == lift.package);
            let text = asked.map_or(lift.package, |request| without_channel(&request.text));
            format!("`{}::{text}`", lift.channel)
        })
        .collect();
    format!(
        "ask that channel for it: write {} among the dependencies; or list {} before {} in `channels:`",
        lines.join(", "),
        first.channel,
        first.used
    )
}

/// A package that has to come from a channel behind the one that priority uses.
struct Lift<'a> {
    package: &'a str,
    channel: &'a str,
    used: &'a str,
    versions: String,
}

/// The fewest packages that would have to come from a later channel for `core` to hold; none
/// when priority has no part in it.
fn hidden_by_priority<'a>(problem: &Problem<'a>, core: &[&AskedSpec]) -> Vec<Lift<'a>> {
    let strict = Pool::new(problem, &Lifted::new());
    let solved = |lifted: &Lifted<'_>| attempt(problem, &Pool::new(problem, lifted), core).ok();
    // All that priority hides: if that doesn't help, priority isn't the cause.
    let mut lifted: Lifted<'a> = strict
        .names
        .iter()
        .filter(|(package, candidates)| {
            !pinned(problem, package)
                && candidates
                    .hidden
                    .iter()
                    .any(|(channel, _)| !problem.channels[*channel].only_for_specs)
        })
        .map(|(package, _)| *package)
        .collect();
    if lifted.is_empty() || solved(&lifted).is_none() {
        return Vec::new();
    }
    keep_what_matters(&mut lifted, &|fewer| solved(fewer).is_some());
    let records = solved(&lifted).unwrap_or_default();
    lifted
        .into_iter()
        .filter_map(|package| {
            let record = records.iter().find(|record| name(record) == package)?;
            let channel = problem.channels.iter().find(|channel| channel.holds(record))?;
            let candidates = &strict.names[package];
            let used = &problem.channels[candidates.channel?];
            Some(Lift {
                package,
                channel: &channel.name,
                used: &used.name,
                versions: words::versions(candidates.usable.iter().map(|(_, r)| *r), 3),
            })
        })
        .collect()
}

/// Drops from `lifted` what `holds` without, in halves and then one by one.
fn keep_what_matters<'a>(lifted: &mut Lifted<'a>, holds: &dyn Fn(&Lifted<'_>) -> bool) {
    let mut size = lifted.len().div_ceil(2);
    while size >= 1 {
        let names: Vec<&'a str> = lifted.iter().copied().collect();
        for chunk in names.chunks(size) {
            let mut fewer = lifted.clone();
            fewer.retain(|package| !chunk.contains(package));
            if holds(&fewer) {
                *lifted = fewer;
            }
        }
        if size == 1 {
            break;
        }
        size = size.div_ceil(2);
    }
}

fn pinned(problem: &Problem<'_>, package: &str) -> bool {
    problem
        .asked
        .requests
        .iter()
        .any(|request| request.package() == package && request.channel.is_some())
}

fn shortened(account: &str) -> String {
    let lines: Vec<_> = account.trim_end().lines().collect();
    if lines.len() <= MOST_LINES {
        return lines.join("\n");
    }
    format!("{}\n… ({} lines more)", lines[..MOST_LINES].join("\n"), lines.len() - MOST_LINES)
}
