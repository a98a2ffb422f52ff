//! Resolves pip requirements beside the conda packages of a platform.
//!
//! ```text
//! requirements ──┐
//! CondaSet ──────┼─▶ Resolving ──▶ wheels with URL and sha256
//! Target ────────┘       │
//!                channel client (mirrors, credentials, limits)
//! ```
//!
//! uv's resolver chooses the versions and the files. It is called here and nowhere else, and all
//! its requests go through the channel client.

mod conda_set;
mod error;
mod index_url;
mod locked;
mod names;
mod near;
mod no_builds;
mod provider;
mod resolve;
mod target;
mod transport;

use std::collections::BTreeSet;

use envlock_report::{Finding, Place};
use url::Url;

pub use conda_set::CondaSet;
pub use error::{CondaSide, NoSolution, ResolveError, UnknownPackage};
pub use index_url::register_index;
pub use resolve::{Problem, Resolving};
pub use target::{Target, TargetError};

/// The index that is searched unless another is configured.
pub const DEFAULT_INDEX: &str = "https://pypi.org/simple/";

/// A requirement of a pip section.
#[derive(Clone)]
pub struct PipRequirement {
    /// The requirement in PEP 508, with the values of its variables. It can have credentials.
    pub text: String,
    /// Where it is written.
    pub place: Place,
}

/// The indexes that are searched.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IndexSources {
    /// The index of `--index-url`, without credentials. It is searched last.
    pub index: Option<Url>,
    /// The indexes of `--extra-index-url`, without credentials, in the order of the search.
    pub extra_indexes: Vec<Url>,
    /// Whether no index is searched.
    pub no_index: bool,
    /// Whether pre-releases of all packages are chosen.
    pub prereleases: bool,
    /// The packages of which pre-releases are chosen.
    pub prereleases_of: BTreeSet<String>,
    /// Why the configured indexes can't be used. Then nothing is resolved.
    pub problem: Option<Finding>,
    /// The time limit: files that were uploaded later are excluded.
    pub exclude_newer: Option<jiff::Timestamp>,
}

impl std::fmt::Debug for PipRequirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", envlock_text::redact(&self.text), self.place)
    }
}
