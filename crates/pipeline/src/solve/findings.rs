//! The findings of a solve that has a solution.

use std::collections::BTreeSet;

use envlock_model::{lock::Lock, lock_inputs::LockInputs, spec::Environment};
use envlock_report::{Code, Finding, Level, count};
use envlock_solve::ExcludedByTime;
use rattler_conda_types::{RepoDataRecord, Subdir};

use crate::Overrides;

/// Returns a finding about platforms that `--platform` doesn't name, and that the previous lock or
/// environment.yml has.
pub(super) fn dropped_platforms_finding(
    environment: &Environment,
    existing: Option<&Lock>,
    inputs: &LockInputs,
    overrides: &Overrides,
) -> Option<Finding> {
    if overrides.platforms.is_empty() {
        return None;
    }
    let locked = existing.into_iter().flat_map(|lock| lock.platforms.keys().copied());
    let listed = environment.platforms.iter().map(|platform| platform.value);
    let before: BTreeSet<_> = locked.chain(listed).collect();
    let dropped: Vec<_> = before
        .iter()
        .filter(|platform| !inputs.platforms.contains_key(platform))
        .map(ToString::to_string)
        .collect();
    if dropped.is_empty() {
        return None;
    }
    let all: BTreeSet<_> = before.iter().chain(inputs.platforms.keys()).collect();
    let flags: Vec<_> = all.iter().map(|platform| format!("--platform {platform}")).collect();
    let dropped = dropped.join(" and ");
    let message =
        format!("the new lock has no packages for {dropped}: `--platform` doesn't name it");
    let finding = Finding::new(Code::PlatformDropped, message)
        .with_help(format!("keep all of them with `envlock solve {}`", flags.join(" ")));
    Some(match environment.platforms.first() {
        Some(first) => finding.at(first.place.clone()).with_note(
            "environment.yml lists platforms: without `--platform` it is solved for them",
        ),
        None => finding,
    })
}

pub(super) fn excluded_newer_finding(platform: Subdir, too_new: ExcludedByTime) -> Option<Finding> {
    (too_new != ExcludedByTime::default()).then(|| {
        Finding::new(
            Code::ExcludeNewer,
            format!(
                "{} newer than allowed and {} without a timestamp left out for {platform}",
                count(too_new.newer, "record"),
                count(too_new.without_timestamp, "record"),
            ),
        )
    })
}

pub(super) fn without_sha256_finding(
    (record, instead): &(RepoDataRecord, Option<RepoDataRecord>),
) -> Finding {
    let taken = instead.as_ref().map_or_else(
        || "another solution is used".to_owned(),
        |instead| format!("{} is used instead", instead.identifier),
    );
    Finding::new(
        Code::NoSha256,
        format!("{} would have been the choice, but its index gives no sha256", record.identifier),
    )
    .at_level(Level::Warning)
    .with_note(format!("a package that can't be verified is never locked; {taken}"))
}

pub(super) fn skipped_pip_finding(inputs: &LockInputs) -> Option<Finding> {
    let lines = || inputs.platforms.values().flat_map(|asked| &asked.pip.lines);
    let first = lines().min_by_key(|line| &line.place)?;
    let lines: BTreeSet<_> = lines().map(|line| &line.text).collect();
    Some(
        Finding::new(
            Code::PipSkipped,
            format!(
                "the pip section is NOT resolved: {} left out of the set",
                count(lines.len(), "line")
            ),
        )
        .at_level(Level::Warning)
        .at(first.place.clone())
        .with_note("the lock records the lines and has no packages for them")
        .with_help("`envlock install` refuses such a lock without `--without-pip`"),
    )
}
