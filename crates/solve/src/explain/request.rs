//! A request that no record can meet, whatever the others ask.

use std::collections::BTreeSet;

use envlock_model::question::AskedSpec;
use envlock_report::{Code, Finding};
use rattler_conda_types::{Matches, RepoDataRecord, Subdir};

use super::{Names, advice::Advice, nearest, words};
use crate::{
    Problem,
    pool::{Candidates, Pool},
};

/// How many versions are listed before the rest is only counted.
pub(super) const VERSIONS: usize = 6;

/// Whether `request` can be met, taken alone.
pub(super) fn can_be_met(problem: &Problem<'_>, pool: &Pool<'_>, request: &AskedSpec) -> bool {
    let package = request.package();
    if package.starts_with("__") {
        return problem.asked.virtual_packages.iter().any(|other| request.spec.matches(other));
    }
    pool.get(package).is_some_and(|candidates| {
        candidates.usable.iter().any(|(_, record)| request.spec.matches(*record))
    })
}

/// What is wrong with `request`, which can't be met even alone.
pub(super) fn trouble(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    names: &Names,
    advice: &mut Advice<'_>,
    request: &AskedSpec,
) -> Finding {
    let package = request.package();
    if package.starts_with("__") {
        return virtual_package(problem, request);
    }
    let Some(candidates) = pool.get(package) else {
        return unknown(problem, names, request);
    };
    let accepts = |record: &RepoDataRecord| request.spec.matches(record);
    let diagnostic = if candidates.too_new.iter().any(|record| accepts(record)) {
        Finding::new(
            Code::TooNew,
            format!("every record that `{}` accepts is newer than allowed", request.text),
        )
        .with_note("a record without a timestamp counts as too new")
        .with_help(format!(
            "allow more with a later `--exclude-newer`, or ask for what is old enough: {}",
            usable_versions(candidates)
        ))
    } else if candidates.unhashed.iter().any(|record| accepts(record)) {
        Finding::new(
            Code::NoSha256,
            format!("every record that `{}` accepts lacks a sha256 in its index", request.text),
        )
        .with_note("what can't be verified is never locked")
        .with_help(format!("ask for another version: {}", usable_versions(candidates)))
    } else if [&candidates.unhashed, &candidates.too_new].iter().all(|list| list.is_empty())
        && candidates.usable.is_empty()
    {
        not_there(problem, candidates, request)
    } else if candidates.hidden.iter().any(|(_, record)| accepts(record)) {
        elsewhere(problem, candidates, request)
    } else {
        no_such_build_or_version(problem, pool, advice, candidates, request)
    };
    diagnostic.at(request.place.clone())
}

fn unknown(problem: &Problem<'_>, names: &Names, request: &AskedSpec) -> Finding {
    let package = request.package();
    let searched: Vec<_> = problem.channels.iter().map(|channel| channel.name.as_str()).collect();
    let mut diagnostic = Finding::new(
        Code::UnknownPackage,
        format!("no channel has a package named {package} for {}", problem.platform),
    )
    .at(request.place.clone())
    .with_note(format!("searched: {}", searched.join(", ")));
    if let Some(close) = envlock_report::nearest(package, names.keys().map(String::as_str)) {
        let channels: Vec<_> =
            names[close].iter().map(|index| problem.channels[*index].name.as_str()).collect();
        diagnostic = diagnostic
            .with_help(format!("the nearest name is {close} (in {})", channels.join(", ")));
    } else {
        diagnostic =
            diagnostic.with_help("check the name, or add the channel that has it to `channels:`");
    }
    diagnostic
}

/// The name is known, but not where it was asked for.
fn not_there(problem: &Problem<'_>, candidates: &Candidates<'_>, request: &AskedSpec) -> Finding {
    let package = request.package();
    let wanted = request.channel.as_deref();
    if let Some(subdir) = request.subdir {
        let elsewhere = candidates.hidden.iter().map(|(_, record)| *record);
        if !elsewhere.clone().any(|record| record.package_record.subdir == subdir.as_str()) {
            return not_in_subdir(problem, request, subdir, elsewhere);
        }
    }
    let has: Vec<_> = channels_of(problem, candidates.hidden.iter().map(|(channel, _)| *channel));
    let others: Vec<_> = has.iter().copied().filter(|name| Some(*name) != wanted).collect();
    let (message, help) = match (wanted, others.first()) {
        (Some(channel), Some(other)) => (
            format!("{channel} has no package named {package} for {}", problem.platform),
            format!("{other} has it: write `{other}::{package}`, or `{package}`"),
        ),
        (None, Some(other)) => (
            format!("no channel of `channels:` has a package named {package}"),
            format!(
                "{other} has it, and is searched only for what is asked of it by name: write \
                 `{other}::{package}`, or add {other} to `channels:`"
            ),
        ),
        (_, None) => (
            format!("no record of {package} can be used on {}", problem.platform),
            "ask for it without a channel or a subdir".to_owned(),
        ),
    };
    Finding::new(Code::NotInChannel, message).with_help(help)
}

