//! The lock of a prefix: one install at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use envlock_model::progress::{Event, Installer, Notice, Observer};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use crate::error::{InstallError, IoContext};
use crate::install_spec::InstallSpec;
use crate::prefix_paths::PrefixPaths;
use crate::trusted::{Distrust, distrusted, open_file, read_small};

/// How long to sleep between two tries. Waiting for the lock itself would block a thread
/// that can't be cancelled.
const PAUSE: Duration = Duration::from_millis(100);

/// The maximum number of bytes that are read of a [`Holder`].
const MAX_HOLDER: u64 = 64 * 1024;

/// How the text of a [`Holder`] starts.
const HOLDER_START: &[u8] = br#"{"pid":"#;

/// The process that has a lock, for the ones that wait. Only the lock itself counts: this may be stale.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    command: String,
    since: String,
}

/// The lock, held until this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct PrefixLock(File);

impl Drop for PrefixLock {
    fn drop(&mut self) {
        // What waits for a reader must not take it for this install.
        let _ = self.0.set_len(0);
    }
}

/// Acquires the lock. Waits while another process has it, and reports which one.
pub(crate) async fn acquire(
    paths: &PrefixPaths,
    spec: &InstallSpec,
    observer: &dyn Observer,
) -> Result<PrefixLock, InstallError> {
    let mut file = open(paths)?;
    let mut waiting = Waiting::new(&paths.prefix, observer);
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {
                waiting.report(&mut file);
                tokio::time::sleep(PAUSE).await;
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                observer
                    .observe(Event::Notice(Notice::NoFileLocks { folder: paths.parent.clone() }));
                break;
            }
            Err(TryLockError::Error(source)) => {
                return Err(InstallError::Io { action: "lock the prefix", source });
            }
        }
    }
    held(file, paths, spec)
}

/// Acquires the lock if no other process has it.
pub(crate) fn try_acquire(
    paths: &PrefixPaths,
    spec: &InstallSpec,
) -> Result<Option<PrefixLock>, InstallError> {
    let file = open(paths)?;
    match file.try_lock() {
        Ok(()) => held(file, paths, spec).map(Some),
        Err(_) => Ok(None),
    }
}

fn open(paths: &PrefixPaths) -> Result<File, InstallError> {
    let file = open_file(&paths.lock(), OFlags::RDWR | OFlags::CREATE)?;
    file.ok_or_else(|| InstallError::Io {
        action: "lock the prefix",
        source: io::ErrorKind::NotFound.into(),
    })
}

fn held(
    mut file: File,
    paths: &PrefixPaths,
    spec: &InstallSpec,
) -> Result<PrefixLock, InstallError> {
    check_content(&paths.lock(), &mut file)?;
    let holder = Holder {
        pid: std::process::id(),
        command: spec.command.clone(),
        since: spec.time.strftime("%FT%TZ").to_string(),
    };
    write_holder(&mut file, &holder).while_doing("write the lock's file")?;
    Ok(PrefixLock(file))
}

/// Reports once that another process has the lock.
struct Waiting<'a> {
    prefix: &'a Path,
    observer: &'a dyn Observer,
    was_reported: bool,
}

impl<'a> Waiting<'a> {
    fn new(prefix: &'a Path, observer: &'a dyn Observer) -> Self {
        Self { prefix, observer, was_reported: false }
    }

    fn report(&mut self, file: &mut File) {
        if !self.was_reported {
            let (prefix, installer) = (self.prefix.to_owned(), installer(file));
            self.observer.observe(Event::Notice(Notice::WaitingForInstaller { prefix, installer }));
            self.was_reported = true;
        }
    }
}

/// A shared lock: no install changes the prefix until this is dropped.
#[derive(Debug)]
pub struct ReadLock(
    #[expect(dead_code, reason = "the lock lives as long as the file")] Option<File>,
);

impl ReadLock {
    /// Waits until no install is at work in the prefix, and reports which one is.
    ///
    /// Writes nothing. There is no lock if no install has ever run there, or if the file can't be
    /// opened or the file system has no locks.
    pub async fn acquire(prefix: &Path, observer: &dyn Observer) -> Result<Self, InstallError> {
        let Some(mut file) = Self::open(prefix)? else { return Ok(Self(None)) };
        let mut waiting = Waiting::new(prefix, observer);
        while let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
            waiting.report(&mut file);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Self(Some(file)))
    }

    /// The same as [`ReadLock::acquire`], but blocks the thread, for callers without a runtime.
    pub fn acquire_blocking(prefix: &Path, observer: &dyn Observer) -> Result<Self, InstallError> {
        let Some(mut file) = Self::open(prefix)? else { return Ok(Self(None)) };
        if let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
            Waiting::new(prefix, observer).report(&mut file);
            // Only a handler of a signal makes this return early. Ctrl-C ends a process that has none.
            let is_interrupted = |error: io::Error| error.kind() == io::ErrorKind::Interrupted;
            while file.lock_shared().is_err_and(is_interrupted) {}
        }
        Ok(Self(Some(file)))
    }

    fn open(prefix: &Path) -> Result<Option<File>, InstallError> {
        let path = PrefixPaths::new(prefix)?.lock();
        match open_file(&path, OFlags::RDONLY) {
            Err(InstallError::Io { .. }) => Ok(None),
            result => result,
        }
    }
}

/// Refuses to overwrite anything but the holder that an install has written. A killed install may
/// have written only a part of it.
fn check_content(path: &Path, file: &mut File) -> Result<(), InstallError> {
    file.rewind().while_doing("read the lock's file")?;
    let bytes = read_small(path, file)?;
    let is_ours = bytes.starts_with(HOLDER_START) || HOLDER_START.starts_with(&bytes);
    if is_ours { Ok(()) } else { Err(distrusted(path, Distrust::Content)) }
}

fn write_holder(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(holder)?)
}

/// Reads the process that holds the lock from its file.
fn installer(file: &mut File) -> Option<Installer> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.take(MAX_HOLDER).read_to_string(&mut text)).ok()?;
    let Holder { pid, command, since } = serde_json::from_str(&text).ok()?;
    Some(Installer { pid, command, since })
}
