//! Describes candidates and requirements in short form: `python 3.12.0 to 3.12.9`.

use super::{
    narrow::{CandidateSet, PackageCandidate, PackageCandidates, RecordRequirement},
    text::version_text,
};

/// How many versions, builds or requirements are listed. More are given as a range.
const MAX_LISTED: usize = 4;

/// Describes candidates of a package by their versions; by their builds if only some builds of
/// one version are meant.
pub(super) fn describe(package: &PackageCandidates<'_>, set: &CandidateSet) -> String {
    let name = &package.name;
    let records: Vec<_> = package
        .candidates
        .iter()
        .enumerate()
        .map(|(index, candidate)| match candidate {
            PackageCandidate::Record(record) => {
                let record = &record.package_record;
                (index, record.version.version().clone(), record.build.to_string())
            }
            PackageCandidate::Virtual(package) => {
                (index, package.version.clone(), package.build_string.to_string())
            }
        })
        .collect();
    let chosen = || records.iter().filter(|(index, ..)| set.contains(index));
    let mut versions: Vec<_> = chosen().map(|(_, version, _)| version).collect();
    versions.sort_unstable();
    versions.dedup();
    let [first, .., last] = versions.as_slice() else {
        let Some(version) = versions.first() else { return name.clone() };
        let all = records.iter().filter(|(_, other, _)| other == *version).count();
        let mut builds: Vec<_> = chosen().map(|(.., build)| build.as_str()).collect();
        builds.sort_unstable();
        builds.dedup();
        return match builds.len() {
            number if number == all => format!("{name} {version}"),
            1 => format!("{name} {version} {}", builds[0]),
            2..=MAX_LISTED => format!("{name} {version} ({})", join(&builds, "and")),
            number => format!("{name} {version} ({number} of {all} builds)"),
        };
    };
    if versions.len() <= MAX_LISTED {
        let texts: Vec<_> = versions.iter().map(ToString::to_string).collect();
        return format!("{name} {}", join(&texts, "and"));
    }
    let mut existing: Vec<_> = records.iter().map(|(_, version, _)| version).collect();
    existing.sort_unstable();
    existing.dedup();
    let between = existing.iter().filter(|other| first <= *other && *other <= last).count();
    if between == versions.len() {
        format!("{name} {first} to {last}")
    } else {
        format!("{name} {first} to {last} ({} of {between} versions)", versions.len())
    }
}

/// Describes requirements: each if there are few, else the versions that they match.
pub(super) fn describe_requirements(
    package: &PackageCandidates<'_>,
    requirements: &[&RecordRequirement],
    matching: &CandidateSet,
) -> String {
    let mut texts: Vec<String> = requirements
        .iter()
        .map(|requirement| {
            match (requirement.spec.spec().build.as_ref(), requirement.text.split_once(' ')) {
                (None, Some(_)) if requirement.spec.spec().version.is_some() => {
                    version_text(requirement.spec.spec())
                }
                (_, Some((_, text))) => text.to_owned(),
                (_, None) => String::new(),
            }
        })
        .collect();
    texts.sort_unstable();
    texts.dedup();
    // A need without a version, next to others.
    if texts.len() > 1 && texts[0].is_empty() {
        texts.remove(0);
        texts.push("any version".to_owned());
    }
    let name = &package.name;
    match texts.len() {
        0..=MAX_LISTED => format!("{name} {}", join(&texts, "or")).trim_end().to_owned(),
        _ if matching.is_empty() => {
            let listed = texts[..MAX_LISTED].join(", ");
            format!("{name} {listed}, … ({} in all)", texts.len())
        }
        _ => describe(package, matching),
    }
}

/// Joins words: `a, b and c`.
fn join(words: &[impl AsRef<str>], last_joint: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(AsRef::as_ref).collect();
            format!("{} {last_joint} {}", first.join(", "), last.as_ref())
        }
    }
}
