//! What an install does: decided before anything is written, shown by a dry run, carried out
//! by [`apply`](crate::apply).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use envlock_model::wheel::is_wheel;
use rattler_conda_types::RepoDataRecord;

use crate::error::InstallError;
use crate::history::channel;
use crate::install_spec::InstallSpec;
use crate::prefix_contents::PrefixContents;
use crate::previous::Previous;
use crate::state::PrefixState;
use crate::untracked::Untracked;

/// A package by name, version and build.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageId {
    /// Its normalised name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its build string.
    pub build: String,
    /// Its channel, as conda names it.
    pub channel: String,
    /// Its subdir.
    pub subdir: String,
}

impl From<&RepoDataRecord> for PackageId {
    fn from(record: &RepoDataRecord) -> Self {
        let package = &record.package_record;
        Self {
            name: package.name.as_normalized().to_owned(),
            version: package.version.to_string(),
            build: package.build.to_string(),
            channel: channel(record),
            subdir: package.subdir.clone(),
        }
    }
}

/// A package that is replaced by another one of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageChange {
    /// The installed package.
    pub from: PackageId,
    /// The package of the lock.
    pub to: PackageId,
}

/// How the environment at the prefix moves to `NAME~previous`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    /// Its new path.
    pub to: PathBuf,
    /// The files and packages in it that the lock doesn't have.
    pub untracked: Untracked,
    /// Whether an unchanged older environment is at that path, which is removed.
    pub removes_older: bool,
    /// Where an older environment at that path moves to, if it has files or changes of the user.
    pub keeps_older: Option<PathBuf>,
}

/// The steps of an install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// Packages that are added, sorted by name.
    pub added: Vec<PackageId>,
    /// Packages that are removed, sorted by name.
    pub removed: Vec<PackageId>,
    /// Packages that get another version, build or channel, sorted by name.
    pub changed: Vec<PackageChange>,
    /// Packages that stay as they are, sorted by name. They are linked again.
    pub unchanged: Vec<PackageId>,
    /// What happens to the environment that is there.
    pub moved_aside: Option<MovedAside>,
    /// Whether the packages' post-link scripts run.
    pub runs_scripts: bool,
    /// The names of the variables that activation sets.
    pub variables: Vec<String>,
}

/// What an install does to a prefix. Made by [`plan`] and carried out by
/// [`apply`](crate::apply).
#[derive(Debug, Clone)]
pub struct Plan {
    steps: Option<Steps>,
    prefix_state: PrefixState,
    needs_recovery: bool,
    has_leftovers: bool,
    spec: InstallSpec,
    /// The records that are at the prefix, for the history.
    installed_records: Vec<RepoDataRecord>,
}

impl Plan {
    /// Returns the steps. `None` if the prefix is up to date.
    pub fn steps(&self) -> Option<&Steps> {
        self.steps.as_ref()
    }

    /// Whether the prefix is up to date, and nothing is done.
    pub fn is_empty(&self) -> bool {
        self.steps.is_none()
    }

    /// Returns the prefix.
    pub fn prefix(&self) -> &Path {
        &self.spec.prefix
    }

    /// Returns the state of the prefix, after recovery if that is needed.
    pub fn prefix_state(&self) -> &PrefixState {
        &self.prefix_state
    }

    /// Whether a killed install is recovered from before the first step.
    pub fn needs_recovery(&self) -> bool {
        self.needs_recovery
    }

    /// Whether a killed install may have left a staging directory next to the prefix.
    pub(crate) fn has_leftovers(&self) -> bool {
        self.has_leftovers
    }

    /// Returns the packages that the prefix will have, in the order of the directories that
    /// [`apply`](crate::apply) takes.
    pub fn records(&self) -> &[RepoDataRecord] {
        &self.spec.records
    }

    pub(crate) fn spec(&self) -> &InstallSpec {
        &self.spec
    }

    pub(crate) fn installed_records(&self) -> &[RepoDataRecord] {
        &self.installed_records
    }

    /// Whether both do the same to the same prefix. Recovery doesn't count: it is done before
    /// the plan is checked.
    pub(crate) fn has_same_effect(&self, other: &Self) -> bool {
        self.prefix() == other.prefix()
            && self.prefix_state == other.prefix_state
            && self.steps == other.steps
    }
}

