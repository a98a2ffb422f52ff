//! Explains a version that doesn't exist: the nearest one, what excludes it, and the nearest
//! compatible one.

use std::collections::BTreeMap;

use envlock_model::lock_inputs::RequestedSpec;
use envlock_model::spec::RecordSpec;
use rattler_conda_types::RepoDataRecord;

use super::{
    reason::{ExcludedRequirement, ReasonKind, RequestLine, Suggestion, Versions},
    request::{MAX_VERSIONS, Unmatched},
    suggestion_trials::SuggestionTrials,
    text,
};
use crate::{
    Problem,
    pool::{Candidates, Pool, name},
};

/// How many versions are tried, the nearest first, before any compatible one is accepted.
const MAX_TRIED: usize = 4;

/// Returns the reason that no record has the requested version.
pub(super) fn no_such_version(
    unmatched: &Unmatched<'_>,
    trials: &mut SuggestionTrials<'_>,
    records: &[&RepoDataRecord],
) -> ReasonKind {
    let Unmatched { problem, pool, request, .. } = *unmatched;
    let requested_version = text::requested_version(request);
    let versions = by_distance(&requested_version, records);
    let blocked = versions.first().and_then(|(_, records)| {
        let Compatibility::Blocked { needs, by } = compatibility(problem, pool, records) else {
            return None;
        };
        Some(ExcludedRequirement {
            dependency: needs.package().to_owned(),
            version: needs
                .version_condition()
                .map_or_else(|| text::version_text(needs.spec()), str::to_owned),
            needs: needs.to_string(),
            by: RequestLine::new(by),
            by_version: text::requested_version(by),
        })
    });
    ReasonKind::NoSuchVersion {
        package: request.package().to_owned(),
        requested_version,
        versions: Versions::truncated(
            versions.iter().map(|(version, _)| version.clone()),
            MAX_VERSIONS,
        ),
        blocked,
        suggestion: suggestion(unmatched, trials, &versions),
    }
}

/// Suggests the nearest version that is compatible with the other lines: by its own requirements
/// first, and then by solving, since the obstacle can be an indirect dependency.
fn suggestion(
    unmatched: &Unmatched<'_>,
    trials: &mut SuggestionTrials<'_>,
    versions: &ByVersion<'_>,
) -> Option<Suggestion> {
    let Unmatched { problem, pool, candidates, request } = *unmatched;
    let package = request.package();
    let compatibilities = versions.iter().enumerate().map(|(place, (version, records))| {
        (place, version, records, compatibility(problem, pool, records))
    });
    let candidates_to_try =
        compatibilities.filter(|(.., how)| !matches!(how, Compatibility::Blocked { .. }));
    let candidates_to_try: Vec<_> = candidates_to_try.take(MAX_TRIED).collect();
    let tried_with = trials.tried_with();
    for tried in trials.priorities() {
        let priority = (tried != problem.priority).then_some(tried);
        for (place, version, records, compatibility) in &candidates_to_try {
            let channel = records.first().map(|record| prefix(problem, candidates, record));
            let line = format!("{}{package}={version}", channel.unwrap_or_default());
            let machine = compatibility.missing_virtual_package();
            if trials.try_line(&line, machine, tried).is_some() {
                return Some(Suggestion::Nearest {
                    version: (*version).clone(),
                    line,
                    is_nearest_existing: *place == 0,
                    machine: machine.map(str::to_owned),
                    priority,
                    tried_with,
                });
            }
        }
        let channel = request.channel.as_deref().map(|channel| format!("{channel}::"));
        let any = format!("{}{package}", channel.unwrap_or_default());
        if let Some(set) = trials.try_line(&any, None, tried) {
            let record = set.iter().find(|record| name(record) == package)?;
            let version = record.package_record.version.to_string();
            let line = format!("{any}={version}");
            return Some(Suggestion::Any { version, line, priority, tried_with });
        }
    }
    Some(trials.no_suggestion())
}

/// Whether a version is compatible with the other requests.
enum Compatibility<'a> {
    /// One of its records is, by its own requirements.
    Compatible,
    /// One is, on a machine that has this virtual package.
    NeedsVirtualPackage(RecordSpec),
    /// None is: no record meets both this requirement and a line.
    Blocked { needs: RecordSpec, by: &'a RequestedSpec },
}

impl Compatibility<'_> {
    /// Returns the virtual package that is necessary.
    fn missing_virtual_package(&self) -> Option<&str> {
        match self {
            Self::NeedsVirtualPackage(needs) => Some(needs.package()),
            _ => None,
        }
    }
}

fn compatibility<'a>(
    problem: &Problem<'a>,
    pool: &Pool<'_>,
    records: &[&RepoDataRecord],
) -> Compatibility<'a> {
    let mut missing = None;
    let mut blocked = None;
    for record in records {
        match compatibility_of(problem, pool, record) {
            Compatibility::Compatible => return Compatibility::Compatible,
            other @ Compatibility::NeedsVirtualPackage(_) => {
                missing = missing.or(Some(other));
            }
            other @ Compatibility::Blocked { .. } => blocked = blocked.or(Some(other)),
        }
    }
    missing.or(blocked).unwrap_or(Compatibility::Compatible)
}

fn compatibility_of<'a>(
    problem: &Problem<'a>,
    pool: &Pool<'_>,
    record: &RepoDataRecord,
) -> Compatibility<'a> {
    let mut missing = None;
    for dependency in &record.package_record.depends {
        let Some(needs) = RecordSpec::parse(dependency) else { continue };
        let package = needs.package();
        if package.starts_with("__") {
            let assumed = &problem.inputs.virtual_packages;
            if !assumed.iter().any(|package| needs.matches_virtual(package)) {
                missing = missing.or(Some(needs));
            }
            continue;
        }
        // A line that can't be met in any case excludes nothing.
        let by = problem.inputs.requests.iter().find(|other| {
            other.package() == package
                && other.package() != name(record)
                && pool.get(package).is_some_and(|candidates| {
                    let usable = candidates.usable.iter().map(|(_, candidate)| *candidate);
                    let mut matching =
                        usable.filter(|c| other.matches_in_any_channel(c)).peekable();
                    matching.peek().is_some() && !matching.any(|c| needs.matches(&c.package_record))
                })
        });
        if let Some(by) = by {
            return Compatibility::Blocked { needs, by };
        }
    }
    missing.map_or(Compatibility::Compatible, Compatibility::NeedsVirtualPackage)
}

/// Whether `record` is compatible with the other lines on the assumed machine.
pub(super) fn is_compatible(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    record: &RepoDataRecord,
) -> bool {
    matches!(compatibility_of(problem, pool, record), Compatibility::Compatible)
}

/// Returns `channel::` if the channel that is used hides the record.
fn prefix(problem: &Problem<'_>, candidates: &Candidates<'_>, record: &RepoDataRecord) -> String {
    candidates
        .hidden
        .iter()
        .find(|(_, hidden)| hidden.url == record.url)
        .map(|(channel, _)| format!("{}::", problem.channels[*channel].name))
        .unwrap_or_default()
}

type ByVersion<'a> = Vec<(String, Vec<&'a RepoDataRecord>)>;

fn by_distance<'a>(requested: &str, records: &[&'a RepoDataRecord]) -> ByVersion<'a> {
    let mut by_version: BTreeMap<String, Vec<&RepoDataRecord>> = BTreeMap::new();
    for record in records {
        by_version.entry(record.package_record.version.to_string()).or_default().push(record);
    }
    let mut sorted: ByVersion<'_> = by_version.into_iter().collect();
    sorted.sort_by_key(|(version, _)| text::distance(requested, version));
    sorted
}
