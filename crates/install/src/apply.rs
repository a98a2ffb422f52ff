//! Carries out a plan, from top to bottom.

use envlock_model::progress::{Event, Notice, Observer};
use rattler::install::PythonInfo;
use rattler_conda_types::prefix::Prefix;

use crate::contents::{self, Contents};
use crate::error::{Attempting, InstallError};
use crate::owners::Owners;
use crate::plan::{MovedAside, Plan, plan};
use crate::prefix_paths::PrefixPaths;
use crate::present::inspect;
use crate::state::Stamp;
use crate::swap::{RealDisk, recover, remove, swap, undo};
use crate::wanted::{Installed, Package, Wanted};
use crate::worker::Worker;
use crate::{compile, escape, meta, order, prefix_lock, scripts, stage};

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
        return Ok(Installed::unchanged(plan));
    }
    assert_eq!(plan.records().len(), packages.len(), "a package for each record");
    let paths = PrefixPaths::of(plan.prefix())?;
    fs_err::create_dir_all(&paths.parent).attempting("make the prefix's parent directory")?;
    let lock = prefix_lock::acquire(&paths, plan.wanted(), observer).await?;
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

/// For the holder of the lock.
fn install(
    plan: &Plan,
    packages: &[Package],
    paths: &PrefixPaths,
    worker: &Worker,
) -> Result<Installed, InstallError> {
    recover(paths, worker)?;
    let plan = still_valid(plan, worker)?;
    if plan.is_empty() {
        return Ok(Installed::unchanged(plan));
    }
    carry_out(plan, packages, paths, worker)
}

/// The plan, if it still fits the prefix; else a new one.
fn still_valid(made: &Plan, observer: &dyn Observer) -> Result<Plan, InstallError> {
    let now = plan(inspect(made.wanted())?, made.wanted().clone())?;
    if !now.is_same(made) {
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
    let wanted = plan.wanted();
    let python = python(wanted)?;
    let mut set = read_all(packages, wanted, python.as_ref(), worker)?;
    let owners = Owners::assign(&mut set);
    escape::check_escapes(&set, &owners)?;

    let folder = staging_directory(paths).attempting("make a staging directory")?;
    let staging = Prefix::create(folder.path()).attempting("make a staging directory")?;
    let mut linked = stage::link(set, &staging, wanted, python.as_ref(), worker)?;
    worker.check_cancelled()?;
    let uncompiled = compile::compile(&mut linked, &staging, python.as_ref(), wanted.jobs, worker)?;
    let records = meta::write(linked, &staging, wanted, plan.before())?;
    let post_link = scripts::with_scripts(&records, &staging, wanted.platform);
    let runs = plan.steps().is_some_and(|steps| steps.runs_scripts) && !post_link.is_empty();
    let stamp = Stamp::of(&wanted.stamp, &wanted.prefix, &staging);
    let mut stamp = stamp.attempting("list the environment's records")?;
    stamp.complete = !runs;
    stamp.scripts_pending = !runs && !post_link.is_empty();
    stamp.write(&staging).attempting("write the environment's stamp")?;
    worker.check_cancelled()?;

    let next = folder.keep();
    let swapped = swap(paths, &next, &RealDisk)
        .inspect_err(|_| remove(&next, worker))
        .attempting("put the environment in place")?;
    if runs && let Err(error) = scripts::run(&post_link, &records, wanted, worker) {
        let failed =
            undo(paths, swapped, &RealDisk).attempting("restore the previous environment")?;
        remove(&failed, worker);
        return Err(error);
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

/// What noarch packages need to know of the Python in the set.
fn python(wanted: &Wanted) -> Result<Option<PythonInfo>, InstallError> {
    let is_python = |record: &&rattler_conda_types::RepoDataRecord| {
        record.package_record.name.as_normalized() == "python"
    };
    let Some(record) = wanted.records.iter().find(is_python) else { return Ok(None) };
    PythonInfo::from_python_record(&record.package_record, wanted.platform)
        .map(Some)
        .map_err(|_| InstallError::NoPython(crate::wanted::dist(record)))
}

fn read_all<'a>(
    packages: &'a [Package],
    wanted: &Wanted,
    python: Option<&PythonInfo>,
    worker: &Worker,
) -> Result<Vec<Contents<'a>>, InstallError> {
    let order = order::linking_order(packages);
    let read = |package| {
        worker.check_cancelled()?;
        contents::read(package, python, &wanted.prefix)
    };
    order.into_iter().map(read).collect()
}

/// An empty directory next to the prefix, removed on drop unless it is kept. With the
/// permissions that any new directory has, not a temporary one's.
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
        let wanted = Wanted {
            prefix: folder.path().join("env"),
            platform: Subdir::Linux64,
            records: Vec::new(),
            requested: std::collections::BTreeMap::new(),
            variables: std::collections::BTreeMap::new(),
            stamp: "s".into(),
            command: "envlock install".into(),
            now: jiff::Timestamp::UNIX_EPOCH,
            envlock_version: "0".into(),
            replace: false,
            link_scripts: false,
            jobs: 1,
        };
        let paths = PrefixPaths::of(&wanted.prefix).expect("a good prefix");
        let plan = plan(inspect(&wanted).expect("readable"), wanted).expect("a plan");
        let (worker, events) = Worker::new();
        drop(events);
        let installed = install(&plan, &[], &paths, &worker);
        assert!(matches!(installed, Err(InstallError::Cancelled)));
        assert_eq!(fs_err::read_dir(folder.path()).expect("a directory").count(), 0);
    }
}
