//! `verify`: compares every file of a prefix with its package's record.

use std::path::PathBuf;

use envlock_install::{Verified, VerifyError as CompareError};
use envlock_model::progress::Observer;
use envlock_report::{AsFindings, Exit, Finding};

use rattler_conda_types::Subdir;

use crate::{Context, FileError, InstallFlags, Project};

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

/// The result of `verify`.
pub struct VerifiedPrefix {
    /// The prefix.
    pub prefix: PathBuf,
    /// What was compared and what differs.
    pub verified: Verified,
    /// The flags with which `install` accepts the project's lock; `None` if there is no lock that
    /// can be installed on this machine.
    pub install: Option<InstallFlags>,
}

impl VerifiedPrefix {
    /// Adds the flag that `install` needs if the project's lock is stale.
    #[must_use]
    pub fn with_staleness(mut self, project: &Project, context: &Context<'_>) -> Self {
        if let (Some(flags), Ok(lock)) = (self.install, project.lock()) {
            self.install = Some(flags.with_staleness(project, lock, context));
        }
        self
    }
}

/// Verifies the environment at `prefix`, else at the default prefix, with `jobs` threads.
pub fn verify(
    project: &Project,
    prefix: Option<PathBuf>,
    host: Option<Subdir>,
    jobs: usize,
    observer: &dyn Observer,
) -> Result<VerifiedPrefix, VerifyError> {
    let prefix = match prefix {
        Some(prefix) => prefix,
        None => project.default_prefix()?,
    };
    let verified = envlock_install::verify(&prefix, jobs, observer)?;
    let install = match verified.differences.as_slice() {
        [] => None,
        _ => host.and_then(|host| {
            let locked = project.lock().ok()?.platforms.get(&host)?;
            Some(InstallFlags::for_platform(locked))
        }),
    };
    Ok(VerifiedPrefix { prefix, verified, install })
}
