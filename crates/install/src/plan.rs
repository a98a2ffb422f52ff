//! What an install does: decided before anything is written, shown by a dry run, carried out
//! by [`apply`](crate::apply).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rattler_conda_types::RepoDataRecord;

use crate::error::InstallError;
use crate::history::channel;
use crate::present::{Present, Previous};
use crate::state::PrefixState;
use crate::untracked::Untracked;
use crate::wanted::Wanted;

/// A package as users know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dist {
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

impl From<&RepoDataRecord> for Dist {
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
pub struct Change {
    /// What is there.
    pub from: Dist,
    /// What will be there.
    pub to: Dist,
}

/// The environment at the prefix moves to `NAME~previous`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedAside {
    /// Its new path.
    pub to: PathBuf,
    /// The files and packages in it that the lock doesn't have.
    pub untracked: Untracked,
    /// Whether an older environment is at that path, which is removed.
    pub removes_older: bool,
}

/// The steps of an install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// Packages that are added, sorted by name.
    pub link: Vec<Dist>,
    /// Packages that are removed, sorted by name.
    pub unlink: Vec<Dist>,
    /// Packages that get another version, build or channel, sorted by name.
    pub change: Vec<Change>,
    /// Packages that stay as they are, sorted by name. They are linked again.
    pub keep: Vec<Dist>,
    /// What happens to the environment that is there.
    pub moved_aside: Option<MovedAside>,
    /// Whether the packages' post-link scripts run.
    pub runs_scripts: bool,
    /// The names of the variables that activation will set.
    pub variables: Vec<String>,
}

/// What an install does to a prefix. Made by [`plan`] and carried out by
/// [`apply`](crate::apply).
#[derive(Debug, Clone)]
pub struct Plan {
    steps: Option<Steps>,
    present: PrefixState,
    needs_recovery: bool,
    wanted: Wanted,
    /// The records that are at the prefix, for the history.
    before: Vec<RepoDataRecord>,
}

impl Plan {
    /// The steps; none if the prefix is as wanted, and nothing is done.
    pub fn steps(&self) -> Option<&Steps> {
        self.steps.as_ref()
    }

    /// Whether the prefix is as wanted, and nothing is done.
    pub fn is_empty(&self) -> bool {
        self.steps.is_none()
    }

    /// The prefix.
    pub fn prefix(&self) -> &Path {
        &self.wanted.prefix
    }

    /// What is at the prefix, after recovery if that is needed.
    pub fn present(&self) -> &PrefixState {
        &self.present
    }

    /// Whether a killed install is recovered from before the first step.
    pub fn needs_recovery(&self) -> bool {
        self.needs_recovery
    }

    /// The packages that the prefix will have, in the order of the directories that
    /// [`apply`](crate::apply) takes.
    pub fn records(&self) -> &[RepoDataRecord] {
        &self.wanted.records
    }

    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    pub(crate) fn before(&self) -> &[RepoDataRecord] {
        &self.before
    }

    /// Whether both do the same to the same prefix. Recovery doesn't count: it is done before
    /// the plan is checked.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.prefix() == other.prefix()
            && self.present == other.present
            && self.steps == other.steps
    }
}

/// Decides what an install does to make the prefix as wanted. Pure.
///
/// # Errors
/// The prefix has something that an install never replaces, or replaces only if
/// [`Wanted::replace`] is set.
pub fn plan(present: Present, wanted: Wanted) -> Result<Plan, InstallError> {
    let needs_recovery = present.needs_recovery;
    if present.is_as(&wanted) {
        let present = present.state;
        return Ok(Plan { steps: None, present, needs_recovery, wanted, before: Vec::new() });
    }
    check_replaceable(&present, &wanted)?;
    if let Some((path, source)) = present.unreadable.filter(|_| !wanted.replace) {
        return Err(InstallError::UnreadableRecord { path, source });
    }
    let prefix = wanted.prefix.clone();
    match &present.state {
        PrefixState::NotAnEnvironment => return Err(InstallError::NotAnEnvironment(prefix)),
        PrefixState::NotOurs if !wanted.replace => return Err(InstallError::OtherTool(prefix)),
        _ if !present.untracked.is_empty() && !wanted.replace => {
            return Err(InstallError::UntrackedFiles { prefix, untracked: present.untracked });
        }
        _ => {}
    }
    let before: Vec<RepoDataRecord> =
        present.records.into_iter().map(|record| record.repodata_record).collect();
    let moved_aside = present.is_environment.then(|| MovedAside {
        to: present.paths.previous(),
        untracked: present.untracked,
        removes_older: present.previous == Previous::Environment,
    });
    let steps = Some(Steps {
        moved_aside,
        runs_scripts: wanted.link_scripts,
        variables: wanted.variables.keys().cloned().collect(),
        ..compare(&before, &wanted.records)
    });
    Ok(Plan { steps, present: present.state, needs_recovery, wanted, before })
}

/// `NAME~previous` is never overwritten unless it is an environment.
fn check_replaceable(present: &Present, wanted: &Wanted) -> Result<(), InstallError> {
    debug_assert_eq!(present.paths.prefix, wanted.prefix);
    if present.is_environment && present.previous == Previous::Other {
        return Err(InstallError::PreviousTaken(present.paths.previous()));
    }
    Ok(())
}

/// The packages of two sets by what happens to them.
fn compare(before: &[RepoDataRecord], after: &[RepoDataRecord]) -> Steps {
    fn by_name(records: &[RepoDataRecord]) -> BTreeMap<&str, &RepoDataRecord> {
        let names = records.iter().map(|record| record.package_record.name.as_normalized());
        names.zip(records).collect()
    }
    let mut present = by_name(before);
    let mut steps = Steps {
        link: Vec::new(),
        unlink: Vec::new(),
        change: Vec::new(),
        keep: Vec::new(),
        moved_aside: None,
        runs_scripts: false,
        variables: Vec::new(),
    };
    for (name, new) in by_name(after) {
        match present.remove(name) {
            None => steps.link.push(new.into()),
            Some(old) if is_same(old, new) => steps.keep.push(new.into()),
            Some(old) => steps.change.push(Change { from: old.into(), to: new.into() }),
        }
    }
    steps.unlink = present.into_values().map(Dist::from).collect();
    steps
}

/// Whether both are the same archive: by digest if both have one, else by name.
fn is_same(a: &RepoDataRecord, b: &RepoDataRecord) -> bool {
    match (a.package_record.sha256, b.package_record.sha256) {
        (Some(a), Some(b)) => a == b,
        _ => Dist::from(a) == Dist::from(b),
    }
}
