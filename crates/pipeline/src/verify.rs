//! `verify`: compares every file of a prefix with its package's record.

use std::path::PathBuf;

use envlock_install::{Verified, VerifyError as CompareError};
use envlock_model::progress::Observer;
use envlock_report::{AsFindings, Exit, Finding};

use crate::{FileError, Project};

/// Why a prefix can't be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The lock, which names the default prefix, can't be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The prefix can't be compared.
    #[error(transparent)]
    Prefix(#[from] CompareError),
}

impl AsFindings for VerifyError {
    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::File(error) => error.findings(),
            Self::Prefix(error) => error.findings(),
        }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Prefix(error) => error.exit(),
        }
    }
}

/// Verifies the environment at `prefix`, else at the default prefix, with `jobs` threads. Returns
/// the prefix and the result.
pub fn verify(
    project: &Project,
    prefix: Option<PathBuf>,
    jobs: usize,
    observer: &dyn Observer,
) -> Result<(PathBuf, Verified), VerifyError> {
    let prefix = match prefix {
        Some(prefix) => prefix,
        None => project.default_prefix()?,
    };
    let verified = envlock_install::verify(&prefix, jobs, observer)?;
    Ok((prefix, verified))
}
