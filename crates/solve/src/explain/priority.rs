//! A conflict that strict channel priority causes: what it hides, on which path that is
//! needed, and what to write.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use envlock_model::question::AskedSpec;
use envlock_report::Diagnostic;
use rattler_conda_types::{MatchSpec, Matches, ParseMatchSpecOptions, RepoDataRecord};

use super::{
    conflict::{attempt, others, texts},
    request::{obstacle, without_channel},
    words,
};
use crate::{
    Problem,
    pool::{Lifted, Pool, name},
};

/// So many hidden packages are named.
const NAMED: usize = 8;

/// Up to so many hidden packages can sensibly be asked for one by one; where more are
/// hidden, the order of the channels is the cure.
const ONE_BY_ONE: usize = 3;

/// So many versions of the channel in front are listed.
const VERSIONS: usize = 3;

/// The conflict told as one of priority; none when priority has no part in it.
pub(super) fn hidden(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&AskedSpec],
) -> Option<Diagnostic> {
    // If not even all that is hidden helps, priority isn't the cause.
    let all: Lifted<'_> = pool.names.keys().copied().collect();
    attempt(problem, &Pool::new(problem, &all), core).ok()?;

    let mut lifted = Lifted::new();
    let mut steps = Vec::new();
    loop {
        let with = Pool::new(problem, &lifted);
        if !steps.is_empty() && attempt(problem, &with, core).is_ok() {
            break;
        }
        let Some(step) = hidden_need(problem, &with, core) else { break };
        let known = pool.names.keys().find(|known| **known == step.package)?;
        if !lifted.insert(known) {
            break;
        }
        steps.push(step);
    }
    let first = steps.first()?;
    Some(tell(problem, pool, core, first, &steps))
}

/// A need that only a hidden record meets.
struct Need {
    /// The packages from a request to the one that needs it, as `name version`.
    path: Vec<String>,
    package: String,
    spec: String,
    /// The channel that could meet it.
    channel: usize,
    /// The newest version there that does.
    version: String,
}

/// The first such need on the way from the requests through the newest records.
fn hidden_need(problem: &Problem<'_>, pool: &Pool<'_>, core: &[&AskedSpec]) -> Option<Need> {
    let mut seen = BTreeSet::new();
    let mut queue: VecDeque<(MatchSpec, Vec<String>)> =
        core.iter().map(|request| (request.spec.clone(), Vec::new())).collect();
    while let Some((spec, path)) = queue.pop_front() {
        let Some(package) = spec.name.as_exact().map(|name| name.as_normalized().to_owned()) else {
            continue;
        };
        let Some(candidates) = pool.get(&package) else { continue };
        let usable = candidates.usable.iter().map(|(_, record)| *record);
        let best = newest(problem, pool, usable.filter(|record| spec.matches(*record)));
        let Some(best) = best else {
            let hidden = candidates
                .hidden
                .iter()
                .filter(|(channel, record)| {
                    !problem.channels[*channel].only_for_specs && spec.matches(*record)
                })
                .max_by_key(|(_, record)| &record.package_record.version);
            if let Some((channel, record)) = hidden.filter(|_| !pinned(problem, &package)) {
                return Some(Need {
                    path,
                    spec: spec.to_string(),
                    channel: *channel,
                    version: record.package_record.version.to_string(),
                    package,
                });
            }
            continue;
        };
        if !seen.insert(package) {
            continue;
        }
        let mut here = path;
        here.push(format!("{} {}", name(best), best.package_record.version));
        for dependency in &best.package_record.depends {
            if let Ok(spec) = MatchSpec::from_str(dependency, ParseMatchSpecOptions::lenient()) {
                queue.push_back((spec, here.clone()));
            }
        }
    }
    None
}

/// The newest record that the other lines allow; else the newest.
fn newest<'a>(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    records: impl Iterator<Item = &'a RepoDataRecord>,
) -> Option<&'a RepoDataRecord> {
    let mut records: Vec<_> = records.collect();
    records.sort_by_key(|record| {
        std::cmp::Reverse((&record.package_record.version, record.package_record.build_number))
    });
    let allowed = records.iter().find(|record| obstacle(problem, pool, &[record]).is_none());
    allowed.or_else(|| records.first()).copied()
}

fn pinned(problem: &Problem<'_>, package: &str) -> bool {
    problem
        .asked
        .requests
        .iter()
        .any(|request| request.package() == package && request.channel.is_some())
}

fn tell(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&AskedSpec],
    first: &Need,
    steps: &[Need],
) -> Diagnostic {
    let channel = |index: usize| problem.channels[index].name.as_str();
    let used = |package: &str| {
        pool.get(package).and_then(|candidates| candidates.channel).map_or("", channel)
    };
    let behind = used(&first.package);
    let hidden: Vec<_> = steps.iter().take(NAMED).map(|step| step.package.as_str()).collect();
    let more = if steps.len() > NAMED { ", …" } else { "" };
    let mut diagnostic = Diagnostic::error(
        "hidden-by-priority",
        format!(
            "{} can't be met: strict channel priority hides {}'s {}{more} behind {behind}",
            texts(core),
            channel(first.channel),
            hidden.join(", "),
        ),
    );
    diagnostic.place = core.first().map(|request| request.place.clone());
    diagnostic.notes.extend(others(core));
    for step in steps.iter().take(NAMED) {
        let versions = pool.get(&step.package).map(|candidates| {
            words::versions(candidates.usable.iter().map(|(_, record)| *record), VERSIONS)
        });
        let mut needed: Vec<_> = step.path.iter().map(String::as_str).collect();
        needed.push(&step.spec);
        diagnostic.notes.push(format!(
            "{}: {} comes first and has {}, so {} of {} isn't looked at",
            needed.join(" -> "),
            used(&step.package),
            versions.unwrap_or_default(),
            step.version,
            channel(step.channel),
        ));
    }
    diagnostic.with_help(help(core, steps, channel(first.channel), behind, &|i| channel(i)))
}

fn help<'a>(
    core: &[&AskedSpec],
    steps: &[Need],
    channel: &str,
    behind: &str,
    name: &dyn Fn(usize) -> &'a str,
) -> String {
    let reorder = format!("list {channel} before {behind} in `channels:`");
    if steps.len() > ONE_BY_ONE {
        return reorder;
    }
    let asked: BTreeMap<_, _> =
        core.iter().map(|request| (request.package(), without_channel(&request.text))).collect();
    let lines: Vec<_> = steps
        .iter()
        .map(|step| {
            let text = asked.get(step.package.as_str()).copied().unwrap_or(&step.package);
            format!("`{}::{text}`", name(step.channel))
        })
        .collect();
    format!("{reorder}; or ask for it there: write {} among the dependencies", lines.join(", "))
}
