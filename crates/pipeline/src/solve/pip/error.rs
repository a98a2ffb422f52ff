//! Why a pip section can't be resolved, as findings.

use std::collections::BTreeMap;

use envlock_pypi::{NoSolution, ResolveError, TargetError, UnknownPackage};
use envlock_report::{AsFindings, Code, Exit, Finding, Place};
use rattler_conda_types::Subdir;

/// Why a pip section can't be resolved.
#[derive(Debug, thiserror::Error)]
pub enum PipError {
    /// The configured indexes can't be used.
    #[error("{}", .0.message)]
    Configuration(Box<Finding>),
    /// A line can't be locked.
    #[error("{}", .0.message)]
    Line(Box<Finding>),
    /// No wheels can be chosen for a platform.
    #[error("the pip section can't be resolved: {error}")]
    Target {
        /// The first line of the section.
        place: Place,
        /// The reason.
        error: TargetError,
    },
    /// The requirements of a platform can't be resolved.
    #[error("the pip section can't be resolved for {platform}")]
    Resolve {
        /// The platform.
        platform: Subdir,
        /// The reason.
        error: ResolveError,
        /// The requested conda packages: the name, the line and its place.
        conda: BTreeMap<String, (String, Place)>,
    },
}

impl AsFindings for PipError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Configuration(finding) | Self::Line(finding) => vec![Finding::clone(finding)],
            Self::Target { place, error } => {
                let finding = Finding::new(Code::PipPython, self.to_string()).at(place.clone());
                vec![finding.with_help(match error {
                    TargetError::NoPython(_) => "add `- python=3.10` above the pip section",
                    _ => "take conda packages instead of the pip section on this platform",
                })]
            }
            Self::Resolve { platform, error, conda } => resolve_findings(*platform, error, conda),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Target { .. } | Self::Configuration(_) | Self::Line(_) => Exit::Usage,
            Self::Resolve { error, .. } => match error {
                ResolveError::NoSolution(_) => Exit::NoSolution,
                ResolveError::Requirement { .. } => Exit::Usage,
                _ => Exit::Undetermined,
            },
        }
    }
}

fn resolve_findings(
    platform: Subdir,
    error: &ResolveError,
    conda: &BTreeMap<String, (String, Place)>,
) -> Vec<Finding> {
    match error {
        ResolveError::NoSolution(error) => no_solution(platform, error, conda),
        ResolveError::Unavailable(files) => files.iter().flat_map(AsFindings::findings).collect(),
        ResolveError::Requirement { place, .. } => {
            vec![Finding::new(Code::PipRequirement, error.to_string()).at(place.clone())]
        }
        ResolveError::NoSha256 { .. } => vec![
            Finding::new(Code::PipIndex, error.to_string())
                .with_help("request a version whose file has one, or use another index"),
        ],
        ResolveError::Cache(_) => {
            vec![Finding::new(Code::CacheUnusable, error.to_string())]
        }
        ResolveError::Internal(_) => {
            vec![Finding::new(Code::PipIndex, error.to_string())]
        }
    }
}

fn no_solution(
    platform: Subdir,
    error: &NoSolution,
    conda: &BTreeMap<String, (String, Place)>,
) -> Vec<Finding> {
    if !error.unknown.is_empty() {
        return error.unknown.iter().map(unknown_package).collect();
    }
    let message = if let ([(line, _)], []) = (error.lines.as_slice(), error.conda.as_slice()) {
        format!("no wheels satisfy `{line}` for {platform}")
    } else if error.conda.is_empty() {
        format!("the lines of the pip section contradict each other ({platform})")
    } else {
        let names: Vec<_> = error.conda.iter().map(|one| one.conda_name.as_str()).collect();
        format!(
            "the pip section doesn't fit {} {} of conda ({platform})",
            if names.len() == 1 { "the package" } else { "the packages" },
            names.join(", ")
        )
    };
    let mut finding = Finding::new(Code::PipNoSolution, message);
    if let Some((_, place)) = error.lines.first() {
        finding = finding.at(place.clone());
    }
    for (line, place) in error.lines.iter().skip(1) {
        finding.add_note(format!("{place}: `{line}`"));
    }
    for package in &error.conda {
        let (name, version) = (&package.conda_name, &package.version);
        finding.add_note(match conda.get(name) {
            Some((line, place)) => format!("{place}: `{line}` gives {name} {version}"),
            None => format!("conda gives {name} {version}, which another package needs"),
        });
    }
    for line in error.report.lines() {
        finding.add_note(line);
    }
    vec![finding.with_help("change one of the lines, or take the package from conda alone")]
}

fn unknown_package(unknown: &UnknownPackage) -> Finding {
    let name = &unknown.name;
    let message = format!("no index has a package named `{name}`");
    let mut finding = Finding::new(Code::PipUnknown, message);
    match &unknown.line {
        Some((_, place)) => finding = finding.at(place.clone()),
        None => finding.add_note("another package of the pip section needs it"),
    }
    match unknown.near.as_slice() {
        [] => finding.with_help("look the name up in the index, or remove the line"),
        names => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            finding.with_help(format!("did you mean {}?", names.join(" or ")))
        }
    }
}
