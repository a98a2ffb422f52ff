//! The process that uses a temporary folder of the cache, for file systems without locks.
//!
//! Where a lock can be acquired, only the lock decides. Elsewhere the lock's file names the
//! process. A process of this machine has ended if its number is free. A process of another
//! machine can't be queried: its folder is abandoned after a day without a change, by the clock
//! of the file system.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use fs_err as fs;
use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

/// How long a folder of another machine stays unchanged before it is abandoned. A run writes to
/// its folder every few minutes at most.
const MAX_UNCHANGED: Duration = Duration::from_hours(24);
/// The maximum size of a description, in bytes.
const MAX_BYTES: u64 = 4096;

/// A process. Process numbers are only comparable within one start of one machine, and within
/// one namespace of process numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunOwner {
    pid: i32,
    /// The start of the machine and the namespace; `None` if they can't be read.
    machine: Option<String>,
}

impl RunOwner {
    /// Returns this process.
    pub(crate) fn current() -> Self {
        Self { pid: rustix::process::getpid().as_raw_nonzero().get(), machine: machine() }
    }

    /// Writes the description into an empty file.
    pub(crate) fn write(&self, mut file: &File) -> io::Result<()> {
        file.write_all(&serde_json::to_vec(self)?)
    }

    /// Whether the process that is described in `file` has ended, as far as can be determined.
    pub(crate) fn has_ended(file: &File, folder: &Path) -> bool {
        let mut text = Vec::new();
        let read = file.take(MAX_BYTES).read_to_end(&mut text);
        let owner = read.ok().and_then(|_| serde_json::from_slice::<Self>(&text).ok());
        match owner {
            Some(owner) if owner.machine.is_some() && owner.machine == machine() => {
                !owner.is_running()
            }
            _ => is_unchanged(file, folder).unwrap_or(false),
        }
    }

    fn is_running(&self) -> bool {
        let Some(pid) = Pid::from_raw(self.pid) else { return false };
        test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
    }
}

fn machine() -> Option<String> {
    let start = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", start.trim(), namespace.display()))
}

/// Whether neither the lock's file nor the folder has changed for a day, compared with a file
/// that is created now next to them.
fn is_unchanged(file: &File, folder: &Path) -> io::Result<bool> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    // If this process is killed here, the next run removes the file as that of an ended run.
    let probe = tempfile::Builder::new().prefix("run-").suffix(".lock").tempfile_in(parent)?;
    let now = probe.as_file().metadata()?.modified()?;
    let mut newest: SystemTime = file.metadata()?.modified()?;
    if let Ok(metadata) = fs::symlink_metadata(folder) {
        newest = newest.max(metadata.modified()?);
    }
    Ok(now.duration_since(newest).is_ok_and(|age| age > MAX_UNCHANGED))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with this description, and a folder next to it.
    fn described(text: &[u8]) -> (tempfile::TempDir, File) {
        let parent = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(parent.path().join("run")).expect("a folder");
        fs::write(parent.path().join("run.lock"), text).expect("a file");
        let file = File::open(parent.path().join("run.lock")).expect("a file");
        (parent, file)
    }

    fn has_ended(owner: &RunOwner) -> bool {
        let (parent, file) = described(&serde_json::to_vec(owner).expect("JSON"));
        RunOwner::has_ended(&file, &parent.path().join("run"))
    }

    #[test]
    fn a_process_of_this_machine_has_ended_if_its_number_is_free() {
        let current = RunOwner::current();
        assert!(!has_ended(&current));
        let mut child = std::process::Command::new("true").spawn().expect("a child process");
        let pid = i32::try_from(child.id()).expect("a process number");
        child.wait().expect("it ends");
        assert!(has_ended(&RunOwner { pid, ..current.clone() }));
        assert!(!has_ended(&RunOwner { pid, machine: Some("another".into()) }));
        assert!(!has_ended(&RunOwner { pid, machine: None }));
    }

    #[test]
    fn an_unknown_process_has_ended_after_a_day_without_a_change() {
        let (parent, file) = described(b"not JSON");
        let folder = parent.path().join("run");
        assert!(!RunOwner::has_ended(&file, &folder));
        let old = SystemTime::now() - 2 * MAX_UNCHANGED;
        let writable = File::options().write(true).open(parent.path().join("run.lock"));
        writable.expect("a file").set_modified(old).expect("a time");
        assert!(!RunOwner::has_ended(&file, &folder), "the folder has changed");
        File::open(&folder).expect("a folder").set_modified(old).expect("a time");
        assert!(RunOwner::has_ended(&file, &folder));
    }
}
