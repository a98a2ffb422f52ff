//! Temporary files inside the cache: a finished file is moved into place by a rename, and the
//! next run removes what a killed run left.
//!
//! Every run has its folder `tmp/run-<random>` and holds a lock on `tmp/run-<random>.lock`. The
//! kernel releases the lock when the process ends, so a folder whose lock can be acquired is
//! abandoned. This needs neither a clock nor process ids.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use fs_err as fs;
use tempfile::{NamedTempFile, TempDir};

use crate::disk::{DiskError, WithPath};

/// The temporary folder of this run. It is removed on drop.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    lock_path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Creates this run's folder in `cache_dir` and removes those of processes that have ended.
    pub(crate) fn open(cache_dir: &Path) -> Result<Self, DiskError> {
        let all = cache_dir.join("tmp");
        fs::create_dir_all(&all).with_path(&all)?;
        // Held while folders are created or removed, so that no process removes a folder whose
        // lock isn't acquired yet.
        let gate_path = all.join("gate");
        let gate = open_lock(&gate_path)?;
        gate.lock().with_path(&gate_path)?;
        remove_abandoned(&all);
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&all).with_path(&all)?;
        let lock_path = folder.path().with_extension("lock");
        let lock = open_lock(&lock_path)?;
        lock.lock().with_path(&lock_path)?;
        Ok(Self { folder, lock_path, _lock: lock })
    }

    /// Creates a file. It is removed unless it is moved out.
    pub(crate) fn file(&self) -> Result<NamedTempFile, DiskError> {
        NamedTempFile::new_in(self.folder.path()).with_path(self.folder.path())
    }

    /// Creates a folder. It is removed unless it is moved out.
    pub(crate) fn folder(&self) -> Result<TempDir, DiskError> {
        TempDir::new_in(self.folder.path()).with_path(self.folder.path())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The next run removes what can't be removed now.
        let _ = fs::remove_dir_all(self.folder.path());
        let _ = fs::remove_file(&self.lock_path);
    }
}

fn open_lock(path: &Path) -> Result<File, DiskError> {
    File::options().create(true).truncate(false).write(true).open(path).with_path(path)
}

/// Removes the folders of processes that have ended. Errors are ignored: such a folder only
/// takes disk space, and the next run tries again.
fn remove_abandoned(all: &Path) {
    let Ok(entries) = fs::read_dir(all) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if !path.is_dir() {
            continue;
        }
        let lock_path = path.with_extension("lock");
        let alive = File::open(&lock_path)
            .is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        if !alive {
            let _ = fs::remove_dir_all(&path);
            let _ = fs::remove_file(&lock_path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_ended_processes_are_removed_and_those_of_running_ones_are_kept() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let dead = cache.path().join("tmp/run-dead");
        fs::create_dir_all(dead.join("包")).expect("a folder");
        fs::write(dead.with_extension("lock"), "").expect("a file");

        let living = Scratch::open(cache.path()).expect("a scratch folder");
        let file = living.file().expect("a file");
        assert!(!dead.exists() && !dead.with_extension("lock").exists());

        let second = Scratch::open(cache.path()).expect("another one");
        assert!(file.path().exists());
        drop(file);
        drop((living, second));
        let left: Vec<_> = fs::read_dir(cache.path().join("tmp"))
            .expect("it exists")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        assert_eq!(left, ["gate"]);
    }
}
