//! Signals that the parent process ignores for this one.
//!
//! A shell starts background commands with SIGINT ignored, and `nohup` ignores SIGHUP. A handler
//! would replace that setting, so that none is installed for such a signal.

use tokio::signal::unix::SignalKind;

/// A signal that ends the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TerminationSignal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM, such as of a CI service that cancels a job.
    Terminate,
    /// SIGHUP, of a terminal that is closed.
    Hangup,
}

impl TerminationSignal {
    pub(crate) const ALL: [Self; 3] = [Self::Interrupt, Self::Terminate, Self::Hangup];

    /// Returns the signal for tokio.
    pub(crate) fn kind(self) -> SignalKind {
        match self {
            Self::Interrupt => SignalKind::interrupt(),
            Self::Terminate => SignalKind::terminate(),
            Self::Hangup => SignalKind::hangup(),
        }
    }
}

/// Whether the process ignores this signal. Must be called before a handler is installed. Outside
/// Linux, where the setting can't be read without `unsafe`, no signal counts as ignored.
pub(crate) fn is_ignored(signal: TerminationSignal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_in_mask(&status, signal)
}

/// Whether `SigIgn` in a `/proc/PID/status` has the signal. Bit 0 is signal 1.
fn is_in_mask(status: &str, signal: TerminationSignal) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal.kind().as_raw_value() - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_has_one_bit_for_each_signal() {
        let ignored = |mask: &str| {
            let status = format!("Name:\tx\nSigBlk:\tffff\nSigIgn:\t{mask}\nSigCgt:\tffff\n");
            TerminationSignal::ALL.map(|signal| is_in_mask(&status, signal))
        };
        assert_eq!(ignored("0000000000000000"), [false, false, false]);
        assert_eq!(ignored("0000000000000002"), [true, false, false]);
        assert_eq!(ignored("0000000000004000"), [false, true, false]);
        assert_eq!(ignored("0000000000001001"), [false, false, true]);
        assert!(!is_in_mask("", TerminationSignal::Interrupt));
    }
}
