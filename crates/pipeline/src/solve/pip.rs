//! Resolves the pip sections beside the solved conda packages.

use std::collections::BTreeMap;
use std::sync::Arc;

use envlock_model::lock::Lock;
use envlock_model::lock_inputs::{LockInputs, PlatformInputs};
use envlock_model::wheel::LockedWheel;
use envlock_pypi::{
    CondaSet, IndexSources, NoSolution, PipRequirement, Problem, ResolveError, Resolving, Target,
    TargetError,
};
use envlock_report::{AsFindings, Code, Exit, Finding, Place};
use rattler_conda_types::{RepoDataRecord, Subdir};

use crate::Context;

/// The folder of the cache for the pages of PyPI's indexes.
const CACHE_FOLDER: &str = "pypi";

/// Why a pip section can't be resolved.
#[derive(Debug, thiserror::Error)]
pub enum PipError {
    /// The configured indexes can't be used.
    #[error("{}", .0.message)]
    Configuration(Box<Finding>),
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
            Self::Configuration(finding) => vec![Finding::clone(finding)],
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
            Self::Target { .. } | Self::Configuration(_) => Exit::Usage,
            Self::Resolve { error, .. } => match error {
                ResolveError::NoSolution(_) | ResolveError::NeedsBuild { .. } => Exit::NoSolution,
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
        ResolveError::NeedsBuild { place, .. } => {
            let finding = Finding::new(Code::PipNeedsBuild, error.to_string());
            let finding = place.iter().fold(finding, |finding, place| finding.at(place.clone()));
            vec![finding.with_help("request a version with a wheel, or the conda package")]
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
    let message = if error.conda.is_empty() {
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
        finding.add_note(line.to_owned());
    }
    vec![finding.with_help("change one of the lines, or take the package from conda alone")]
}

fn unknown_package(unknown: &envlock_pypi::UnknownPackage) -> Finding {
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

/// Resolves the pip section of every platform. `records` are the solved conda packages.
pub(super) async fn resolve(
    inputs: &LockInputs,
    records: &BTreeMap<Subdir, Vec<RepoDataRecord>>,
    kept: Option<&Lock>,
    sources: IndexSources,
    context: &Context<'_>,
) -> Result<BTreeMap<Subdir, Vec<LockedWheel>>, PipError> {
    let mut wheels = BTreeMap::new();
    let mut resolving = None;
    for (platform, wanted) in inputs.platforms.iter().filter(|(_, wanted)| !wanted.pip.is_empty()) {
        let records = records.get(platform).map(Vec::as_slice).unwrap_or_default();
        let place = wanted.pip[0].place.clone();
        if let Some(problem) = &sources.problem {
            return Err(PipError::Configuration(Box::new(problem.clone())));
        }
        let target = Target::new(*platform, records, &wanted.virtual_packages)
            .map_err(|error| PipError::Target { place, error })?;
        let conda_lines = conda_lines(wanted);
        let fail =
            |error| PipError::Resolve { platform: *platform, error, conda: conda_lines.clone() };
        let resolving = match &resolving {
            Some(resolving) => resolving,
            None => {
                let folder = context.client.cache_folder().join(CACHE_FOLDER);
                let client = Arc::clone(context.client);
                let started = Resolving::new(client, &folder, sources.clone()).await;
                resolving.insert(started.map_err(fail)?)
            }
        };
        let (requirements, constraints) = requirements(wanted);
        let locked = kept.and_then(|lock| lock.platforms.get(platform));
        let locked = locked.and_then(|locked| locked.wheels.as_deref()).unwrap_or_default();
        let problem = Problem {
            target: &target,
            conda: &CondaSet::new(records),
            requirements: &requirements,
            constraints: &constraints,
            locked,
        };
        wheels.insert(*platform, resolving.resolve(&problem).await.map_err(fail)?);
    }
    Ok(wheels)
}

/// Returns the requirements and constraints of a platform.
fn requirements(wanted: &PlatformInputs) -> (Vec<PipRequirement>, Vec<PipRequirement>) {
    let lines = wanted.pip.iter().filter(|line| !line.text.starts_with('-'));
    let requirement = |line: &envlock_model::lock_inputs::RequestedPipLine| PipRequirement {
        text: line.text.clone(),
        place: line.place.clone(),
    };
    (lines.map(requirement).collect(), Vec::new())
}

/// Returns the lines of the requested conda packages by name.
fn conda_lines(wanted: &PlatformInputs) -> BTreeMap<String, (String, Place)> {
    let line = |spec: &envlock_model::lock_inputs::RequestedSpec| {
        (spec.package().to_owned(), (spec.text.clone(), spec.place.clone()))
    };
    wanted.requests.iter().map(line).collect()
}
