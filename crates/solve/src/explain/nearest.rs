//! A version that doesn't exist: the nearest one, what stands in its way, and the nearest
//! that fits.

use std::collections::BTreeMap;

use envlock_model::question::AskedSpec;
use envlock_report::Diagnostic;
use rattler_conda_types::{MatchSpec, Matches, PackageName, ParseMatchSpecOptions, RepoDataRecord};

use super::{request::VERSIONS, words};
use crate::{
    Problem,
    pool::{Candidates, Pool, name},
};

/// Tells that no record has the version that is asked for.
pub(super) fn no_such_version(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    candidates: &Candidates<'_>,
    request: &AskedSpec,
    records: &[&RepoDataRecord],
) -> Diagnostic {
    let package = request.package();
    let asked = words::asked_version(request);
    let versions = by_distance(&asked, records);
    let mut message = format!("there is no {package} {asked}");
    let mut notes = vec![format!("versions, the nearest first: {}", listed(&versions))];
    if let Some((near, records)) = versions.first() {
        message = format!("{message}; the nearest is {near}");
        if let Standing::Blocked { needs, by } = standing(problem, pool, records) {
            let dependency = needs.name.as_exact().map_or("", |name| name.as_normalized());
            message = format!(
                "{message}, which needs {} {} where {}:{} asks for {}",
                capitalised(dependency),
                words::version_of(&needs),
                by.place.file,
                by.place.line,
                words::asked_version(by),
            );
            notes.push(format!("{package} {near} depends on `{needs}`"));
        }
    }
    let mut diagnostic = Diagnostic::error("no-such-version", message);
    diagnostic.notes = notes;
    diagnostic.help = help(problem, pool, candidates, package, &versions);
    diagnostic
}

/// The nearest version that the other lines allow.
fn help(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    candidates: &Candidates<'_>,
    package: &str,
    versions: &ByVersion<'_>,
) -> Option<String> {
    versions.iter().enumerate().find_map(|(place, (version, records))| {
        let channel = records.first().map(|record| prefix(problem, candidates, record));
        let write = format!("write `{}{package}={version}`", channel.unwrap_or_default());
        let nearest = format!("the nearest that fits the other lines is {version}");
        match standing(problem, pool, records) {
            Standing::Blocked { .. } => None,
            Standing::Fits if place == 0 => Some(write),
            Standing::Fits => Some(format!("{nearest}: {write}")),
            Standing::NeedsOfMachine(needs) => {
                let needed = needs.name.as_exact().map_or("", |name| name.as_normalized());
                Some(format!(
                    "{nearest}, for machines with {needed}: {write} and solve with \
                     `--virtual-package {needed}=VERSION`"
                ))
            }
        }
    })
}

/// Whether a version can stand beside the other lines.
enum Standing<'a> {
    /// One of its records can, as far as its own requirements tell.
    Fits,
    /// One could on a machine that has this.
    NeedsOfMachine(MatchSpec),
    /// None can: a requirement that no record meets together with a line.
    Blocked { needs: MatchSpec, by: &'a AskedSpec },
}

fn standing<'a>(
    problem: &Problem<'a>,
    pool: &Pool<'_>,
    records: &[&RepoDataRecord],
) -> Standing<'a> {
    let mut of_machine = None;
    let mut blocked = None;
    for record in records {
        match standing_of(problem, pool, record) {
            Standing::Fits => return Standing::Fits,
            other @ Standing::NeedsOfMachine(_) => of_machine = of_machine.or(Some(other)),
            other @ Standing::Blocked { .. } => blocked = blocked.or(Some(other)),
        }
    }
    of_machine.or(blocked).unwrap_or(Standing::Fits)
}

fn standing_of<'a>(
    problem: &Problem<'a>,
    pool: &Pool<'_>,
    record: &RepoDataRecord,
) -> Standing<'a> {
    let mut of_machine = None;
    for dependency in &record.package_record.depends {
        let options = ParseMatchSpecOptions::lenient();
        let Ok(needs) = MatchSpec::from_str(dependency, options) else { continue };
        let Some(package) = needs.name.as_exact().map(PackageName::as_normalized) else {
            continue;
        };
        if package.starts_with("__") {
            let assumed = &problem.asked.virtual_packages;
            if !assumed.iter().any(|package| needs.matches(package)) {
                of_machine = of_machine.or(Some(needs));
            }
            continue;
        }
        let by = problem.asked.requests.iter().find(|other| {
            other.package() == package
                && other.package() != name(record)
                && pool.get(package).is_some_and(|candidates| {
                    !candidates.usable.iter().any(|(_, candidate)| {
                        needs.matches(*candidate) && other.spec.matches(*candidate)
                    })
                })
        });
        if let Some(by) = by {
            return Standing::Blocked { needs, by };
        }
    }
    of_machine.map_or(Standing::Fits, Standing::NeedsOfMachine)
}

/// Whether `record` can stand beside the other lines on the machine that is assumed.
pub(super) fn fits(problem: &Problem<'_>, pool: &Pool<'_>, record: &RepoDataRecord) -> bool {
    matches!(standing_of(problem, pool, record), Standing::Fits)
}

/// `channel::` where the record is hidden behind the channel that is used.
fn prefix(problem: &Problem<'_>, candidates: &Candidates<'_>, record: &RepoDataRecord) -> String {
    candidates
        .hidden
        .iter()
        .find(|(_, hidden)| hidden.url == record.url)
        .map(|(channel, _)| format!("{}::", problem.channels[*channel].name))
        .unwrap_or_default()
}

type ByVersion<'a> = Vec<(String, Vec<&'a RepoDataRecord>)>;

fn by_distance<'a>(asked: &str, records: &[&'a RepoDataRecord]) -> ByVersion<'a> {
    let mut by_version: BTreeMap<String, Vec<&RepoDataRecord>> = BTreeMap::new();
    for record in records {
        by_version.entry(record.package_record.version.to_string()).or_default().push(record);
    }
    let mut sorted: ByVersion<'_> = by_version.into_iter().collect();
    sorted.sort_by_key(|(version, _)| words::distance(asked, version));
    sorted
}

fn listed(versions: &ByVersion<'_>) -> String {
    let mut words: Vec<_> = versions.iter().take(VERSIONS).map(|(v, _)| v.clone()).collect();
    if versions.len() > VERSIONS {
        words.push(format!("… ({} in all)", versions.len()));
    }
    words.join(", ")
}

/// Python is a name to people; other packages keep theirs.
fn capitalised(package: &str) -> &str {
    if package == "python" { "Python" } else { package }
}
