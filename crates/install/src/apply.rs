//! Carries out a plan, from top to bottom.

use std::path::{Path, PathBuf};

use envlock_model::progress::{Event, Notice, Observer};
use rattler::install::PythonInfo;
use rattler_conda_types::prefix::Prefix;
use rattler_conda_types::prefix_record::PathType;

use crate::contents::{self, Contents};
use crate::error::{InstallError, IoContext};
use crate::expected_metadata::ExpectedMetadata;
use crate::install_spec::{InstallSpec, Installed, Package};
use crate::mark::{Mark, mark_path};
use crate::owners::Owners;
use crate::plan::{MovedAside, Plan, plan};
use crate::prefix_contents::inspect;
use crate::prefix_paths::PrefixPaths;
use crate::state::InstallRecord;
use crate::swap::{RealOperations, Swapped, recover, remove, rename_to_free, roll_back, swap};
use crate::worker::Worker;
use crate::{compile, dist_info, meta, order, path_check, prefix_lock, scripts, stage};

/// Carries out a plan, or leaves the prefix as it was. `packages` are the unpacked packages, in the
/// order of [`Plan::records`], each with the record of the archive that was unpacked: the planned
/// one, or another archive of the same build.
///
/// Waits while another process installs into the same prefix. If the prefix has changed since
/// the plan was made, a new plan is made, reported as [`Notice::PlannedAgain`] and carried out
/// instead; the result says which. When the future is dropped, the work stops before the next
/// package, and nothing is put in place.
///
/// # Panics
/// There are more or fewer packages than records.
pub async fn apply(
    plan: Plan,
    packages: Vec<Package>,
    observer: &dyn Observer,
) -> Result<Installed, InstallError> {
    if plan.is_empty() {
        if plan.has_leftovers() {
            remove_leftovers(&plan, observer).await?;
        }
        return Ok(Installed::unchanged(plan));
    }
    assert_eq!(plan.records().len(), packages.len(), "a package for each record");
    let paths = PrefixPaths::new(plan.prefix())?;
    fs_err::create_dir_all(&paths.parent).while_doing("make the prefix's parent directory")?;
    let lock = prefix_lock::acquire(&paths, plan.spec(), observer).await?;
    // Disk work runs on its own thread; its events come through a channel.
    let (worker, mut events) = Worker::new();
    let task = tokio::task::spawn_blocking(move || {
        let installed = install(&plan, &packages, &paths, &worker);
        drop(lock);
        installed
    });
    while let Some(event) = events.recv().await {
        observer.observe(event);
    }
    match task.await {
        Ok(installed) => installed,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(InstallError::Cancelled),
    }
}

/// Removes what a killed install left next to a prefix that is up to date. If another install is
/// at work, it belongs to that one.
async fn remove_leftovers(plan: &Plan, observer: &dyn Observer) -> Result<(), InstallError> {
    let paths = PrefixPaths::new(plan.prefix())?;
    let Some(lock) = prefix_lock::try_acquire(&paths, plan.spec())? else { return Ok(()) };
    let (worker, mut events) = Worker::new();
    let task = tokio::task::spawn_blocking(move || {
        let recovered = recover(&paths, &worker);
        drop(lock);
        recovered
    });
    while let Some(event) = events.recv().await {
        observer.observe(event);
    }
    match task.await {
        Ok(recovered) => recovered,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(InstallError::Cancelled),
    }
}

/// Installs. The caller has the lock of the prefix.
fn install(
    plan: &Plan,
    packages: &[Package],
    paths: &PrefixPaths,
    worker: &Worker,
) -> Result<Installed, InstallError> {
    recover(paths, worker)?;
    let plan = current_plan(plan, worker)?;
    if plan.is_empty() {
        return Ok(Installed::unchanged(plan));
    }
    carry_out(plan, packages, paths, worker)
}

/// Returns the plan for the present contents of the prefix. Reports it if it has another effect.
fn current_plan(made: &Plan, observer: &dyn Observer) -> Result<Plan, InstallError> {
    let now = plan(inspect(made.spec())?, made.spec().clone())?;
    if !now.has_same_effect(made) {
        let prefix = now.prefix().to_owned();
        observer.observe(Event::Notice(Notice::PlannedAgain { prefix }));
    }
    Ok(now)
}

