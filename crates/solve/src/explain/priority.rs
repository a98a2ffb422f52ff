//! A conflict that strict channel priority causes: what it hides, on which path that is
//! needed, and what to write.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use envlock_model::question::AskedSpec;
use envlock_report::{Code, Finding};
use rattler_conda_types::{MatchSpec, Matches, ParseMatchSpecOptions, RepoDataRecord};

use super::{
    conflict::{attempt, others, texts},
    nearest::fits,
    request::without_channel,
    words,
};
use crate::{
    Problem,
    pool::{Lifted, Pool, name},
};

/// So many hidden packages are named.
const NAMED: usize = 5;

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
) -> Option<Finding> {
    // If not even all that is hidden helps, priority isn't the cause.
    let all: Lifted<'_> = pool.names.keys().copied().collect();
    attempt(problem, &Pool::new(problem, &all), core).ok()?;

    let needs = hidden_needs(problem, pool, core);
    let first = needs.first()?;
    let lifted = pool.names.keys().copied().filter(|name| needs.iter().any(|n| n.package == *name));
    let enough = attempt(problem, &Pool::new(problem, &lifted.collect()), core).is_ok();
    Some(tell(problem, pool, core, first, &needs, enough))
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

/// All such needs on the way from the requests through the newest records, hidden ones
/// included: those nearest to what was asked come first.
fn hidden_needs(problem: &Problem<'_>, pool: &Pool<'_>, core: &[&AskedSpec]) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    let mut direct = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut queue: VecDeque<(MatchSpec, Vec<String>)> =
        core.iter().map(|request| (request.spec.clone(), Vec::new())).collect();
    while let Some((spec, path)) = queue.pop_front() {
        let Some(package) = spec.name.as_exact().map(|name| name.as_normalized().to_owned()) else {
            continue;
        };
        let Some(candidates) = pool.get(&package) else { continue };
        if path.len() <= 1 {
            direct.insert(package.clone());
        }
        let usable = candidates.usable.iter().map(|(_, record)| *record);
        let usable = newest(problem, pool, usable.filter(|record| spec.matches(*record)));
        let best = usable.or_else(|| {
            let hidden = candidates.hidden.iter().filter(|(channel, record)| {
                !problem.channels[*channel].only_for_specs && spec.matches(*record)
            });
            let best = newest(problem, pool, hidden.map(|(_, record)| *record))
                .filter(|_| !pinned(problem, &package))?;
            let channel = problem.channels.iter().position(|channel| channel.holds(best))?;
            if !needs.iter().any(|need| need.package == package) {
                needs.push(Need {
                    path: path.clone(),
                    package: package.clone(),
                    spec: spec.to_string(),
                    channel,
                    version: best.package_record.version.to_string(),
                });
            }
            Some(best)
        });
        let Some(best) = best.filter(|_| seen.insert(package)) else { continue };
        let mut here = path;
        here.push(format!("{} {}", name(best), best.package_record.version));
        for dependency in &best.package_record.depends {
            if let Ok(spec) = MatchSpec::from_str(dependency, ParseMatchSpecOptions::lenient()) {
                queue.push_back((spec, here.clone()));
            }
        }
    }
    needs.sort_by_key(|need| (!direct.contains(&need.package), need.path.len()));
    needs
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
    let allowed = records.iter().find(|record| fits(problem, pool, record));
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
    needs: &[Need],
    enough: bool,
) -> Finding {
    let channel = |index: usize| problem.channels[index].name.as_str();
    let used = |package: &str| {
        pool.get(package).and_then(|candidates| candidates.channel).map_or("", channel)
    };
    let behind = used(&first.package);
    let hidden: Vec<_> = needs.iter().take(NAMED).map(|need| need.package.as_str()).collect();
    let more = if needs.len() > NAMED { ", …" } else { "" };
    let mut diagnostic = Finding::new(
        Code::HiddenByPriority,
        format!(
            "{} can't be met: strict channel priority hides {}'s {}{more} behind {behind}",
            texts(core),
            channel(first.channel),
            hidden.join(", "),
        ),
    );
    diagnostic.place = core.first().map(|request| request.place.clone());
    diagnostic.notes.extend(others(core));
    for need in needs.iter().take(NAMED) {
        let versions = pool.get(&need.package).map(|candidates| {
            words::versions(candidates.usable.iter().map(|(_, record)| *record), VERSIONS)
        });
        let mut needed: Vec<_> = need.path.iter().map(String::as_str).collect();
        needed.push(&need.spec);
        diagnostic.notes.push(format!(
            "{}: {} comes first and has {}, so {} of {} isn't looked at",
            needed.join(" -> "),
            used(&need.package),
            versions.unwrap_or_default(),
            need.version,
            channel(need.channel),
        ));
    }
    let reorder = format!("list {} before {behind} in `channels:`", channel(first.channel));
    diagnostic.with_help(if enough && needs.len() <= ONE_BY_ONE {
        format!("{reorder}; or {}", one_by_one(core, needs, &|index| channel(index)))
    } else {
        reorder
    })
}

/// The lines that ask another channel for each package.
fn one_by_one<'a>(
    core: &[&AskedSpec],
    needs: &[Need],
    channel: &dyn Fn(usize) -> &'a str,
) -> String {
    let asked: BTreeMap<_, _> =
        core.iter().map(|request| (request.package(), without_channel(request))).collect();
    let lines: Vec<_> = needs
        .iter()
        .map(|need| {
            let text = asked.get(need.package.as_str()).unwrap_or(&need.package);
            format!("`{}::{text}`", channel(need.channel))
        })
        .collect();
    format!("ask for it there: write {} among the dependencies", lines.join(", "))
}
