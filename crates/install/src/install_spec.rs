//! The input of an install, and its result.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rattler_conda_types::{RepoDataRecord, Subdir};

use crate::plan::{MovedAside, Plan};

/// An unpacked package to link.
#[derive(Debug, Clone)]
pub struct Package {
    /// The record of the unpacked archive, with the origin's URL. Credentials in it are never
    /// written.
    pub record: RepoDataRecord,
    /// The directory with the checked files and `info`.
    pub dir: PathBuf,
}

impl Package {
    /// Returns `name-version-build`, as messages and `conda-meta` name it.
    pub(crate) fn display_name(&self) -> String {
        display_name(&self.record)
    }
}

/// Returns `name-version-build` of a record.
pub(crate) fn display_name(record: &RepoDataRecord) -> String {
    let record = &record.package_record;
    format!("{}-{}-{}", record.name.as_normalized(), record.version, record.build)
}

/// What to install, and how.
#[derive(Debug, Clone)]
pub struct InstallSpec {
    /// The absolute path of the prefix, without `.` and `..`. It is written into files.
    pub prefix: PathBuf,
    /// The platform that it is for.
    pub platform: Subdir,
    /// Every package, wheels included, in any order.
    pub records: Vec<RepoDataRecord>,
    /// The requests of the user: by package name, the specs as written.
    pub requested: BTreeMap<String, Vec<String>>,
    /// The names of the wheels that the user requested.
    pub requested_wheels: BTreeSet<String>,
    /// Environment variables that activation sets (`conda-meta/state`).
    pub variables: BTreeMap<String, String>,
    /// The digest of the lock's contents for this platform. The same digest means that there is
    /// nothing to do.
    pub lock_digest: String,
    /// The command line, for `conda-meta/history` and for installs that wait.
    pub command: String,
    /// The time of the install, for the history.
    pub time: jiff::Timestamp,
    /// The version of the program, for the history.
    pub envlock_version: String,
    /// Installs even if the prefix is up to date. Untracked files and environments of other
    /// tools move to `NAME~previous`.
    pub replace: bool,
    /// Runs the packages' post-link scripts.
    pub run_post_link_scripts: bool,
    /// The number of packages that are compiled at a time; at least 1.
    pub jobs: usize,
}

/// A path that more than one package contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clobber {
    /// The path, relative to the prefix.
    pub path: PathBuf,
    /// The package whose file is installed: the first in the order of linking (dependencies first,
    /// then by name), so that the same set always has the same result.
    pub kept: String,
    /// The packages whose files aren't installed; `lost` in the JSON.
    pub not_installed: Vec<String>,
    /// Whether the packages list the same digest.
    pub identical: bool,
}

/// A noarch package's sources that have no `.pyc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncompiled {
    /// The package as `name-version-build`.
    pub package: String,
    /// The sources, relative to the prefix.
    pub files: Vec<PathBuf>,
    /// Python's message about the first of them.
    pub reason: String,
}

/// The result of an install.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The plan that was carried out.
    pub plan: Plan,
    /// The number of packages in the prefix.
    pub packages: usize,
    /// The number of files that were linked or made.
    pub files: usize,
    /// The paths that more than one package contains.
    pub clobbers: Vec<Clobber>,
    /// Names of packages with a post-link script.
    pub post_link_scripts: Vec<String>,
    /// Sources that were not compiled. Python compiles them at import, unless they are templates,
    /// which no Python compiles.
    pub uncompiled: Vec<Uncompiled>,
}

impl Installed {
    /// Creates the result for a prefix that was up to date.
    pub(crate) fn unchanged(plan: Plan) -> Self {
        Self {
            packages: plan.records().len(),
            plan,
            files: 0,
            clobbers: Vec::new(),
            post_link_scripts: Vec::new(),
            uncompiled: Vec::new(),
        }
    }

    /// Whether something was done.
    pub fn changed(&self) -> bool {
        !self.plan.is_empty()
    }

    /// Returns the environment that was moved aside, if there was one.
    pub fn moved_aside(&self) -> Option<&MovedAside> {
        self.plan.steps()?.moved_aside.as_ref()
    }

    /// Whether the post-link scripts were run.
    pub fn scripts_run(&self) -> bool {
        !self.post_link_scripts.is_empty() && self.plan.steps().is_some_and(|s| s.runs_scripts)
    }
}
