//! Finds lines for one package that can't all hold, and duplicates.

use std::collections::{BTreeMap, HashMap};

use envlock_report::{Code, Finding, Level, Place};
use envlock_text::limits::PIP_SAME_NAME;
use pep440_rs::{Operator, VersionSpecifier, VersionSpecifiers};
use pep508_rs::PackageName;

use super::read::{PipContent, PipLine};
use super::{IndexOptions, Requirement, RequirementKind};
use crate::spec::Selector;

/// Returns the findings about pairs of lines of one environment, in the order of the lines.
pub(crate) fn check(lines: &[PipLine]) -> Vec<Finding> {
    let mut findings = duplicates(lines);
    findings.extend(conflicts(lines));
    findings.extend(unused_options(lines));
    findings
}

fn duplicates(lines: &[PipLine]) -> Vec<Finding> {
    let mut first: HashMap<(&str, bool, Option<String>), &Place> = HashMap::new();
    let mut findings = Vec::new();
    for line in lines {
        let is_constraint = match line.content {
            PipContent::Requirement(_) => false,
            PipContent::Constraint(_) => true,
            PipContent::Options(_) => continue,
        };
        let selector = line.selector.as_ref().map(ToString::to_string);
        let key = (line.text.as_str(), is_constraint, selector);
        let known = *first.entry(key).or_insert(&line.place);
        if *known != line.place {
            let message = format!(
                "`{}` is a duplicate; the first one is {}",
                line.text,
                at(known, &line.place)
            );
            findings.push(
                Finding::new(Code::DuplicateDependency, message)
                    .at_level(Level::Warning)
                    .at(line.place.clone())
                    .with_help("remove this line"),
            );
        }
    }
    findings
}

/// Names a place in relation to another one.
fn at(place: &Place, from: &Place) -> String {
    if place.file == from.file {
        format!("on line {}", place.line)
    } else {
        format!("on line {} of {}", place.line, place.file)
    }
}

fn conflicts(lines: &[PipLine]) -> Vec<Finding> {
    let mut by_name: BTreeMap<&PackageName, Vec<&Requirement>> = BTreeMap::new();
    for line in lines {
        if let PipContent::Requirement(requirement) | PipContent::Constraint(requirement) =
            &line.content
            && let Some(name) = requirement.name()
        {
            by_name.entry(name).or_default().push(requirement);
        }
    }
    let mut findings = Vec::new();
    for (name, requirements) in by_name {
        let compared = &requirements[..requirements.len().min(PIP_SAME_NAME)];
        for (number, later) in compared.iter().enumerate() {
            let mut earlier = compared[..number].iter();
            if let Some(earlier) = earlier.find(|earlier| contradict(earlier, later)) {
                let message = format!(
                    "`{}` can't hold together with `{}` {}",
                    later.text,
                    earlier.text,
                    at(&earlier.place, &later.place)
                );
                findings.push(
                    Finding::new(Code::PipConflict, message)
                        .at(later.place.clone())
                        .with_related(
                            earlier.place.clone(),
                            format!("{name} is requested here, too"),
                        )
                        .with_help("remove one of the two, or give them markers or selectors"),
                );
            }
        }
    }
    findings
}

/// Whether two requirements of one package apply to a common environment and have no common
/// version, or two addresses.
fn contradict(one: &Requirement, other: &Requirement) -> bool {
    if !overlap(one.selector.as_ref(), other.selector.as_ref()) {
        return false;
    }
    if let (Some(one), Some(other)) = (&one.marker, &other.marker)
        && one.tree.is_disjoint(&other.tree)
    {
        return false;
    }
    match (&one.kind, &other.kind) {
        (
            RequirementKind::Named { specifiers: one, .. },
            RequirementKind::Named { specifiers: other, .. },
        ) => !have_common_version(one, other),
        (RequirementKind::Named { .. }, _) | (_, RequirementKind::Named { .. }) => false,
        (one, other) => source(one) != source(other),
    }
}

/// Returns what decides which files a requirement without an index names.
fn source(kind: &RequirementKind) -> (String, Option<&str>) {
    match kind {
        RequirementKind::Named { .. } => (String::new(), None),
        RequirementKind::Url { url, .. } => (url.as_str().to_owned(), None),
        RequirementKind::Path { path, .. } => (path.display().to_string(), None),
        RequirementKind::Git { url, revision, .. } => {
            (url.as_str().to_owned(), revision.as_ref().map(super::Revision::as_str))
        }
    }
}

fn overlap(one: Option<&Selector>, other: Option<&Selector>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return true };
    rattler_conda_types::Subdir::all().any(|subdir| one.matches(subdir) && other.matches(subdir))
}

/// Whether a version can satisfy both. Only exact versions are compared: the solver explains other
/// contradictions with the versions that exist.
fn have_common_version(one: &VersionSpecifiers, other: &VersionSpecifiers) -> bool {
    let all = || one.iter().chain(other.iter());
    let mut exact = all()
        .filter(|one| matches!(one.operator(), Operator::Equal | Operator::ExactEqual))
        .map(VersionSpecifier::version)
        .peekable();
    exact.peek().is_none() || exact.any(|version| all().all(|one| one.contains(version)))
}

/// Returns the findings about options that another line makes void.
fn unused_options(lines: &[PipLine]) -> Vec<Finding> {
    let (_, unused) = IndexOptions::of(lines.iter().filter(|line| line.selector.is_none()));
    let unused = unused.into_iter().map(|unused| {
        let (place, option) = unused.because;
        let message = format!(
            "`{}` has no effect: pip drops it because of `{option}` {}",
            unused.option,
            at(&place, &unused.place)
        );
        Finding::new(Code::PipOptionUnused, message)
            .at(unused.place)
            .with_related(place, format!("`{option}` is here"))
            .with_help("remove one of the two, or write `--index-url` before the others")
    });
    unused.collect()
}
