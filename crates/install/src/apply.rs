//! The install itself, from top to bottom.

use std::path::{Path, PathBuf};

use envlock_model::progress::{Event, Notice, Observer};
use rattler::install::PythonInfo;
use rattler_conda_types::prefix::Prefix;

use crate::beside::Beside;
use crate::contents::{self, Contents};
use crate::error::{Doing, InstallError};
use crate::foreign::{Foreign, Survey, may_replace};
use crate::meta::Files;
use crate::owners::Owners;
use crate::state::{PrefixState, Stamp, state};
use crate::swap::{RealDisk, recover, remove, swap, undo};
use crate::wanted::{Installed, Wanted};
use crate::work::Work;
use crate::{activate, compile, escape, guard, meta, order, scripts, stage};

/// Makes the prefix what is wanted, or leaves it as it was.
///
/// Waits while another process installs into the same prefix. When the future is dropped,
/// the work stops before the next package, and nothing is put in place.
pub async fn apply(wanted: Wanted, observer: &dyn Observer) -> Result<Installed, InstallError> {
    let beside = Beside::of(&wanted.prefix)?;
    if is_right(&wanted)? {
        return Ok(untouched(&wanted));
    }
    fs_err::create_dir_all(&beside.parent).doing("make the prefix's parent directory")?;
    let guard = guard::take(&beside, &wanted, observer).await?;
    // Whoever was waited for may have done it.
    if is_right(&wanted)? {
        return Ok(untouched(&wanted));
    }
    // The disk is waited for on a thread of its own; its events come through a channel.
    let (work, mut events) = Work::new();
    let task = tokio::task::spawn_blocking(move || {
        let installed = install(&wanted, &beside, &work);
        drop(guard);
        installed
    });
    while let Some(event) = events.recv().await {
        observer.observe(event);
    }
    match task.await {
        Ok(installed) => installed,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(InstallError::Stopped),
    }
}

/// Whether there is nothing to do: the same lock, the same records, every file there with its
/// size, the variables set, and no script that is asked for and was not run. A bit that
/// flipped within a file is for `verify` to find.
pub fn is_right(wanted: &Wanted) -> Result<bool, InstallError> {
    let ready = PrefixState::Ready { stamp: wanted.stamp.clone() };
    if wanted.replace || state(&wanted.prefix)? != ready {
        return Ok(false);
    }
    let stamp = Stamp::read(&wanted.prefix).doing("read the environment's stamp")?;
    if wanted.link_scripts && stamp.is_some_and(|stamp| stamp.scripts_left) {
        return Ok(false);
    }
    let files = Files::read(&wanted.prefix).doing("read the environment's list of files")?;
    Ok(files.are_in(&wanted.prefix) && activate::sets(&wanted.prefix, &wanted.variables))
}

fn untouched(wanted: &Wanted) -> Installed {
    Installed { packages: wanted.packages.len(), ..Installed::default() }
}

fn install(wanted: &Wanted, beside: &Beside, work: &Work) -> Result<Installed, InstallError> {
    recover(beside, work)?;
    let Survey { records: before, foreign, .. } = may_replace(&wanted.prefix, wanted.replace)?;
    let python = python(wanted)?;
    let mut set = read_all(wanted, python.as_ref(), work)?;
    let owners = Owners::assign(&mut set);
    escape::refuse_escapes(&set, &owners)?;

    let folder = next_folder(beside).doing("make a directory beside the prefix")?;
    let staging = Prefix::create(folder.path()).doing("make a directory beside the prefix")?;
    let mut linked = stage::link(set, &staging, wanted, python.as_ref(), work)?;
    work.go_on()?;
    let uncompiled = compile::compile(&mut linked, &staging, python.as_ref(), wanted.jobs, work)?;
    let records = meta::write(linked, &staging, wanted, &before)?;
    let post_link = scripts::with_scripts(&records, &staging, wanted.platform);
    let run = wanted.link_scripts && !post_link.is_empty();
    let stamp = Stamp::of(&wanted.stamp, &wanted.prefix, &staging);
    let mut stamp = stamp.doing("list the environment's records")?;
    stamp.complete = !run;
    stamp.scripts_left = !run && !post_link.is_empty();
    stamp.write(&staging).doing("write the environment's stamp")?;
    work.go_on()?;

    let next = folder.keep();
    let swapped = swap(beside, &next, &RealDisk)
        .inspect_err(|_| remove(&next, work))
        .doing("put the environment in place")?;
    if run && let Err(error) = scripts::run(&post_link, &records, wanted, work) {
        let failed = undo(beside, swapped, &RealDisk).doing("take back the environment")?;
        remove(&failed, work);
        return Err(error);
    }
    if let Some(older) = &swapped.older {
        remove(older, work);
    }
    tell_of_foreign(&foreign, swapped.previous.as_deref(), work);
    Ok(Installed {
        changed: true,
        packages: records.len(),
        files: records.iter().map(|record| record.files.len()).sum(),
        clobbers: owners.clobbers,
        post_link_scripts: post_link,
        scripts_run: run,
        uncompiled,
        foreign,
        previous: swapped.previous,
    })
}

/// What noarch packages need to know of the Python in the set.
fn python(wanted: &Wanted) -> Result<Option<PythonInfo>, InstallError> {
    let python = wanted
        .packages
        .iter()
        .find(|package| package.record.package_record.name.as_normalized() == "python");
    let Some(package) = python else { return Ok(None) };
    PythonInfo::from_python_record(&package.record.package_record, wanted.platform)
        .map(Some)
        .map_err(|_| InstallError::NoPython(package.dist()))
}

fn read_all<'a>(
    wanted: &'a Wanted,
    python: Option<&PythonInfo>,
    work: &Work,
) -> Result<Vec<Contents<'a>>, InstallError> {
    let order = order::linking_order(&wanted.packages);
    let read = |package| {
        work.go_on()?;
        contents::read(package, python, &wanted.prefix)
    };
    order.into_iter().map(read).collect()
}

/// An empty directory beside the prefix, which vanishes unless it is kept. With the
/// permissions that any new directory has, not a temporary one's.
fn next_folder(beside: &Beside) -> std::io::Result<tempfile::TempDir> {
    let stem = beside.next_stem();
    let mut builder = tempfile::Builder::new();
    builder.prefix(&stem);
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    builder.tempdir_in(&beside.parent)
}

fn tell_of_foreign(foreign: &Foreign, previous: Option<&Path>, observer: &dyn Observer) {
    if let Some(previous) = previous.map(PathBuf::from)
        && !foreign.is_empty()
    {
        observer.observe(Event::Notice(Notice::MovedAside {
            files: foreign.files.len(),
            packages: foreign.packages.len(),
            previous,
        }));
    }
}

#[cfg(test)]
mod tests {
    use rattler_conda_types::Subdir;

    use super::*;

    #[test]
    fn nothing_is_put_in_place_for_a_caller_who_has_gone() {
        let folder = tempfile::tempdir().expect("a directory");
        let wanted = Wanted {
            prefix: folder.path().join("env"),
            platform: Subdir::Linux64,
            packages: Vec::new(),
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
        let beside = Beside::of(&wanted.prefix).expect("a good prefix");
        let (work, events) = Work::new();
        drop(events);
        assert!(matches!(install(&wanted, &beside, &work), Err(InstallError::Stopped)));
        assert_eq!(fs_err::read_dir(folder.path()).expect("a directory").count(), 0);
    }
}
