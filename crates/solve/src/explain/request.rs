//! Explains a request that no record can meet, regardless of the other requests.

use std::collections::BTreeSet;

use envlock_model::lock_inputs::RequestedSpec;
use rattler_conda_types::RepoDataRecord;

use super::{
    ChannelsByPackage, nearest,
    other_names::other_name,
    reason::{KeyValues, ReasonKind, UnsolvableReason, Versions},
    remedy::requested_virtual_package,
    suggestion_trials::SuggestionTrials,
    text,
};
use crate::{
    Problem,
    pool::{Candidates, Pool},
};

/// How many versions are listed. The rest is counted.
pub(super) const MAX_VERSIONS: usize = 6;

/// Whether `request` can be met alone.
pub(super) fn can_be_met(problem: &Problem<'_>, pool: &Pool<'_>, request: &RequestedSpec) -> bool {
    let package = request.package();
    if package.starts_with("__") {
        return problem.inputs.virtual_packages.iter().any(|other| request.matches_virtual(other));
    }
    pool.get(package).is_some_and(|candidates| {
        candidates.usable.iter().any(|(_, record)| request.matches_in_any_channel(record))
    })
}

/// Returns why `request` can't be met even alone.
pub(super) fn unmet(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    names: &ChannelsByPackage,
    trials: &mut SuggestionTrials<'_>,
    request: &RequestedSpec,
) -> UnsolvableReason {
    let package = request.package();
    let kind = if package.starts_with("__") {
        virtual_package(problem, request)
    } else if let Some(candidates) = pool.get(package) {
        not_accepted(&Unmatched { problem, pool, candidates, request }, trials)
    } else {
        unknown(problem, names, package)
    };
    UnsolvableReason::new(problem.platform, &[request], kind)
}

/// A request for a known package of which no usable record matches.
pub(super) struct Unmatched<'r> {
    pub(super) problem: &'r Problem<'r>,
    pub(super) pool: &'r Pool<'r>,
    pub(super) candidates: &'r Candidates<'r>,
    pub(super) request: &'r RequestedSpec,
}

fn not_accepted(unmatched: &Unmatched<'_>, trials: &mut SuggestionTrials<'_>) -> ReasonKind {
    let Unmatched { problem, candidates, request, .. } = *unmatched;
    let accepts = |record: &RepoDataRecord| request.matches_in_any_channel(record);
    if candidates.too_new.iter().any(|record| accepts(record)) {
        ReasonKind::TooNew { usable: usable_versions(candidates) }
    } else if candidates.without_sha256.iter().any(|record| accepts(record)) {
        ReasonKind::NoSha256 { usable: usable_versions(candidates) }
    } else if [&candidates.without_sha256, &candidates.too_new].iter().all(|list| list.is_empty())
        && candidates.usable.is_empty()
    {
        not_in_channel(problem, candidates, request)
    } else if candidates.hidden.iter().any(|(_, record)| accepts(record)) {
        in_other_channel(problem, candidates, request)
    } else {
        no_such_build_or_version(unmatched, trials)
    }
}

fn unknown(problem: &Problem<'_>, names: &ChannelsByPackage, package: &str) -> ReasonKind {
    let name = |index: &usize| problem.channels[*index].name.clone();
    let with_channels = |other: &str| (other.to_owned(), names[other].iter().map(name).collect());
    let nearest = envlock_report::nearest(package, names.keys().map(String::as_str));
    ReasonKind::UnknownPackage {
        package: package.to_owned(),
        platform: problem.platform,
        searched: problem.channels.iter().map(|channel| channel.name.clone()).collect(),
        other_name: other_name(package, names).map(with_channels),
        nearest: nearest.map(with_channels),
    }
}

/// Explains a known name that the requested channel or subdir doesn't have.
fn not_in_channel(
    problem: &Problem<'_>,
    candidates: &Candidates<'_>,
    request: &RequestedSpec,
) -> ReasonKind {
    let package = request.package();
    let requested_channel = request.channel.as_deref();
    if let Some(subdir) = request.subdir {
        let found: BTreeSet<_> = candidates
            .hidden
            .iter()
            .map(|(_, record)| record.package_record.subdir.as_str())
            .collect();
        if !found.contains(subdir.as_str()) {
            let line = text::spec_line(request);
            return ReasonKind::NotInSubdir {
                package: package.to_owned(),
                subdir,
                platform: problem.platform,
                found_in: found.into_iter().map(str::to_owned).collect(),
                line: requested_channel
                    .map_or(line.clone(), |channel| format!("{channel}::{line}")),
            };
        }
    }
    let has = channels_of(problem, candidates.hidden.iter().map(|(channel, _)| *channel));
    ReasonKind::NotInChannel {
        package: package.to_owned(),
        platform: problem.platform,
        requested_channel: request.channel.clone(),
        other: has.into_iter().find(|name| Some(*name) != requested_channel).map(str::to_owned),
    }
}

