//! Finds what would resolve a conflict. Each remedy is tried with the solver.

use std::collections::BTreeSet;

use envlock_model::{
    lock_inputs::{PlatformInputs, RequestedSpec},
    spec::{Conditions, RecordSpec},
};
use rattler_conda_types::{GenericVirtualPackage, MatchSpec, RepoDataRecord, Subdir};

use super::{conflict::attempt, text::requested_version};
use crate::{
    Problem,
    pool::{Pool, PriorityExempt, name},
};

/// How many lines are suggested in place of others.
const MAX_SUGGESTED: usize = 2;

/// For conflicts of more requests no lines are suggested.
const MAX_REQUESTS: usize = 4;

/// How many values of a virtual package are tried.
const MAX_VALUES: usize = 8;

/// A version that is newer than any "at least" requirement.
const NEWEST: &str = "9999";

/// Returns lines that can be met in place of one of the requests, together with the rest of the
/// conflict and with `others`.
pub(super) fn replacement_lines(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&RequestedSpec],
    others: &[&RequestedSpec],
) -> Vec<String> {
    if core.len() > MAX_REQUESTS {
        return Vec::new();
    }
    let is_limited = |request: &&&RequestedSpec| {
        request.spec.version.is_some()
            || request.spec.build.is_some()
            || !request.conditions.is_empty()
    };
    let line = |request: &&RequestedSpec| {
        let free = RequestedSpec {
            spec: MatchSpec {
                version: None,
                build: None,
                build_number: None,
                ..request.spec.clone()
            },
            conditions: Conditions::default(),
            ..(*request).clone()
        };
        let rest = core.iter().filter(|other| !std::ptr::eq(**other, *request));
        let requests: Vec<_> = rest.chain(others).copied().chain([&free]).collect();
        let set = attempt(problem, pool, &requests).ok()?;
        let record = set.iter().find(|record| name(record) == request.package())?;
        let channel = request.channel.as_ref().map(|channel| format!("{channel}::"));
        let version = as_precise(&record_version(record), &requested_version(request));
        Some(format!("{}{}={version}", channel.unwrap_or_default(), request.package()))
    };
    // A later line is more often the one that was added last.
    core.iter().rev().filter(is_limited).filter_map(line).take(MAX_SUGGESTED).collect()
}

fn record_version(record: &RepoDataRecord) -> String {
    record.package_record.version.to_string()
}

/// Cuts a version to the number of parts that the request has: `3.11.9` to `3.11` for `3.12`.
fn as_precise(version: &str, requested: &str) -> String {
    let is_plain = requested.chars().all(|c| c.is_ascii_digit() || c == '.');
    let parts = requested.split('.').count();
    if !is_plain || !version.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return version.to_owned();
    }
    version.split('.').take(parts).collect::<Vec<_>>().join(".")
}

/// Returns a value of `--virtual-package` with which the requests can be met. The names of
/// `likely` are tried first.
pub(super) fn remedying_virtual_package(
    problem: &Problem<'_>,
    pool: &Pool<'_>,
    core: &[&RequestedSpec],
    likely: &BTreeSet<&str>,
) -> Option<String> {
    let unmet = unmet_virtual_packages(problem, pool);
    let (first, last): (Vec<_>, Vec<_>) =
        unmet.into_iter().partition(|spec| likely.contains(spec.package()));
    let mut tried = BTreeSet::new();
    for spec in first.iter().chain(&last).filter(|spec| tried.insert(spec.package())) {
        let specs: Vec<_> =
            first.iter().chain(&last).filter(|other| other.package() == spec.package()).collect();
        let mut values: Vec<GenericVirtualPackage> = Vec::new();
        for value in
            specs.iter().filter_map(|spec| least(spec.spec(), |value| spec.matches_virtual(value)))
        {
            if !values.contains(&value) && values.len() < MAX_VALUES {
                values.push(value);
            }
        }
        values.sort();
        let is_enough = |inputs: &PlatformInputs| {
            let problem = Problem { inputs, ..*problem };
            // The pool depends on this virtual package alone.
            if spec.package() == "__archspec" {
                let pool = Pool::new(&problem, &PriorityExempt::new());
                return attempt(&problem, &pool, core).is_ok();
            }
            attempt(&problem, pool, core).is_ok()
        };
        let with =
            |package: &GenericVirtualPackage| with_virtual_package(problem.inputs, package.clone());
        if let Some(value) = values.iter().find(|value| is_enough(&with(value))) {
            return Some(shown(value));
        }
        let newest = with_newest_virtual_package(problem.inputs, spec.package());
        if newest.is_some_and(|inputs| is_enough(&inputs)) {
            return Some(format!("{}=VERSION", spec.package()));
        }
    }
    None
}

