//! Replaces a prefix atomically: at every moment the old one or the new one is in place.
//!
//! Where the file system can exchange two names at once (Linux, macOS):
//!
//! 1. the next prefix takes the name `NAME~previous` (by an exchange, if it is taken);
//! 2. `NAME~previous` and the prefix are exchanged.
//!
//! A process killed in between leaves the old prefix in place and a complete one next to
//! it. Elsewhere the prefix must be missing for a moment, between two renames; a journal
//! says so, and the next run completes what it says. Only the journal waits for the disk: it
//! must be there before the first rename is. An exchange is one change, kept or lost as one.

use std::io;
use std::path::{Path, PathBuf};

use envlock_model::progress::{Event, Notice, Observer, Recovery};

use crate::error::{InstallError, IoContext};
use crate::journal::{self, Journal};
use crate::mark::{is_made_for, mark_path};
use crate::prefix_paths::PrefixPaths;
use crate::previous::has_other_files;
use crate::state::{InstallRecord, PrefixState, is_environment, state};
use crate::trusted::{Distrust, check_directory};

/// The operations of a swap on the file system.
pub(crate) trait SwapOperations {
    /// Called before each step. A test returns an error here to imitate a killed process.
    fn before_step(&self) -> io::Result<()> {
        Ok(())
    }

    /// Exchanges two names at once.
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        exchange(a, b)
    }

    /// Gives a directory another name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs_err::rename(from, to)
    }
}

/// The operations of the file system.
pub(crate) struct RealOperations;

impl SwapOperations for RealOperations {}

/// The result of a swap.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Swapped {
    /// The path of the environment that was at the prefix before.
    pub(crate) previous: Option<PathBuf>,
    /// The path of the environment before that one, which isn't needed any more.
    pub(crate) older: Option<PathBuf>,
}

/// Puts `next`, a complete prefix with a name from [`PrefixPaths::staging_stem`], in place. After
/// an error the prefix and the previous one are as they were.
pub(crate) fn swap(
    paths: &PrefixPaths,
    next: &Path,
    disk: &dyn SwapOperations,
) -> io::Result<Swapped> {
    if is_environment(&paths.prefix) {
        match exchange_both(paths, next, disk) {
            Err(error) if cannot_exchange(&error) => rename_both(paths, next, disk),
            result => result,
        }
    } else {
        // A rename replaces an empty directory.
        rename(next, &paths.prefix, disk)?;
        Ok(Swapped { previous: None, older: None })
    }
}

fn exchange_both(
    paths: &PrefixPaths,
    next: &Path,
    disk: &dyn SwapOperations,
) -> io::Result<Swapped> {
    let previous = paths.previous();
    let older = is_present(&previous).then(|| next.to_owned());
    let aside = || match older {
        Some(_) => exchange_step(next, &previous, disk),
        None => rename(next, &previous, disk),
    };
    aside()?;
    if let Err(error) = exchange_step(&previous, &paths.prefix, disk) {
        // The previous environment is put back: after an error all is as it was.
        match older {
            Some(_) => exchange_step(&previous, next, disk)?,
            None => rename(&previous, next, disk)?,
        }
        return Err(error);
    }
    Ok(Swapped { previous: Some(previous), older })
}

fn rename_both(paths: &PrefixPaths, next: &Path, disk: &dyn SwapOperations) -> io::Result<Swapped> {
    let previous = paths.previous();
    let mut older = None;
    if is_present(&previous) {
        let aside = paths.trash_path("older");
        rename(&previous, &aside, disk)?;
        older = Some(aside);
    }
    disk.before_step()?;
    Journal::write(paths, next)?;
    let done = rename(&paths.prefix, &previous, disk).and_then(|()| {
        rename(next, &paths.prefix, disk).or_else(|error| {
            rename(&previous, &paths.prefix, disk)?;
            Err(error)
        })
    });
    clear_journal(paths, disk)?;
    match (done, older) {
        (Ok(()), older) => Ok(Swapped { previous: Some(previous), older }),
        (Err(error), None) => Err(error),
        (Err(error), Some(older)) => rename(&older, &previous, disk).and(Err(error)),
    }
}