/// Explains a match in another channel that priority or the request's own channel hides.
fn in_other_channel(
    problem: &Problem<'_>,
    candidates: &Candidates<'_>,
    request: &RequestedSpec,
) -> ReasonKind {
    let matching =
        candidates.hidden.iter().filter(|(_, record)| request.matches_in_any_channel(record));
    let others = channels_of(problem, matching.map(|(channel, _)| *channel));
    let used = candidates.channel.map_or("", |index| problem.channels[index].name.as_str());
    let used = used.to_owned();
    let other = others.first().copied().unwrap_or_default().to_owned();
    let (package, spec) = (request.package().to_owned(), without_channel(request));
    let available = usable_versions(candidates);
    if request.channel.is_some() {
        ReasonKind::OtherChannel { package, spec, requested_channel: used, available, other }
    } else {
        ReasonKind::HiddenChannel { package, spec, used, available, other }
    }
}

fn no_such_build_or_version(
    unmatched: &Unmatched<'_>,
    trials: &mut SuggestionTrials<'_>,
) -> ReasonKind {
    let Unmatched { candidates, request, .. } = *unmatched;
    let usable: Vec<_> = candidates.usable.iter().map(|(_, record)| *record).collect();
    let hidden = candidates.hidden.iter().map(|(_, record)| *record);
    let everywhere: Vec<&RepoDataRecord> = usable.iter().copied().chain(hidden).collect();

    let of_version = |record: &&RepoDataRecord| {
        let version = &record.package_record.version;
        request.spec.version.as_ref().is_none_or(|requested| requested.matches(version))
            && request.conditions.match_version(&version.as_str())
    };
    let of_version: Vec<_> = everywhere.iter().copied().filter(of_version).collect();
    if !of_version.is_empty() {
        return no_such_build(request, &of_version);
    }
    nearest::no_such_version(unmatched, trials, &everywhere)
}

/// Explains a version that exists, but not with all requested keys.
fn no_such_build(request: &RequestedSpec, records: &[&RepoDataRecord]) -> ReasonKind {
    let values_of = |(key, value): (&'static str, text::ReadValue)| {
        let values: BTreeSet<_> = records.iter().map(|record| value(record)).collect();
        let is_cut = values.len() > MAX_VERSIONS;
        KeyValues { key, listed: values.into_iter().take(MAX_VERSIONS).collect(), is_cut }
    };
    ReasonKind::NoSuchBuild {
        line: text::spec_line(request),
        differing: text::other_spec_keys(request).into_iter().map(values_of).collect(),
    }
}

fn virtual_package(problem: &Problem<'_>, request: &RequestedSpec) -> ReasonKind {
    let package = request.package();
    let assumed = &problem.inputs.virtual_packages;
    let assumed = assumed.iter().find(|other| other.name.as_normalized() == package);
    ReasonKind::UnmetVirtualPackage {
        package: package.to_owned(),
        platform: problem.platform,
        assumed: assumed.map(ToString::to_string),
        value: requested_virtual_package(problem.platform, request),
    }
}

fn usable_versions(candidates: &Candidates<'_>) -> Versions {
    Versions::from_records(candidates.usable.iter().map(|(_, record)| *record), MAX_VERSIONS)
}

fn channels_of<'a>(problem: &Problem<'a>, indexes: impl Iterator<Item = usize>) -> Vec<&'a str> {
    let mut indexes: Vec<_> = indexes.collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes.into_iter().map(|index| problem.channels[index].name.as_str()).collect()
}

/// Returns the request without its channel, to be requested from another one.
pub(super) fn without_channel(request: &RequestedSpec) -> String {
    match (&request.channel, request.text.rsplit_once("::")) {
        (_, Some((_, rest))) => rest.to_owned(),
        (None, None) => request.text.clone(),
        // `[channel=…]` would override a `channel::` prefix.
        (Some(_), None) => text::spec_line(request),
    }
}
