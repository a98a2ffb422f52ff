//! Why the requirements of a pip section can't be resolved.

use std::collections::BTreeSet;

use envlock_channel::UnavailableFile;
use envlock_report::Place;
use uv_normalize::PackageName;
use uv_resolver::{NoSolutionError, ResolveError as UvError};

use crate::conda_set::CondaSet;
use crate::resolve::NamedRequirement;

/// Why the requirements of a pip section can't be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// A requirement can't be read.
    #[error("it isn't a requirement: {reason}")]
    Requirement {
        /// The place of the requirement.
        place: Place,
        /// What is wrong with it.
        reason: String,
    },
    /// The cache can't be used.
    #[error("the cache of PyPI's indexes can't be used: {0}")]
    Cache(String),
    /// Files that no source delivered.
    #[error("an index can't be read")]
    Unavailable(Vec<UnavailableFile>),
    /// There is no solution.
    #[error("there is no solution")]
    NoSolution(NoSolution),
    /// The index has no digest of a file.
    #[error("the index has no sha256 of {file}")]
    NoSha256 {
        /// The file.
        file: String,
    },
    /// The resolver failed.
    #[error("{0}")]
    Internal(String),
}

/// Why there is no solution.
#[derive(Debug, Clone, Default)]
pub struct NoSolution {
    /// The resolver's reasons, as sentences.
    pub report: String,
    /// The requirements that take part in the conflict, with their places.
    pub lines: Vec<(String, Place)>,
    /// The conda packages that take part in it.
    pub conda: Vec<CondaSide>,
    /// The packages that no index has.
    pub unknown: Vec<UnknownPackage>,
}

/// A conda package in a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CondaSide {
    /// The name in conda.
    pub conda_name: String,
    /// The version.
    pub version: String,
}

/// A package that no index has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPackage {
    /// The name.
    pub name: String,
    /// The requirement, with its place; `None` if another package needs it.
    pub line: Option<(String, Place)>,
    /// Names that an index has, the nearest first.
    pub near: Vec<String>,
}

impl ResolveError {
    pub(crate) fn new(
        error: &UvError,
        conda: &CondaSet,
        requirements: &[NamedRequirement<'_>],
        unknown: Vec<UnknownPackage>,
    ) -> Self {
        match error {
            UvError::NoSolution(error) => {
                Self::NoSolution(no_solution(error, conda, requirements, unknown))
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

fn no_solution(
    error: &NoSolutionError,
    conda: &CondaSet,
    requirements: &[NamedRequirement<'_>],
    unknown: Vec<UnknownPackage>,
) -> NoSolution {
    let packages: BTreeSet<&PackageName> = error.packages().collect();
    let involved = requirements.iter().filter(|one| packages.contains(&one.parsed.name));
    let lines =
        involved.map(|one| (one.requirement.text.clone(), one.requirement.place.clone())).collect();
    let conda = packages
        .iter()
        .filter_map(|name| conda.get(name))
        .map(|(conda_name, version)| CondaSide {
            conda_name: conda_name.to_owned(),
            version: version.to_string(),
        })
        .collect();
    NoSolution { report: error.report().to_owned(), lines, conda, unknown }
}