/// Reverts a swap whose prefix has failed: the previous environment is in place again, and the
/// failed one is at `failed`.
pub(crate) fn roll_back(
    paths: &PrefixPaths,
    swapped: Swapped,
    failed: &Path,
    disk: &dyn SwapOperations,
) -> io::Result<()> {
    let Some(previous) = swapped.previous else {
        return rename(&paths.prefix, failed, disk);
    };
    match exchange_step(&previous, &paths.prefix, disk) {
        Ok(()) => rename(&previous, failed, disk)?,
        Err(error) if cannot_exchange(&error) => {
            disk.before_step()?;
            Journal::write(paths, &previous)?;
            rename(&paths.prefix, failed, disk)?;
            rename(&previous, &paths.prefix, disk)?;
            clear_journal(paths, disk)?;
        }
        Err(error) => return Err(error),
    }
    if let Some(older) = swapped.older {
        rename(&older, &previous, disk)?;
    }
    Ok(())
}

/// Recovers from a killed install: afterwards the prefix is the old one or the new one, and no
/// staging directory is left. Only for the holder of the lock.
pub(crate) fn recover(paths: &PrefixPaths, observer: &dyn Observer) -> Result<(), InstallError> {
    let report = |recovery| {
        let prefix = paths.prefix.clone();
        observer.observe(Event::Notice(Notice::Recovered { prefix, recovery }));
    };
    if let Some(journal) = Journal::read(paths)? {
        if !is_present(&paths.prefix) {
            let next = match journal.next(paths)? {
                Some(next) => Some(next),
                None if is_present(&paths.previous()) => {
                    check_directory(&paths.previous())?;
                    Some(paths.previous())
                }
                None => None,
            };
            if let Some(next) = next {
                rename(&next, &paths.prefix, &RealOperations).while_doing("complete an install")?;
                report(Recovery::Completed);
            }
        }
        clear_journal(paths, &RealOperations).while_doing("remove the journal of an install")?;
    }
    let abandoned = paths.abandoned().while_doing("list the prefix's parent directory")?;
    let (ours, others): (Vec<_>, Vec<_>) =
        abandoned.into_iter().partition(|path| is_leftover(paths, path));
    for path in others {
        let reason = Distrust::Mark.to_string();
        observer.observe(Event::Notice(Notice::NotRemoved { path, reason }));
    }
    for leftover in &ours {
        remove(leftover, observer);
    }
    if !ours.is_empty() {
        report(Recovery::StagingRemoved);
    }
    if state(&paths.prefix)? == PrefixState::Interrupted {
        let previous = Some(paths.previous())
            .filter(|previous| is_environment(previous) && check_directory(previous).is_ok());
        let swapped = Swapped { previous, older: None };
        // Once it has another name, a killed process can't remove what the user put there.
        let kept = has_other_files(&paths.prefix).then(|| paths.free_previous());
        let failed = kept.clone().unwrap_or_else(|| paths.trash_path("failed"));
        roll_back(paths, swapped, &failed, &RealOperations).while_doing("take back an install")?;
        report(Recovery::PreviousRestored);
        match kept {
            Some(to) => observer.observe(Event::Notice(Notice::UnfinishedKept { to })),
            None => remove(&failed, observer),
        }
    }
    Ok(())
}

/// Whether a killed install of this prefix made what is at a path. Nothing else is removed, even if
/// it has such a name.
pub(crate) fn is_leftover(paths: &PrefixPaths, path: &Path) -> bool {
    is_made_for(&paths.prefix, path) || journal::is_unfinished(paths, path)
}

/// Removes a prefix or a file that isn't needed any more. If that fails, it is reported, and the
/// next install tries again.
pub(crate) fn remove(path: &Path, observer: &dyn Observer) {
    if let Err(error) = remove_marked_last(path) {
        let (path, reason) = (path.to_owned(), error.to_string());
        observer.observe(Event::Notice(Notice::NotRemoved { path, reason }));
    }
}

/// Removes a file, or a directory with its mark and its record last: if this process is killed
/// meanwhile, the next install still recognises the rest as its own.
fn remove_marked_last(path: &Path) -> io::Result<()> {
    if !is_directory(path) {
        return fs_err::remove_file(path);
    }
    let meta = path.join("conda-meta");
    remove_entries(path, |entry| entry != meta)?;
    if is_directory(&meta) {
        let record = InstallRecord::path(path);
        remove_entries(&meta, |entry| entry != record && entry != mark_path(path))?;
    }
    fs_err::remove_dir_all(path)
}

