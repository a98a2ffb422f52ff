//! Temporary files inside the cache, so that a finished one is moved into place by a
//! rename, and so that what a killed run left is removed by the next.
//!
//! Every run has a folder `tmp/<random>` of its own and holds a lock on the file beside it.
//! The kernel gives that lock back when the process ends, however it ends: a folder whose
//! lock can be taken belongs to nobody. No clock, no process ids.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use fs_err as fs;
use tempfile::{NamedTempFile, TempDir};

use crate::disk::{DiskError, WithPath};

/// The temporary folder of this run; removed with it.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
    lock_path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes this run's folder in `cache_dir` and removes those of runs that are dead.
    pub(crate) fn open(cache_dir: &Path) -> Result<Self, DiskError> {
        let all = cache_dir.join("tmp");
        fs::create_dir_all(&all).with_path(&all)?;
        // Held while a folder is born or removed, so that nobody sweeps away one whose lock
        // isn't taken yet.
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

    /// A new file, removed unless it is moved out.
    pub(crate) fn file(&self) -> Result<NamedTempFile, DiskError> {
        NamedTempFile::new_in(self.folder.path()).with_path(self.folder.path())
    }

    /// A new folder, removed unless it is moved out.
    pub(crate) fn folder(&self) -> Result<TempDir, DiskError> {
        TempDir::new_in(self.folder.path()).with_path(self.folder.path())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed now is swept by the next run.
        let _ = fs::remove_dir_all(self.folder.path());
        let _ = fs::remove_file(&self.lock_path);
    }
}

fn open_lock(path: &Path) -> Result<File, DiskError> {
    File::options().create(true).truncate(false).write(true).open(path).with_path(path)
}

/// Removes the folders of dead runs. What can't be removed is left for another time: it is
/// in nobody's way but the disk's.
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
    fn what_a_dead_run_left_is_removed_and_what_a_living_one_has_is_not() {
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
