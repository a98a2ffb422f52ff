//! One installer a prefix at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::time::Duration;

use envlock_model::progress::{Event, Installer, Notice, Observer};
use serde::{Deserialize, Serialize};

use crate::beside::Beside;
use crate::error::{Doing, InstallError};
use crate::wanted::Wanted;

/// How long to sleep between two tries. No file system wakes who waits for a lock without
/// blocking a thread that nobody could stop.
const PAUSE: Duration = Duration::from_millis(100);

/// Who holds a lock, for whoever waits. Only the lock itself counts: this may be stale.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    command: String,
    since: String,
}

/// The prefix is ours until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Guard(#[expect(dead_code, reason = "the lock lives as long as the file")] File);

/// Waits until nobody else installs into this prefix, and says for whom it waits.
pub(crate) async fn take(
    beside: &Beside,
    wanted: &Wanted,
    observer: &dyn Observer,
) -> Result<Guard, InstallError> {
    let path = beside.lock();
    let mut file: File = fs_err::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .doing("lock the prefix")?
        .into();
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => {
                if !told {
                    observer.observe(Event::Notice(Notice::WaitingForInstaller {
                        prefix: wanted.prefix.clone(),
                        installer: installer(&mut file),
                    }));
                    told = true;
                }
                tokio::time::sleep(PAUSE).await;
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                observer
                    .observe(Event::Notice(Notice::NoFileLocks { folder: beside.parent.clone() }));
                break;
            }
            Err(TryLockError::Error(source)) => {
                return Err(InstallError::Disk { doing: "lock the prefix", source });
            }
        }
    }
    let holder = Holder {
        pid: std::process::id(),
        command: wanted.command.clone(),
        since: wanted.now.strftime("%FT%TZ").to_string(),
    };
    write_holder(&mut file, &holder).doing("write the lock's file")?;
    Ok(Guard(file))
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
