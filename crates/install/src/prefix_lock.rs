//! The lock of a prefix: one install at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::time::Duration;

use envlock_model::progress::{Event, Installer, Notice, Observer};
use serde::{Deserialize, Serialize};

use crate::error::{Attempting, InstallError};
use crate::prefix_paths::PrefixPaths;
use crate::wanted::Wanted;

/// How long to sleep between two tries. Waiting for the lock itself would block a thread
/// that can't be cancelled.
const PAUSE: Duration = Duration::from_millis(100);

/// The process that has a lock, for the ones that wait. Only the lock itself counts: this may be stale.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    command: String,
    since: String,
}

/// The lock, held until this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct PrefixLock(
    #[expect(dead_code, reason = "the lock lives as long as the file")] File,
);

/// Takes the lock. Waits while another process has it, and reports which one.
pub(crate) async fn acquire(
    paths: &PrefixPaths,
    wanted: &Wanted,
    observer: &dyn Observer,
) -> Result<PrefixLock, InstallError> {
    let path = paths.lock();
    let mut file: File = fs_err::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .attempting("lock the prefix")?
        .into();
    let mut was_reported = false;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {
                if !was_reported {
                    observer.observe(Event::Notice(Notice::WaitingForInstaller {
                        prefix: wanted.prefix.clone(),
                        installer: installer(&mut file),
                    }));
                    was_reported = true;
                }
                tokio::time::sleep(PAUSE).await;
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                observer
                    .observe(Event::Notice(Notice::NoFileLocks { folder: paths.parent.clone() }));
                break;
            }
            Err(TryLockError::Error(source)) => {
                return Err(InstallError::Disk { action: "lock the prefix", source });
            }
        }
    }
    let holder = Holder {
        pid: std::process::id(),
        command: wanted.command.clone(),
        since: wanted.now.strftime("%FT%TZ").to_string(),
    };
    write_holder(&mut file, &holder).attempting("write the lock's file")?;
    Ok(PrefixLock(file))
}

fn write_holder(file: &mut File, holder: &Holder) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(holder)?)
}

/// The process that holds the lock, as its file says.
fn installer(file: &mut File) -> Option<Installer> {
    let mut text = String::new();
    file.rewind().and_then(|()| file.read_to_string(&mut text)).ok()?;
    let Holder { pid, command, since } = serde_json::from_str(&text).ok()?;
    Some(Installer { pid, command, since })
}