/// Returns the dependencies on virtual packages that the assumed machine doesn't meet.
fn unmet_virtual_packages(problem: &Problem<'_>, pool: &Pool<'_>) -> Vec<RecordSpec> {
    let usable = pool.names.values().flat_map(|candidates| &candidates.usable);
    let texts: BTreeSet<&str> = usable
        .flat_map(|(_, record)| {
            let package = &record.package_record;
            package.depends.iter().chain(&package.constrains)
        })
        .map(String::as_str)
        .filter(|text| text.starts_with("__"))
        .collect();
    let assumed = &problem.inputs.virtual_packages;
    let specs = texts.into_iter().filter_map(RecordSpec::parse);
    let specs = specs.filter(|spec| can_have(problem.platform, spec.package()));
    specs.filter(|spec| !assumed.iter().any(|package| spec.matches_virtual(package))).collect()
}

/// Whether a machine of the platform can have a virtual package.
fn can_have(platform: Subdir, package: &str) -> bool {
    match package {
        "__win" => platform.is_windows(),
        "__osx" => platform.is_osx(),
        "__linux" | "__glibc" => platform.is_linux(),
        // It has no version, and a machine has it or not.
        "__unix" => false,
        _ => true,
    }
}

/// Returns the value of `--virtual-package` that meets a dependency such as `__cuda >=12` or
/// `__cuda >=11 or >=12`; `None` if no machine of the platform has it.
pub(super) fn value_for(platform: Subdir, package: &str, need: &str) -> Option<String> {
    let first = need.split(" or ").next().unwrap_or(need);
    let value = RecordSpec::parse(first)
        .and_then(|spec| least(spec.spec(), |value| spec.matches_virtual(value)));
    can_have(platform, package)
        .then(|| value.as_ref().map_or_else(|| format!("{package}=VERSION"), shown))
}

/// Returns the value of `--virtual-package` that meets a request for a virtual package; `None` if no
/// machine of the platform has it.
pub(super) fn requested_virtual_package(
    platform: Subdir,
    request: &RequestedSpec,
) -> Option<String> {
    let package = request.package();
    let value = least(&request.spec, |value| request.matches_virtual(value));
    can_have(platform, package)
        .then(|| value.as_ref().map_or_else(|| format!("{package}=VERSION"), shown))
}

/// Returns the lowest virtual package that meets a spec such as `__glibc >=2.34` or
/// `__archspec 1.* x86_64_v3`; below an upper limit such as `__cuda <12` one that is near it.
fn least(
    spec: &MatchSpec,
    meets: impl Fn(&GenericVirtualPackage) -> bool,
) -> Option<GenericVirtualPackage> {
    let version = spec.version.as_ref()?.to_string();
    let first = version.split([',', '|']).next()?;
    let named = first.trim_start_matches(['>', '=', '~', '<', '!']).trim_end_matches(".*");
    let build = spec.build.as_ref().map_or("0".to_owned(), ToString::to_string);
    let tried = [Some(named.to_owned()), below(named), Some(format!("{named}.1"))];
    tried.into_iter().flatten().find_map(|version| {
        let package = GenericVirtualPackage {
            name: spec.name.as_exact()?.clone(),
            version: version.parse().ok()?,
            build_string: build.parse().ok()?,
        };
        meets(&package).then_some(package)
    })
}

/// Returns a version below another one: `11` for `12` and for `12.0`, `12.1` for `12.2`.
fn below(version: &str) -> Option<String> {
    let mut parts: Vec<u64> =
        version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    while parts.last() == Some(&0) {
        parts.pop();
    }
    *parts.last_mut()? -= 1;
    let parts: Vec<_> = parts.iter().map(ToString::to_string).collect();
    Some(parts.join("."))
}

fn shown(package: &GenericVirtualPackage) -> String {
    let (name, version) = (package.name.as_normalized(), &package.version);
    match package.build_string.as_str() {
        "0" => format!("{name}={version}"),
        build => format!("{name}={version}={build}"),
    }
}

/// Returns the inputs with this virtual package in place of the assumed one.
fn with_virtual_package(inputs: &PlatformInputs, package: GenericVirtualPackage) -> PlatformInputs {
    let mut inputs = inputs.clone();
    inputs.virtual_packages.retain(|other| other.name != package.name);
    inputs.virtual_packages.push(package);
    inputs
}

/// Returns the inputs with the virtual package `package`, newer than any "at least" requirement.
pub(super) fn with_newest_virtual_package(
    inputs: &PlatformInputs,
    package: &str,
) -> Option<PlatformInputs> {
    Some(with_virtual_package(
        inputs,
        GenericVirtualPackage {
            name: package.parse().ok()?,
            version: NEWEST.parse().ok()?,
            build_string: "0".parse().ok()?,
        },
    ))
}
