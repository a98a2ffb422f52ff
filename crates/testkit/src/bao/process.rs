//! A server's process, which ends with this process.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::binary::last_lines;

/// A running server. It is killed on drop by its process id; if this process is killed, a guard
/// process kills it.
#[derive(Debug)]
pub(super) struct Process {
    server: Child,
    /// The guard: it reads its stdin, which ends with this process.
    guard: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` with a separate home, and with only `PATH` of this environment.
    pub(super) fn start(program: &Path, args: Vec<OsString>, home: &Path) -> io::Result<Self> {
        let log = home.join("server.log");
        let to_log = fs_err::File::create(&log)?.into_parts().0;
        let mut server = Command::new(program)
            .args(args)
            .current_dir(home)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(to_log.try_clone()?)
            .stderr(to_log)
            .spawn()?;
        match guard(&server) {
            Ok(guard) => Ok(Self { server, guard, log }),
            Err(error) => {
                server.kill()?;
                server.wait()?;
                Err(error)
            }
        }
    }

    /// Whether the process ended, for example because its port is in use.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.server.try_wait(), Ok(None))
    }

    /// Returns the end of the log.
    pub(super) fn log_tail(&self) -> String {
        last_lines(&fs_err::read_to_string(&self.log).unwrap_or_default(), 20)
    }

    pub(super) fn id(&self) -> u32 {
        self.server.id()
    }
}

/// Starts the guard. It ignores Ctrl-C, since it must outlive this process.
fn guard(server: &Child) -> io::Result<Child> {
    let script = "trap '' INT TERM HUP; cat >/dev/null; kill -9 \"$0\" 2>/dev/null";
    Command::new("sh")
        .args(["-c", script, &server.id().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard is killed first, so that it never kills a process id that was reused.
        for child in [&mut self.guard, &mut self.server] {
            // Both may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Finds a free port of 127.0.0.1.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn the_guard_kills_the_server_when_its_stdin_is_closed() {
        let mut server = Command::new("sleep").arg("600").spawn().unwrap();
        let mut guard = guard(&server).unwrap();
        // The end of this process closes the stdin of the guard.
        drop(guard.stdin.take());
        assert_eq!(server.wait().unwrap().signal(), Some(9));
        guard.wait().unwrap();
    }

    #[test]
    fn a_server_that_ends_is_noticed_with_its_output() {
        let home = tempfile::tempdir().unwrap();
        let args = ["-c", "echo address already in use >&2; exit 1"].map(OsString::from);
        let mut process = Process::start(Path::new("/bin/sh"), args.into(), home.path()).unwrap();
        process.server.wait().unwrap();
        assert!(process.has_ended());
        assert_eq!(process.log_tail(), "address already in use");
    }
}