fn remove_entries(directory: &Path, is_chosen: impl Fn(&Path) -> bool) -> io::Result<()> {
    for entry in fs_err::read_dir(directory)? {
        let path = entry?.path();
        if !is_chosen(&path) {
            continue;
        }
        if is_directory(&path) {
            fs_err::remove_dir_all(&path)
        } else {
            fs_err::remove_file(&path)
        }?;
    }
    Ok(())
}

fn is_directory(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}

/// Renames a directory to a path that doesn't exist. Fails if it exists.
pub(crate) fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    let failed = |error: io::Error| {
        let what = format!("failed to rename `{}` to `{}`: {error}", from.display(), to.display());
        io::Error::new(error.kind(), what)
    };
    match rename_exclusively(from, to) {
        // The file system doesn't know the flag.
        Err(error) if cannot_exchange(&error) => {
            if is_present(to) {
                return Err(failed(io::ErrorKind::AlreadyExists.into()));
            }
            fs_err::rename(from, to)
        }
        result => result.map_err(failed),
    }
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn rename_exclusively(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn rename_exclusively(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn rename(from: &Path, to: &Path, disk: &dyn SwapOperations) -> io::Result<()> {
    disk.before_step()?;
    disk.rename(from, to)
}

fn exchange_step(a: &Path, b: &Path, disk: &dyn SwapOperations) -> io::Result<()> {
    disk.before_step()?;
    disk.exchange(a, b)
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).map_err(|error| {
        let kind = io::Error::from(error).kind();
        let what = format!("failed to exchange `{}` and `{}`: {error}", a.display(), b.display());
        io::Error::new(kind, what)
    })
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether an error means that names can't be exchanged: `ENOSYS` and `ENOTSUP` from kernels,
/// `EINVAL` from file systems that don't know the flag.
fn cannot_exchange(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

/// Removes the journal, after what was renamed is on the disk.
fn clear_journal(paths: &PrefixPaths, disk: &dyn SwapOperations) -> io::Result<()> {
    journal::sync(&paths.parent)?;
    disk.before_step()?;
    journal::clear(paths)
}

/// Whether there is anything at a path, also a link to nowhere.
fn is_present(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use envlock_model::progress::NoProgress;

    use super::*;
    use crate::mark::Mark;

    /// The name of the prefix.
    const NAME: &str = "环.env";

    /// Dies before its nth step.
    struct Failing {
        left: Cell<usize>,
        can_exchange: bool,
    }

    impl SwapOperations for Failing {
        fn before_step(&self) -> io::Result<()> {
            let left = self.left.get().checked_sub(1);
            self.left.set(left.ok_or(io::ErrorKind::Interrupted)?);
            Ok(())
        }

        fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
            if self.can_exchange { exchange(a, b) } else { Err(io::ErrorKind::Unsupported.into()) }
        }
    }

    /// A prefix and its generation.
    fn make(path: &Path, generation: &str) {
        let prefix = path.with_file_name(NAME);
        Mark::new(&prefix).write(path).expect("a mark");
        fs_err::write(path.join("generation"), generation).expect("a file");
    }

    fn generation(path: &Path) -> Option<String> {
        fs_err::read_to_string(path.join("generation")).ok()
    }

    /// Kills a swap (and a `roll_back`) before every step in turn, then recovers. Returns what the
    /// prefix and the previous one are after each.
    fn kill_everywhere(
        can_exchange: bool,
        with_older: bool,
        rolled_back: bool,
    ) -> Vec<(Option<String>, Option<String>)> {
        let mut outcomes = Vec::new();
        for steps in 0.. {
            let folder = tempfile::tempdir().expect("a directory");
            let paths = PrefixPaths::new(&folder.path().join(NAME)).expect("a good prefix");
            make(&paths.prefix, "old");
            if with_older {
                make(&paths.previous(), "older");
            }
            let next = paths.trash_path("x");
            make(&next, "new");
            let disk = Failing { left: Cell::new(steps), can_exchange };
            let ended = swap(&paths, &next, &disk).and_then(|swapped| {
                let failed = paths.trash_path("failed");
                if rolled_back { roll_back(&paths, swapped, &failed, &disk) } else { Ok(()) }
            });
            recover(&paths, &NoProgress).expect("it recovers");
            let names = fs_err::read_dir(folder.path()).expect("a directory").count();
            let previous = generation(&paths.previous());
            assert_eq!(names, 1 + usize::from(previous.is_some()), "nothing else is left");
            outcomes.push((generation(&paths.prefix), previous));
            if ended.is_ok() {
                break;
            }
        }
        outcomes
    }

    #[test]
    fn a_kill_before_any_step_leaves_the_old_prefix_or_the_new_one() {
        for can_exchange in [true, false] {
            for with_older in [true, false] {
                let outcomes = kill_everywhere(can_exchange, with_older, false);
                assert!(outcomes.len() > 2);
                for (prefix, previous) in &outcomes {
                    match prefix.as_deref() {
                        Some("old") => {}
                        Some("new") => assert_eq!(previous.as_deref(), Some("old")),
                        other => panic!("{other:?} in {outcomes:?}"),
                    }
                }
                assert_eq!(outcomes[0].0.as_deref(), Some("old"));
                let last = (Some("new".to_owned()), Some("old".to_owned()));
                assert_eq!(outcomes.last(), Some(&last));
            }
        }
    }

    #[test]
    fn an_undone_swap_has_the_old_prefix_and_the_older_one() {
        for can_exchange in [true, false] {
            for with_older in [true, false] {
                let outcomes = kill_everywhere(can_exchange, with_older, true);
                let older = with_older.then(|| "older".to_owned());
                assert_eq!(outcomes.last(), Some(&(Some("old".to_owned()), older)));
                assert!(outcomes.iter().all(|(prefix, _)| prefix.is_some()), "{outcomes:?}");
            }
        }
    }

    /// Refuses one move: of the prefix (as a lower layer of a container image does), or to it.
    struct Refusing {
        can_exchange: bool,
        from: &'static str,
        to: &'static str,
    }

    impl Refusing {
        fn refuse(&self, from: &Path, to: &Path) -> io::Result<()> {
            let refused = from.ends_with(self.from) && to.ends_with(self.to);
            if refused { Err(io::ErrorKind::CrossesDevices.into()) } else { Ok(()) }
        }
    }

    impl SwapOperations for Refusing {
        fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
            if !self.can_exchange {
                return Err(io::ErrorKind::Unsupported.into());
            }
            self.refuse(b, a)?;
            exchange(a, b)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.refuse(from, to)?;
            fs_err::rename(from, to)
        }
    }

    #[test]
    fn a_swap_that_fails_leaves_all_as_it_was() {
        for (can_exchange, from, to) in [
            (true, NAME, "环.env~previous"),
            (false, NAME, "环.env~previous"),
            (false, ".环.env~next-x", NAME),
        ] {
            for older in [None, Some("older")] {
                let folder = tempfile::tempdir().expect("a directory");
                let paths = PrefixPaths::new(&folder.path().join(NAME)).expect("a good prefix");
                make(&paths.prefix, "old");
                if let Some(older) = older {
                    make(&paths.previous(), older);
                }
                let next = folder.path().join(".环.env~next-x");
                make(&next, "new");
                let error = swap(&paths, &next, &Refusing { can_exchange, from, to });
                assert_eq!(error.expect_err("refused").kind(), io::ErrorKind::CrossesDevices);
                assert_eq!(generation(&paths.prefix).as_deref(), Some("old"));
                assert_eq!(generation(&paths.previous()).as_deref(), older);
                assert_eq!(generation(&next).as_deref(), Some("new"));
                assert!(!is_present(&paths.journal()));
            }
        }
    }

    #[test]
    fn an_unsupported_exchange_is_distinguished_from_a_failed_one() {
        assert!(cannot_exchange(&io::Error::from_raw_os_error(22)), "EINVAL");
        assert!(!cannot_exchange(&io::ErrorKind::PermissionDenied.into()));
        assert!(!cannot_exchange(&io::ErrorKind::CrossesDevices.into()));
    }
}
