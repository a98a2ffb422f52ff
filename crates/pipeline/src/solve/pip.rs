//! Resolves the pip sections beside the solved conda packages.

mod error;
mod indexes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use envlock_model::lock::Lock;
use envlock_model::lock_inputs::{LockInputs, PlatformInputs, RequestedSpec};
use envlock_model::pip::{HashAlgorithm, PackageSet, Requirement, RequirementKind};
use envlock_model::wheel::LockedWheel;
use envlock_pypi::{CondaSet, IndexSources, PipRequirement, Problem, Resolving, Target};
use envlock_report::{Code, Finding, Place};
use rattler_conda_types::{RepoDataRecord, Subdir};

pub use error::PipError;

use super::Upgrade;
use crate::Context;

/// The folder of the cache for the pages of PyPI's indexes.
const CACHE_FOLDER: &str = "pypi";

/// What the pip sections are resolved with.
pub(super) struct PipSolve<'a> {
    pub(super) inputs: &'a LockInputs,
    /// The solved conda packages.
    pub(super) records: &'a BTreeMap<Subdir, Vec<RepoDataRecord>>,
    /// The existing lock, whose versions are kept if possible.
    pub(super) kept: Option<&'a Lock>,
    pub(super) upgrade: &'a Upgrade,
    /// The folder of the project.
    pub(super) folder: &'a Path,
    pub(super) context: &'a Context<'a>,
}

impl PipSolve<'_> {
    /// Resolves the pip section of every platform.
    pub(super) async fn run(&self) -> Result<BTreeMap<Subdir, Vec<LockedWheel>>, PipError> {
        let mut wheels = BTreeMap::new();
        // Platforms have the same indexes, unless a selector says otherwise.
        let mut started: Vec<(IndexSources, Resolving)> = Vec::new();
        for (platform, wanted) in &self.inputs.platforms {
            let Some(first) = wanted.pip.requirements.first() else { continue };
            let conda = conda_lines(wanted);
            let fail =
                |error| PipError::Resolve { platform: *platform, error, conda: conda.clone() };
            refuse_no_binary(&wanted.pip.options.no_binary)?;
            let sources = self.sources(wanted)?;
            let known = started.iter().position(|(known, _)| *known == sources);
            let index = if let Some(index) = known {
                index
            } else {
                let folder = self.context.client.cache_folder().join(CACHE_FOLDER);
                let client = Arc::clone(self.context.client);
                let resolving = Resolving::new(client, &folder, sources.clone()).await;
                started.push((sources, resolving.map_err(fail)?));
                started.len() - 1
            };
            let records = self.records.get(platform).map(Vec::as_slice).unwrap_or_default();
            let target = Target::new(*platform, records, &wanted.virtual_packages)
                .map_err(|error| PipError::Target { place: first.place.clone(), error })?;
            let problem = Problem {
                target: &target,
                conda: &CondaSet::new(records),
                requirements: &requirements(&wanted.pip.requirements)?,
                constraints: &requirements(&wanted.pip.constraints)?,
                locked: &self.locked(*platform),
            };
            let resolved = started[index].1.resolve(&problem).await.map_err(fail)?;
            check_hashes(&wanted.pip.requirements, &resolved)?;
            wheels.insert(*platform, resolved);
        }
        Ok(wheels)
    }

    fn sources(&self, wanted: &PlatformInputs) -> Result<IndexSources, PipError> {
        let configured =
            IndexSources { exclude_newer: self.inputs.exclude_newer, ..self.context.pypi.clone() };
        let options = &wanted.pip.options;
        let sources = indexes::index_sources(options, &configured, self.folder, self.context)?;
        match &sources.problem {
            Some(problem) => Err(PipError::Configuration(Box::new(problem.clone()))),
            None => Ok(sources),
        }
    }

    /// Returns the locked wheels whose versions are preferred.
    fn locked(&self, platform: Subdir) -> Vec<LockedWheel> {
        let none = BTreeSet::new();
        let upgraded = match self.upgrade {
            Upgrade::Packages(names) => names,
            Upgrade::None | Upgrade::All => &none,
        };
        let locked = self.kept.and_then(|lock| lock.platforms.get(&platform));
        let wheels = locked.and_then(|locked| locked.wheels.as_deref()).unwrap_or_default();
        wheels.iter().filter(|wheel| !upgraded.contains(wheel.name())).cloned().collect()
    }
}

/// Returns the requirements by name. The others can't be locked yet.
fn requirements(requirements: &[Requirement]) -> Result<Vec<PipRequirement>, PipError> {
    let named = |requirement: &Requirement| {
        let place = requirement.place.clone();
        match requirement.pep508() {
            Some(text) => Ok(PipRequirement { text, place }),
            None => Err(PipError::Line(Box::new(not_lockable(requirement).at(place)))),
        }
    };
    requirements.iter().map(named).collect()
}

/// Refuses `--no-binary`: only wheels are locked.
fn refuse_no_binary(packages: &PackageSet) -> Result<(), PipError> {
    let Some(place) = packages.all.as_ref().or_else(|| packages.names.values().next()) else {
        return Ok(());
    };
    let message = "`--no-binary` asks for a build, and only wheels are locked";
    let finding = Finding::new(Code::PipNotLockable, message).at(place.clone());
    Err(PipError::Line(Box::new(finding.with_help("remove the option"))))
}

fn not_lockable(requirement: &Requirement) -> Finding {
    let (what, help) = match &requirement.kind {
        RequirementKind::Git { .. } => {
            ("a git repository", "request the package by name and version")
        }
        RequirementKind::Path { .. } => {
            ("a path", "put its wheel on an index, and request it by name")
        }
        RequirementKind::Url { .. } | RequirementKind::Named { .. } => {
            ("a URL", "request the package by name and version")
        }
    };
    let message = format!("a requirement by {what} isn't locked yet: `{}`", requirement.text);
    Finding::new(Code::PipNotLockable, message).with_help(help)
}

/// Checks that the chosen files have one of the hashes that their lines give.
fn check_hashes(requirements: &[Requirement], wheels: &[LockedWheel]) -> Result<(), PipError> {
    for requirement in requirements.iter().filter(|requirement| !requirement.hashes.is_empty()) {
        let name = requirement.name().map(ToString::to_string).unwrap_or_default();
        let Some(wheel) = wheels.iter().find(|wheel| wheel.name() == name) else { continue };
        let sha256 = hex(wheel);
        let of = |algorithm| requirement.hashes.iter().filter(move |h| h.algorithm == algorithm);
        if of(HashAlgorithm::Sha256).any(|hash| hash.digest == sha256) {
            continue;
        }
        let file = wheel.record().identifier.to_string();
        let message = format!("{file} has none of the hashes of this line");
        let finding = Finding::new(Code::PipHash, message)
            .at(requirement.place.clone())
            .with_note(format!("its hash is sha256:{sha256}"))
            .with_help("add this hash if you trust the file, or remove `--hash`");
        return Err(PipError::Line(Box::new(finding)));
    }
    Ok(())
}

fn hex(wheel: &LockedWheel) -> String {
    hex::encode(wheel.sha256())
}

/// Returns the lines of the requested conda packages by name.
fn conda_lines(wanted: &PlatformInputs) -> BTreeMap<String, (String, Place)> {
    let line =
        |spec: &RequestedSpec| (spec.package().to_owned(), (spec.text.clone(), spec.place.clone()));
    wanted.requests.iter().map(line).collect()
}
