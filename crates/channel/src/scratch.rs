//! Temporary files inside the cache: a finished file is moved into place by a rename, and the
//! next run removes the files that a killed run left.
//!
//! Every run has its folder `tmp/run-<random>` and a lock on `tmp/run-<random>.lock`. The lock is
//! acquired before the folder is created and released by the kernel when the process ends, so a
//! folder whose lock can be acquired is abandoned. No process ever waits for a lock: if the lock
//! of a new name is held, another name is used. A file system without locks is handled in
//! [`run_owner`](crate::run_owner).

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use rustix::fs::OFlags;
use tempfile::{NamedTempFile, TempDir};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::cache_folder;
use crate::disk::{DiskError, WithPath};
use crate::run_owner::RunOwner;

/// How many random names are tried for this run's folder.
const MAX_NAMES: usize = 32;

/// The temporary folder of this run. It is removed on drop.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: PathBuf,
    lock_path: PathBuf,
    _lock: File,
    /// One permit for each thread that uses the folder.
    users: Arc<Semaphore>,
}

/// How many threads can use the folder at the same time. The limit is never reached.
const MAX_USERS: u32 = u16::MAX as u32;

impl Scratch {
    /// Removes the folders of processes that have ended, and creates this run's folder in
    /// `cache_dir`.
    pub(crate) fn open(cache_dir: &Path) -> Result<Self, DiskError> {
        remove_abandoned(cache_dir);
        let all = cache_folder::create(cache_dir, "tmp")?;
        for _ in 0..MAX_NAMES {
            if let Some(scratch) = Self::with_new_name(&all)? {
                return Ok(scratch);
            }
        }
        Err(DiskError::new(&all, io::ErrorKind::AlreadyExists.into()))
    }

    /// Creates a folder with a random name. Returns `None` if another process acquired the lock of
    /// the new name first, to remove it.
    fn with_new_name(all: &Path) -> Result<Option<Self>, DiskError> {
        let lock = tempfile::Builder::new()
            .prefix("run-")
            .suffix(".lock")
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(all)
            .with_path(all)?;
        match lock.as_file().try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            // On a file system without locks the owner's description replaces the lock.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        RunOwner::current().write(lock.as_file()).with_path(lock.path())?;
        if !is_same_file(lock.as_file(), lock.path()) {
            return Ok(None);
        }
        let folder = lock.path().with_extension("");
        match fs::create_dir(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            Err(error) => return Err(error).with_path(&folder),
        }
        let (lock, lock_path) = lock.keep().map_err(|error| error.error).with_path(all)?;
        let users = Arc::new(Semaphore::new(MAX_USERS as usize));
        Ok(Some(Self { folder, lock_path, _lock: lock, users }))
    }

    /// Registers a thread that uses the folder until the result is dropped.
    pub(crate) fn register_user(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.users).try_acquire_owned().ok()
    }

    /// Waits until no registered thread uses the folder.
    pub(crate) async fn wait_until_unused(&self) {
        drop(self.users.acquire_many(MAX_USERS).await);
    }

    /// Creates a file. It is removed unless it is moved out. The umask decides which users may
    /// read it.
    pub(crate) fn file(&self) -> Result<NamedTempFile, DiskError> {
        tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(&self.folder)
            .with_path(&self.folder)
    }

    /// Creates a folder. It is removed unless it is moved out. The umask decides which users may
    /// read it.
    pub(crate) fn folder(&self) -> Result<TempDir, DiskError> {
        tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o777))
            .tempdir_in(&self.folder)
            .with_path(&self.folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The next run removes what can't be removed now.
        if fs::remove_dir_all(&self.folder).is_ok() {
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

/// Whether `path` is still the file that is open: another process may have removed it.
fn is_same_file(file: &File, path: &Path) -> bool {
    let Ok((open, named)) = file.metadata().and_then(|open| Ok((open, path.symlink_metadata()?)))
    else {
        return false;
    };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// Removes the temporary folders of processes that have ended. Errors are ignored: such a folder
/// only uses disk space, and the next run tries again.
pub(crate) fn remove_abandoned(cache_dir: &Path) {
    let all = cache_dir.join("tmp");
    let Ok(entries) = fs::read_dir(&all) else { return };
    let names: std::collections::BTreeSet<PathBuf> =
        entries.flatten().filter_map(|entry| run_folder(&entry.path())).collect();
    for folder in names {
        remove_if_abandoned(&folder);
    }
}

/// Returns the folder of the run that `path` belongs to: itself, or that of its lock.
fn run_folder(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".lock").unwrap_or(name);
    name.starts_with("run-").then(|| path.with_file_name(name))
}

fn remove_if_abandoned(folder: &Path) {
    let lock_path = lock_path(folder);
    // A link isn't followed, and a pipe isn't waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = File::options()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(&lock_path);
    // Held until the files are removed.
    let _lock = match opened {
        Ok(lock) => {
            let is_abandoned = match lock.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Error(_)) => RunOwner::has_ended(&lock, folder),
            };
            if !is_abandoned {
                return;
            }
            Some(lock)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => return,
    };
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {}
        _ => {
            let _ = fs::remove_file(&lock_path);
        }
    }
}

