//! What an install is asked for, and what it answers.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use rattler_conda_types::{RepoDataRecord, Subdir};
use schemars::JsonSchema;
use serde::Serialize;

use crate::foreign::Foreign;

/// One package to link.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its record; the URL is the origin's. Credentials in it are never written.
    pub record: RepoDataRecord,
    /// The extracted, verified package: `info/…` and its files.
    pub dir: PathBuf,
}

impl Package {
    /// `name-version-build`, as messages and `conda-meta` name it.
    pub(crate) fn dist(&self) -> String {
        let record = &self.record.package_record;
        format!("{}-{}-{}", record.name.as_normalized(), record.version, record.build)
    }
}

/// What the prefix shall be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where it will live; absolute, without `.` and `..`. This path goes into its files.
    pub prefix: PathBuf,
    /// The platform that it is for.
    pub platform: Subdir,
    /// Every package, in any order.
    pub packages: Vec<Package>,
    /// What the user asked for: by package name, the specs as written.
    pub requested: BTreeMap<String, Vec<String>>,
    /// Environment variables that activation sets (`conda-meta/state`).
    pub variables: BTreeMap<String, String>,
    /// A digest of all that the lock says for this platform; opaque. The same stamp means
    /// that there is nothing to do.
    pub stamp: String,
    /// The command line, for `conda-meta/history` and for whoever waits.
    pub command: String,
    /// The time of the install, for the history.
    pub now: jiff::Timestamp,
    /// The version of the program, for the history.
    pub envlock_version: String,
    /// Builds anew whatever is there, even if it seems right; unknown files and
    /// environments of other tools go to `NAME~previous`.
    pub replace: bool,
    /// Runs the packages' post-link scripts.
    pub link_scripts: bool,
    /// How many packages are compiled at a time; at least 1.
    pub jobs: usize,
}

/// A path that several packages bring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Clobber {
    /// The path, relative to the prefix.
    pub path: PathBuf,
    /// Whose file is there: the first in the order of linking (dependencies first, then by
    /// name), so the same set always has the same winner.
    pub winner: String,
    /// Whose file was left out.
    pub losers: Vec<String>,
    /// Whether all of them bring the same bytes, as far as the packages say so.
    pub identical: bool,
}

impl fmt::Display for Clobber {
    /// One line without a full stop: `bin/x is from a-1-0, not from b-1-0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let losers = self.losers.join(" or ");
        write!(f, "{} is from {}, not from {losers}", self.path.display(), self.winner)?;
        if self.identical { f.write_str(" (the same bytes)") } else { Ok(()) }
    }
}

/// A noarch package's sources that have no `.pyc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Uncompiled {
    /// The package as `name-version-build`.
    pub package: String,
    /// The sources, relative to the prefix.
    pub files: Vec<PathBuf>,
    /// Why, as Python says it for the first of them.
    pub reason: String,
}

/// What an install did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Installed {
    /// False when the prefix was already right; then nothing was touched.
    pub changed: bool,
    /// How many packages the prefix has.
    pub packages: usize,
    /// How many files were linked or made.
    pub files: usize,
    /// Paths that several packages bring.
    pub clobbers: Vec<Clobber>,
    /// Names of packages with a post-link script.
    pub post_link_scripts: Vec<String>,
    /// Whether these scripts were run.
    pub scripts_run: bool,
    /// Sources that were not compiled; Python compiles them at import, or they are
    /// templates that no Python compiles.
    pub uncompiled: Vec<Uncompiled>,
    /// Where the environment that was there before is now.
    pub previous: Option<PathBuf>,
    /// What the lock doesn't know and went there with it.
    pub foreign: Foreign,
}
