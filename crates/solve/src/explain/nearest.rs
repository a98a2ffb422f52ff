//! A version that doesn't exist: the nearest one, what stands in its way, and the nearest
//! that fits.

use std::collections::BTreeMap;

use envlock_model::question::{AskedSpec, Priority};
use envlock_report::{Code, Finding};
use rattler_conda_types::{MatchSpec, Matches, PackageName, ParseMatchSpecOptions, RepoDataRecord};

use super::{advice::Advice, request::VERSIONS, words};
use crate::{
    Problem,
    pool::{Candidates, Pool, name},
};

/// So many versions are tried, the nearest first, before any that fits is taken.
const MOST_TRIED: usize = 4;

/// Tells that no record has the version that is asked for.
pub(super) fn no_such_version(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    advice: &mut Advice<'_>,
    candidates: &Candidates<'_>,
    request: &AskedSpec,
    records: &[&RepoDataRecord],
) -> Finding {
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
    let mut diagnostic = Finding::new(Code::NoSuchVersion, message);
    diagnostic.notes = notes;
    diagnostic.help = help(problem, pool, advice, candidates, request, &versions);
    diagnostic
}

/// The nearest version that the other lines allow: by its own requirements, and then by
/// solving for it, since what blocks it can be packages away.
fn help(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    advice: &mut Advice<'_>,
    candidates: &Candidates<'_>,
    request: &AskedSpec,
    versions: &ByVersion<'_>,
) -> Option<String> {
    let package = request.package();
    let standings = versions.iter().enumerate().map(|(place, (version, records))| {
        (place, version, records, standing(problem, pool, records))
    });
    let promising = standings.filter(|(.., how)| !matches!(how, Standing::Blocked { .. }));
    let promising: Vec<_> = promising.take(MOST_TRIED).collect();
    for priority in advice.priorities() {
        for (place, version, records, standing) in &promising {
            let channel = records.first().map(|record| prefix(problem, candidates, record));
            let line = format!("{}{package}={version}", channel.unwrap_or_default());
            let machine = standing.needs_of_machine();
            if advice.follow(&line, machine, priority).is_some() {
                let flags = flags(machine, (priority != problem.priority).then_some(priority));
                let nearest = format!("the nearest that fits {} is {version}", advice.beside());
                return Some(match machine {
                    None if *place == 0 => format!("write `{line}`{flags}"),
                    None => format!("{nearest}: write `{line}`{flags}"),
                    Some(has) => {
                        format!("{nearest}, for machines with {has}: write `{line}`{flags}")
                    }
                });
            }
        }
        let channel = request.channel.as_deref().map(|channel| format!("{channel}::"));
        let any = format!("{}{package}", channel.unwrap_or_default());
        if let Some(set) = advice.follow(&any, None, priority) {
            let version =
                &set.iter().find(|record| name(record) == package)?.package_record.version;
            let flags = flags(None, (priority != problem.priority).then_some(priority));
            let beside = advice.beside();
            return Some(format!(
                "one that fits {beside} is {version}: write `{any}={version}`{flags}"
            ));
        }
    }
    Some(advice.none_fits(package))
}

/// What else has to be said on the command line.
fn flags(machine: Option<&str>, priority: Option<Priority>) -> String {
    let priority = priority.map(|priority| format!("--channel-priority {}", priority.as_str()));
    let machine = machine.map(|package| format!("--virtual-package {package}=VERSION"));
    let flags: Vec<_> = machine.into_iter().chain(priority).collect();
    if flags.is_empty() { String::new() } else { format!(" and solve with `{}`", flags.join(" ")) }
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

impl Standing<'_> {
    /// The virtual package that it takes.
    fn needs_of_machine(&self) -> Option<&str> {
        match self {
            Self::NeedsOfMachine(needs) => needs.name.as_exact().map(PackageName::as_normalized),
            _ => None,
        }
    }
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
        // A line that can't be met in any case stands in nobody's way.
        let by = problem.asked.requests.iter().find(|other| {
            other.package() == package
                && other.package() != name(record)
                && pool.get(package).is_some_and(|candidates| {
                    let usable = candidates.usable.iter().map(|(_, candidate)| *candidate);
                    let mut asked = usable.filter(|c| other.spec.matches(*c)).peekable();
                    asked.peek().is_some() && !asked.any(|c| needs.matches(c))
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
