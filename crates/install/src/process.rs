//! Runs a process to its end and collects its output.

use std::io::{self, PipeReader, Read as _};
use std::os::fd::AsFd as _;
use std::process::{Command, ExitStatus, Stdio};

use rustix::event::{PollFd, PollFlags, poll};

/// The maximum number of bytes that are kept of each stream; the rest is read and dropped.
const MAX_BYTES: usize = 64_000_000;

/// How a process ended, and its output.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// Runs a command without input until its process ends.
///
/// Unlike [`Command::output`], this doesn't wait for the end of the streams: a background process
/// that the command started has them open as long as it runs.
pub(crate) fn run_to_end(mut command: Command) -> io::Result<Finished> {
    let (mut stdout, stdout_writer) = io::pipe()?;
    let (mut stderr, stderr_writer) = io::pipe()?;
    let (ended, ended_writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(stdout_writer).stderr(stderr_writer);
    let mut child = command.spawn()?;
    // The command has the writing ends of the pipes.
    drop(command);
    let waiter = std::thread::spawn(move || {
        let status = child.wait();
        drop(ended_writer);
        status
    });
    rustix::io::ioctl_fionbio(&stdout, true)?;
    rustix::io::ioctl_fionbio(&stderr, true)?;
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let (mut stdout_open, mut stderr_open) = (true, true);
    loop {
        // Streams that have ended would be ready all the time.
        let mut all = vec![PollFd::from_borrowed_fd(ended.as_fd(), PollFlags::IN)];
        for (stream, _) in [(&stdout, stdout_open), (&stderr, stderr_open)]
            .into_iter()
            .filter(|(_, is_open)| *is_open)
        {
            all.push(PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::IN));
        }
        match poll(&mut all, None) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let has_ended = !all[0].revents().is_empty();
        // Everything that the process itself has written is in the pipes when it has ended.
        stdout_open = stdout_open && read_available(&mut stdout, &mut output)?;
        stderr_open = stderr_open && read_available(&mut stderr, &mut errors)?;
        if has_ended {
            break;
        }
    }
    let status = match waiter.join() {
        Ok(status) => status?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    Ok(Finished { status, stdout: output, stderr: errors })
}

/// Reads what a pipe has now. Returns whether more can come.
fn read_available(pipe: &mut PipeReader, to: &mut Vec<u8>) -> io::Result<bool> {
    let mut buffer = vec![0; 65536];
    // A process that never stops writing must not keep the caller here.
    for _ in 0..64 {
        match pipe.read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(read) => {
                let room = MAX_BYTES.saturating_sub(to.len());
                to.extend_from_slice(&buffer[..read.min(room)]);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Finished {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run_to_end(command).expect("a shell")
    }

    #[test]
    fn a_background_process_that_keeps_the_streams_open_is_not_waited_for() {
        // It waits for the end of its input, which this test never closes while it runs.
        let fifo = tempfile::tempdir().expect("a directory");
        let path = fifo.path().join("fifo");
        let script =
            format!("mkfifo '{0}'; cat '{0}' & echo out; echo err >&2; exit 3", path.display());
        let finished = shell(&script);
        assert_eq!(finished.status.code(), Some(3));
        assert_eq!((&*finished.stdout, &*finished.stderr), (&b"out\n"[..], &b"err\n"[..]));
        // Ends the background process.
        let writer = std::fs::OpenOptions::new().write(true).open(&path).expect("it reads");
        drop(writer);
    }

    #[test]
    fn more_output_than_a_pipe_has_room_for_is_whole() {
        let finished = shell("head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2");
        assert_eq!((finished.stdout.len(), finished.stderr.len()), (300_000, 200_000));
        assert!(finished.status.success());
    }
}