fn carry_out(
    plan: Plan,
    packages: &[Package],
    paths: &PrefixPaths,
    worker: &Worker,
) -> Result<Installed, InstallError> {
    let spec = plan.spec();
    let python = python(spec)?;
    let mut set = read_all(packages, spec, python.as_ref(), worker)?;
    let owners = Owners::assign(&mut set);
    path_check::check_paths(&set, &owners)?;

    let folder = staging_directory(paths).while_doing("make a staging directory")?;
    Mark::new(&spec.prefix).write(folder.path()).while_doing("make a staging directory")?;
    let staging = Prefix::create(folder.path()).while_doing("make a staging directory")?;
    let mut expected = ExpectedMetadata::new(folder.path(), &mark_path(folder.path()))
        .while_doing("make a staging directory")?;
    let mut linked = stage::link(set, &staging, spec, python.as_ref(), &mut expected, worker)?;
    worker.check_cancelled()?;
    let uncompiled = compile::compile(&mut linked, &staging, python.as_ref(), spec.jobs, worker)?;
    for entry in linked.iter().flat_map(|package| &package.paths) {
        let path = &entry.relative_path;
        if entry.path_type == PathType::PycFile && !expected.modes.contains_key(path) {
            let set = expected.set_mode(&staging, path, 0o666);
            set.while_doing("set the permissions of a file")?;
        }
    }
    dist_info::write(&mut linked, &staging, spec, python.as_ref(), &mut expected)?;
    let records = meta::write(linked, &staging, spec, plan.installed_records(), &expected)?;
    let post_link = scripts::packages_with_scripts(&records, &staging, spec.platform);
    let runs = plan.steps().is_some_and(|steps| steps.runs_scripts) && !post_link.is_empty();
    let install_record = InstallRecord::new(&spec.lock_digest, &spec.prefix, &staging);
    let mut install_record = install_record.while_doing("list the environment's records")?;
    install_record.complete = !runs;
    install_record.scripts_pending = !runs && !post_link.is_empty();
    install_record.write(&staging).while_doing("write the record of the install")?;
    worker.check_cancelled()?;

    let next = folder.keep();
    let (kept, swapped) = put_in_place(&plan, paths, &next, worker)?;
    if runs && let Err(error) = scripts::run(&post_link, &records, spec, worker) {
        let failed = paths.trash_path("failed");
        roll_back(paths, swapped, &failed, &RealOperations)
            .while_doing("restore the previous environment")?;
        remove(&failed, worker);
        put_back(kept, paths)?;
        return Err(error);
    }
    Mark::remove(&paths.prefix).while_doing("remove the mark of the install")?;
    if let Some(KeptOlder(to)) = kept {
        let from = paths.previous();
        worker.observe(Event::Notice(Notice::PreviousKept { from, to }));
    }
    if let Some(older) = &swapped.older {
        remove(older, worker);
    }
    let installed = Installed {
        packages: records.len(),
        files: records.iter().map(|record| record.files.len()).sum(),
        clobbers: owners.clobbers,
        post_link_scripts: post_link,
        uncompiled,
        plan,
    };
    if let Some(moved) = installed.moved_aside() {
        report_untracked(moved, worker);
    }
    Ok(installed)
}

/// Exchanges the prefix for the complete environment at `next`. An older environment that the
/// user has changed is moved out of the way first.
fn put_in_place(
    plan: &Plan,
    paths: &PrefixPaths,
    next: &Path,
    worker: &Worker,
) -> Result<(Option<KeptOlder>, Swapped), InstallError> {
    let moved_aside = plan.steps().and_then(|steps| steps.moved_aside.as_ref());
    let to = moved_aside.and_then(|moved| moved.keeps_older.clone());
    let kept = to
        .map(|to| KeptOlder::keep(paths, to))
        .transpose()
        .inspect_err(|_| remove(next, worker))
        .while_doing("keep the environment of an earlier install")?;
    match swap(paths, next, &RealOperations) {
        Ok(swapped) => Ok((kept, swapped)),
        Err(source) => {
            remove(next, worker);
            put_back(kept, paths)?;
            Err(InstallError::Io { action: "put the environment in place", source })
        }
    }
}

