//! Explains a conflict that strict channel priority causes: what is hidden, on which path it is
//! needed, and what to write.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use envlock_model::lock_inputs::RequestedSpec;
use envlock_model::spec::RecordSpec;
use rattler_conda_types::RepoDataRecord;

use super::{
    conflict::attempt,
    nearest::is_compatible,
    reason::{HiddenDependencyText, ReasonKind, UnsolvableReason, Versions},
    request::without_channel,
};
use crate::{
    Problem,
    pool::{Pool, PriorityExempt, name},
};

/// Up to this many hidden packages the help names each with its channel. For more, the help is
/// to reorder the channels.
const MAX_CHANNEL_PINS: usize = 3;

/// How many versions of the channel that is used are listed.
const MAX_VERSIONS: usize = 3;

/// Returns [`ReasonKind::HiddenByPriority`] if the conflict vanishes without strict priority, else
/// `None`.
pub(super) fn hidden_by_priority(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&RequestedSpec],
) -> Option<UnsolvableReason> {
    if pool.names.values().all(|candidates| candidates.hidden.is_empty()) {
        return None;
    }
    // If the requests can't be met with all hidden records either, priority isn't the cause.
    let all: PriorityExempt<'_> = pool.names.keys().copied().collect();
    attempt(problem, &Pool::new(problem, &all), core).ok()?;

    let needs = hidden_needs(problem, pool, core);
    if needs.is_empty() {
        return None;
    }
    let exempt = pool.names.keys().copied().filter(|name| needs.iter().any(|n| n.package == *name));
    let enough = attempt(problem, &Pool::new(problem, &exempt.collect()), core).is_ok();
    let lines = if enough && needs.len() <= MAX_CHANNEL_PINS {
        channel_pins(problem, core, &needs)
    } else {
        Vec::new()
    };
    let needs = needs.iter().map(|need| hidden_need(problem, pool, need)).collect();
    let kind = ReasonKind::HiddenByPriority { needs, lines };
    Some(UnsolvableReason::new(problem.platform, core, kind))
}

/// A dependency that only a hidden record meets.
struct HiddenDependency {
    /// The packages from a request to the one with the dependency, as `name version`.
    path: Vec<String>,
    package: String,
    spec: String,
    /// The channel that could meet it.
    channel: usize,
    /// The newest version there that meets it.
    version: String,
}

/// A request, or a dependency of a record.
enum Wanted<'a> {
    Request(&'a RequestedSpec),
    Dependency(Box<RecordSpec>),
}

impl Wanted<'_> {
    fn package(&self) -> &str {
        match self {
            Self::Request(request) => request.package(),
            Self::Dependency(spec) => spec.package(),
        }
    }

    fn matches(&self, record: &RepoDataRecord) -> bool {
        match self {
            Self::Request(request) => request.matches_in_any_channel(record),
            Self::Dependency(spec) => spec.matches(&record.package_record),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Request(request) => request.spec.to_string(),
            Self::Dependency(spec) => spec.to_string(),
        }
    }
}

/// Finds these dependencies along the newest records, hidden ones included, from the requests on.
/// The nearest to the requests come first.
fn hidden_needs(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&RequestedSpec],
) -> Vec<HiddenDependency> {
    let mut needs: Vec<HiddenDependency> = Vec::new();
    let mut direct = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut queue: VecDeque<(Wanted<'_>, Vec<String>)> =
        core.iter().map(|request| (Wanted::Request(request), Vec::new())).collect();
    while let Some((wanted, path)) = queue.pop_front() {
        let package = wanted.package().to_owned();
        let Some(candidates) = pool.get(&package) else { continue };
        if path.len() <= 1 {
            direct.insert(package.clone());
        }
        let usable = candidates.usable.iter().map(|(_, record)| *record);
        let usable = newest(problem, pool, usable.filter(|record| wanted.matches(record)));
        let best = usable.or_else(|| {
            let hidden = candidates.hidden.iter().filter(|(channel, record)| {
                !problem.channels[*channel].only_for_specs && wanted.matches(record)
            });
            let best = newest(problem, pool, hidden.map(|(_, record)| *record))
                .filter(|_| !pinned(problem, &package))?;
            let channel = problem.channels.iter().position(|channel| channel.contains(best))?;
            if !needs.iter().any(|need| need.package == package) {
                needs.push(HiddenDependency {
                    path: path.clone(),
                    package: package.clone(),
                    spec: wanted.text(),
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
            if let Some(spec) = RecordSpec::parse(dependency) {
                queue.push_back((Wanted::Dependency(Box::new(spec)), here.clone()));
            }
        }
    }
    needs.sort_by_key(|need| (!direct.contains(&need.package), need.path.len()));
    needs
}

/// Returns the newest record that is compatible with the other lines, else the newest.
fn newest<'a>(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    records: impl Iterator<Item = &'a RepoDataRecord>,
) -> Option<&'a RepoDataRecord> {
    let mut records: Vec<_> = records.collect();
    records.sort_by_key(|record| {
        std::cmp::Reverse((&record.package_record.version, record.package_record.build_number))
    });
    let allowed = records.iter().find(|record| is_compatible(problem, pool, record));
    allowed.or_else(|| records.first()).copied()
}

fn pinned(problem: &Problem<'_>, package: &str) -> bool {
    problem
        .inputs
        .requests
        .iter()
        .any(|request| request.package() == package && request.channel.is_some())
}

/// Describes the dependency by channels, with the versions of the one that is used.
fn hidden_need(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    need: &HiddenDependency,
) -> HiddenDependencyText {
    let channel = |index: usize| problem.channels[index].name.clone();
    let candidates = pool.get(&need.package);
    let usable = candidates.into_iter().flat_map(|candidates| &candidates.usable);
    HiddenDependencyText {
        path: need.path.clone(),
        package: need.package.clone(),
        spec: need.spec.clone(),
        used: candidates.and_then(|found| found.channel).map(channel).unwrap_or_default(),
        available: Versions::from_records(usable.map(|(_, record)| *record), MAX_VERSIONS),
        channel: channel(need.channel),
        version: need.version.clone(),
    }
}

/// Returns the lines that request each package from another channel.
fn channel_pins(
    problem: &Problem<'_>,
    core: &[&RequestedSpec],
    needs: &[HiddenDependency],
) -> Vec<String> {
    let requested: BTreeMap<_, _> =
        core.iter().map(|request| (request.package(), without_channel(request))).collect();
    let line = |need: &HiddenDependency| {
        let text = requested.get(need.package.as_str()).unwrap_or(&need.package);
        format!("{}::{text}", problem.channels[need.channel].name)
    };
    needs.iter().map(line).collect()
}