/// Nothing of the subdir that is asked for: another platform's is never searched.
fn not_in_subdir<'a>(
    problem: &Problem<'_>,
    request: &AskedSpec,
    subdir: Subdir,
    elsewhere: impl Iterator<Item = &'a RepoDataRecord>,
) -> Finding {
    let package = request.package();
    let platform = problem.platform;
    let has: BTreeSet<_> = elsewhere.map(|record| record.package_record.subdir.as_str()).collect();
    let has: Vec<_> = has.into_iter().collect();
    let line = words::line(package, &request.spec);
    let help = match &request.channel {
        Some(channel) => format!("write `{channel}::{line}`"),
        None => format!("write `{line}`"),
    };
    Finding::new(
        Code::NotInSubdir,
        format!("no {package} of {subdir} can be used on {platform}: it is in {}", has.join(", ")),
    )
    .with_note(format!("searched for {platform}: {platform} and noarch"))
    .with_help(help)
}

/// Another channel has what is asked; priority or the request's own channel hides it.
fn elsewhere(problem: &Problem<'_>, candidates: &Candidates<'_>, request: &AskedSpec) -> Finding {
    let package = request.package();
    let matching = candidates.hidden.iter().filter(|(_, record)| request.spec.matches(*record));
    let others = channels_of(problem, matching.map(|(channel, _)| *channel));
    let used = candidates.channel.map_or("", |index| problem.channels[index].name.as_str());
    let other = others.first().copied().unwrap_or_default();
    let text = without_channel(request);
    if request.channel.is_some() {
        return Finding::new(
            Code::NoSuchVersion,
            format!("{used} has no {package} that `{text}` accepts"),
        )
        .with_note(format!("{used} has: {}", usable_versions(candidates)))
        .with_help(format!("{other} has it: write `{other}::{text}`"));
    }
    Finding::new(
        Code::HiddenByPriority,
        format!("strict channel priority hides the {package} of {other} behind {used}"),
    )
    .with_note(format!(
        "{used} comes first and has {package}, though no version that `{text}` accepts: {}",
        usable_versions(candidates)
    ))
    .with_help(format!("write `{other}::{text}`, or list {other} before {used}"))
}

fn no_such_build_or_version(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    advice: &mut Advice<'_>,
    candidates: &Candidates<'_>,
    request: &AskedSpec,
) -> Finding {
    let usable: Vec<_> = candidates.usable.iter().map(|(_, record)| *record).collect();
    let hidden = candidates.hidden.iter().map(|(_, record)| *record);
    let everywhere: Vec<&RepoDataRecord> = usable.iter().copied().chain(hidden).collect();

    let of_version = |record: &&RepoDataRecord| {
        let version = &record.package_record.version;
        request.spec.version.as_ref().is_none_or(|asked| asked.matches(version))
    };
    let of_version: Vec<_> = everywhere.iter().copied().filter(of_version).collect();
    if !of_version.is_empty() {
        return no_such_build(request, &of_version);
    }
    nearest::no_such_version(problem, pool, advice, candidates, request, &everywhere)
}

/// The version exists, but not with all that the brackets or the build ask for.
fn no_such_build(request: &AskedSpec, records: &[&RepoDataRecord]) -> Finding {
    let package = request.package();
    let line = words::line(package, &request.spec);
    let mut diagnostic = Finding::new(
        Code::NoSuchBuild,
        format!("no build of `{line}` is one that `{}` accepts", request.text),
    );
    for (key, value) in words::asked_besides_version(&request.spec) {
        let mut values: Vec<_> = records.iter().map(|record| value(record)).collect();
        values.sort();
        values.dedup();
        let more = if values.len() > VERSIONS { ", …" } else { "" };
        values.truncate(VERSIONS);
        diagnostic = diagnostic.with_note(format!("{key} is {}{more}", values.join(", ")));
    }
    diagnostic.with_help(format!("write `{line}` for any build"))
}

fn virtual_package(problem: &Problem<'_>, request: &AskedSpec) -> Finding {
    let assumed = &problem.asked.virtual_packages;
    let package = request.package();
    let has = assumed.iter().find(|other| other.name.as_normalized() == package);
    let message = match has {
        Some(has) => format!(
            "`{}` is asked for, and {} is assumed to have {has}",
            request.text, problem.platform
        ),
        None => format!(
            "`{}` is asked for, and {} is assumed to have no {package}",
            request.text, problem.platform
        ),
    };
    Finding::new(Code::VirtualPackage, message)
        .at(request.place.clone())
        .with_help(format!("say what the machine has: `--virtual-package {package}=VERSION`"))
}

fn usable_versions(candidates: &Candidates<'_>) -> String {
    words::versions(candidates.usable.iter().map(|(_, record)| *record), VERSIONS)
}

fn channels_of<'a>(problem: &Problem<'a>, indexes: impl Iterator<Item = usize>) -> Vec<&'a str> {
    let mut indexes: Vec<_> = indexes.collect();
    indexes.sort_unstable();
    indexes.dedup();
    indexes.into_iter().map(|index| problem.channels[index].name.as_str()).collect()
}

/// The request as it can be asked of another channel.
pub(super) fn without_channel(request: &AskedSpec) -> String {
    match (&request.channel, request.text.rsplit_once("::")) {
        (_, Some((_, rest))) => rest.to_owned(),
        (None, None) => request.text.clone(),
        // `[channel=…]` would win over what stands before it.
        (Some(_), None) => words::line(request.package(), &request.spec),
    }
}