fn put_back(kept: Option<KeptOlder>, paths: &PrefixPaths) -> Result<(), InstallError> {
    let restored = kept.map_or(Ok(()), |kept| kept.put_back(paths));
    restored.while_doing("restore the environment of an earlier install")
}

/// An older environment that moved from `NAME~previous` to this path, because the user has
/// changed it.
struct KeptOlder(PathBuf);

impl KeptOlder {
    /// Moves the previous environment to its path. Nothing is replaced, also if something appeared
    /// there meanwhile.
    fn keep(paths: &PrefixPaths, to: PathBuf) -> std::io::Result<Self> {
        rename_to_free(&paths.previous(), &to)?;
        Ok(Self(to))
    }

    /// Restores the previous environment after an error.
    fn put_back(self, paths: &PrefixPaths) -> std::io::Result<()> {
        rename_to_free(&self.0, &paths.previous())
    }
}

/// Returns what noarch packages need to know of the Python in the set.
fn python(spec: &InstallSpec) -> Result<Option<PythonInfo>, InstallError> {
    let is_python = |record: &&rattler_conda_types::RepoDataRecord| {
        record.package_record.name.as_normalized() == "python"
    };
    let Some(record) = spec.records.iter().find(is_python) else { return Ok(None) };
    PythonInfo::from_python_record(&record.package_record, spec.platform)
        .map(Some)
        .map_err(|_| InstallError::NoPython(crate::install_spec::display_name(record)))
}

fn read_all<'a>(
    packages: &'a [Package],
    spec: &InstallSpec,
    python: Option<&PythonInfo>,
    worker: &Worker,
) -> Result<Vec<Contents<'a>>, InstallError> {
    let order = order::linking_order(packages);
    let read = |package| {
        worker.check_cancelled()?;
        contents::read(package, python, &spec.prefix)
    };
    order.into_iter().map(read).collect()
}

/// Creates an empty directory next to the prefix, which is removed on drop unless it is kept. With
/// the permissions that any new directory has, not a temporary one's.
fn staging_directory(paths: &PrefixPaths) -> std::io::Result<tempfile::TempDir> {
    let stem = paths.staging_stem();
    let mut builder = tempfile::Builder::new();
    builder.prefix(&stem);
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempdir_in(&paths.parent)
}

fn report_untracked(moved: &MovedAside, observer: &dyn Observer) {
    if !moved.untracked.is_empty() {
        observer.observe(Event::Notice(Notice::MovedAside {
            files: moved.untracked.files.len(),
            packages: moved.untracked.packages.len(),
            previous: moved.to.clone(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use rattler_conda_types::Subdir;

    use super::*;

    #[test]
    fn nothing_is_put_in_place_once_the_install_is_cancelled() {
        let folder = tempfile::tempdir().expect("a directory");
        let spec = InstallSpec {
            prefix: folder.path().join("env"),
            platform: Subdir::Linux64,
            records: Vec::new(),
            requested: std::collections::BTreeMap::new(),
            requested_wheels: std::collections::BTreeSet::new(),
            variables: std::collections::BTreeMap::new(),
            lock_digest: "s".into(),
            command: "envlock install".into(),
            time: jiff::Timestamp::UNIX_EPOCH,
            envlock_version: "0".into(),
            replace: false,
            run_post_link_scripts: false,
            jobs: 1,
        };
        let paths = PrefixPaths::new(&spec.prefix).expect("a good prefix");
        let plan = plan(inspect(&spec).expect("readable"), spec).expect("a plan");
        let (worker, events) = Worker::new();
        drop(events);
        let installed = install(&plan, &[], &paths, &worker);
        assert!(matches!(installed, Err(InstallError::Cancelled)));
        assert_eq!(fs_err::read_dir(folder.path()).expect("a directory").count(), 0);
    }
}