/// Decides what an install does. Pure.
///
/// # Errors
/// The prefix has something that an install never replaces, or replaces only if
/// [`InstallSpec::replace`] is set.
pub fn plan(present: PrefixContents, spec: InstallSpec) -> Result<Plan, InstallError> {
    let needs_recovery = present.needs_recovery;
    let has_leftovers = present.has_leftovers;
    if present.is_up_to_date(&spec) {
        return Ok(Plan {
            steps: None,
            prefix_state: present.state,
            needs_recovery,
            has_leftovers,
            spec,
            installed_records: Vec::new(),
        });
    }
    check_replaceable(&present, &spec)?;
    if let Some((path, source)) = present.unreadable.filter(|_| !spec.replace) {
        return Err(InstallError::UnreadableRecord { path, source });
    }
    let prefix = spec.prefix.clone();
    match &present.state {
        PrefixState::NotAnEnvironment => return Err(InstallError::NotAnEnvironment(prefix)),
        PrefixState::MadeByOtherTool if !spec.replace => {
            return Err(InstallError::MadeByOtherTool(prefix));
        }
        _ if !present.untracked.is_empty() && !spec.replace => {
            return Err(InstallError::UntrackedContents { prefix, untracked: present.untracked });
        }
        _ => {}
    }
    let before: Vec<RepoDataRecord> =
        present.records.into_iter().map(|record| record.repodata_record).collect();
    let moved_aside = present.is_environment.then(|| MovedAside {
        to: present.paths.previous(),
        untracked: present.untracked,
        removes_older: present.previous == Previous::Removable,
        keeps_older: match present.previous {
            Previous::Kept(to) => Some(to),
            _ => None,
        },
    });
    let steps = Some(Steps {
        moved_aside,
        runs_scripts: spec.run_post_link_scripts,
        variables: spec.variables.keys().cloned().collect(),
        ..compare(&before, &spec.records)
    });
    Ok(Plan {
        steps,
        prefix_state: present.state,
        needs_recovery,
        has_leftovers,
        spec,
        installed_records: before,
    })
}

/// Refuses to overwrite `NAME~previous` unless it is an environment.
fn check_replaceable(present: &PrefixContents, spec: &InstallSpec) -> Result<(), InstallError> {
    debug_assert_eq!(present.paths.prefix, spec.prefix);
    if present.is_environment && present.previous == Previous::Other {
        return Err(InstallError::PreviousTaken(present.paths.previous()));
    }
    Ok(())
}

/// Sorts the packages of two sets by what happens to them.
fn compare(before: &[RepoDataRecord], after: &[RepoDataRecord]) -> Steps {
    // A conda package and a wheel can have the same name.
    fn by_name(records: &[RepoDataRecord]) -> BTreeMap<(&str, bool), &RepoDataRecord> {
        let named =
            records.iter().map(|record| (record.package_record.name.as_normalized(), record));
        named.map(|(name, record)| ((name, is_wheel(record)), record)).collect()
    }
    let mut present = by_name(before);
    let mut steps = Steps {
        added: Vec::new(),
        removed: Vec::new(),
        changed: Vec::new(),
        unchanged: Vec::new(),
        moved_aside: None,
        runs_scripts: false,
        variables: Vec::new(),
    };
    for (name, new) in by_name(after) {
        match present.remove(&name) {
            None => steps.added.push(new.into()),
            Some(old) if is_same_archive(old, new) => steps.unchanged.push(new.into()),
            Some(old) => steps.changed.push(PackageChange { from: old.into(), to: new.into() }),
        }
    }
    steps.removed = present.into_values().map(PackageId::from).collect();
    steps
}

/// Whether both are the same archive: by digest if both have one, else by name.
fn is_same_archive(a: &RepoDataRecord, b: &RepoDataRecord) -> bool {
    match (a.package_record.sha256, b.package_record.sha256) {
        (Some(a), Some(b)) => a == b,
        _ => PackageId::from(a) == PackageId::from(b),
    }
}