fn lock_path(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    folder.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(cache: &Path) -> Vec<String> {
        let entries = fs::read_dir(cache.join("tmp")).expect("it exists");
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry.expect("an entry").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn folders_of_ended_processes_are_removed_and_those_of_running_ones_are_kept() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let dead = cache.path().join("tmp/run-dead");
        fs::create_dir_all(dead.join("包")).expect("a folder");
        fs::write(dead.with_extension("lock"), "").expect("a file");
        fs::create_dir_all(cache.path().join("tmp/run-without-lock")).expect("a folder");
        fs::write(cache.path().join("tmp/run-without-folder.lock"), "").expect("a file");

        let living = Scratch::open(cache.path()).expect("a scratch folder");
        let file = living.file().expect("a file");
        assert_eq!(entries(cache.path()).len(), 2);

        let second = Scratch::open(cache.path()).expect("another one");
        assert!(file.path().exists());
        drop(file);
        drop((living, second));
        assert_eq!(entries(cache.path()), [""; 0]);
    }

    #[test]
    fn a_lock_that_another_process_holds_is_never_waited_for() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let tmp = cache.path().join("tmp");
        fs::create_dir_all(tmp.join("run-other")).expect("a folder");
        let names = ["gate", "run-other.lock", "run-.lock"];
        let locks = names.map(|name| File::create(tmp.join(name)).expect("a file"));
        for lock in &locks {
            lock.lock().expect("a free lock");
        }
        let scratch = Scratch::open(cache.path()).expect("a scratch folder");
        assert!(tmp.join("run-other").is_dir());
        drop((scratch, locks));
        remove_abandoned(cache.path());
        assert_eq!(entries(cache.path()), ["gate"]);
    }

    #[test]
    fn a_link_or_a_pipe_in_place_of_a_lock_is_neither_followed_nor_waited_for() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let (tmp, outside) = (cache.path().join("tmp"), cache.path().join("outside"));
        fs::create_dir_all(&tmp).expect("a folder");
        fs::create_dir_all(outside.join("folder")).expect("a folder");
        std::os::unix::fs::symlink(outside.join("made"), tmp.join("run-a.lock")).expect("a link");
        std::os::unix::fs::symlink(&outside, tmp.join("run-b")).expect("a link");
        let made = std::process::Command::new("mkfifo").arg(tmp.join("run-c.lock")).status();
        assert!(made.expect("mkfifo").success());
        drop(Scratch::open(cache.path()).expect("a scratch folder"));
        assert!(outside.join("folder").is_dir() && !outside.join("made").exists());
    }

    #[test]
    fn files_and_folders_can_be_read_by_every_user_that_the_umask_allows() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let plain = cache.path().join("plain");
        fs::write(&plain, "").expect("a file");
        fs::create_dir(cache.path().join("folder")).expect("a folder");
        let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode();
        let scratch = Scratch::open(cache.path()).expect("a scratch folder");
        assert_eq!(mode(scratch.file().expect("a file").path()), mode(&plain));
        let folder = scratch.folder().expect("a folder");
        assert_eq!(mode(folder.path()), mode(&cache.path().join("folder")));
    }
}
