//! The state of one host in this run: its connections, and whether it is suspended or down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::source_error::SourceError;

/// The number of failures in a row after which a host is suspended.
const MAX_FAILURES: u32 = 3;

/// A server by scheme, name and port.
#[derive(Debug)]
pub(crate) struct Host {
    permits: Arc<Semaphore>,
    health: Mutex<Health>,
}

#[derive(Debug, Default)]
struct Health {
    failures: u32,
    /// Why the host is suspended. A suspended host is tried last.
    suspended: Option<String>,
    /// Whether the host is down. It isn't tried any more, even if no other source is left.
    down: bool,
}

impl Host {
    pub(crate) fn new(connections: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(connections)), health: Mutex::default() }
    }

    /// Waits for a free connection. A suspended host is tried only with `force`; one that is
    /// down is not tried.
    pub(crate) async fn acquire(&self, force: bool) -> Result<OwnedSemaphorePermit, SourceError> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.expect("the semaphore is never closed");
        let health = self.health();
        match &health.suspended {
            Some(reason) if health.down || !force => Err(SourceError::Suspended(reason.clone())),
            _ => Ok(permit),
        }
    }

    /// Suspends the host after a failed connection or a timeout, so that the next files don't wait
    /// again. After a failed connection, or a timeout of a forced request, the host is also down.
    /// Returns the error.
    pub(crate) fn suspend_if_unreachable(&self, error: SourceError, forced: bool) -> SourceError {
        let (suspended, down) = match &error {
            SourceError::Unreachable(_) => (true, true),
            SourceError::NoProgress(_) | SourceError::TooSlow(_) => (true, forced),
            _ => (false, false),
        };
        if suspended {
            let mut health = self.health();
            health.suspended.get_or_insert_with(|| error.to_string());
            health.down |= down;
        }
        error
    }

    /// Counts a file that the host failed to deliver, and suspends the host after several in a row.
    pub(crate) fn count_failure(&self, error: &SourceError) {
        if error.is_absent() || matches!(error, SourceError::Suspended(_)) {
            return;
        }
        let mut health = self.health();
        health.failures += 1;
        if health.failures >= MAX_FAILURES {
            health.suspended.get_or_insert_with(|| error.to_string());
        }
    }

    /// Records that the host delivered a file.
    pub(crate) fn note_success(&self) {
        let mut health = self.health();
        if !health.down {
            *health = Health::default();
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn may_ask(host: &Host, force: bool) -> bool {
        host.acquire(force).await.is_ok()
    }

    #[tokio::test]
    async fn failures_in_a_row_suspend_a_host_until_it_delivers_a_file() {
        let host = Host::new(1);
        let fail = || host.count_failure(&SourceError::WebPage);
        fail();
        fail();
        host.note_success();
        fail();
        fail();
        host.count_failure(&SourceError::Absent("404".into()));
        assert!(may_ask(&host, false).await);
        fail();
        assert!(!may_ask(&host, false).await && may_ask(&host, true).await);
        host.note_success();
        assert!(may_ask(&host, false).await);
    }

    #[tokio::test]
    async fn a_host_that_cannot_be_reached_is_not_asked_again() {
        let host = Host::new(1);
        host.suspend_if_unreachable(SourceError::Unreachable("refused".into()), false);
        host.note_success();
        assert!(!may_ask(&host, true).await);
    }

    #[tokio::test]
    async fn a_host_is_down_after_two_timeouts() {
        let host = Host::new(1);
        let silent = || SourceError::NoProgress(std::time::Duration::from_secs(1));
        host.suspend_if_unreachable(silent(), false);
        host.suspend_if_unreachable(silent(), false);
        assert!(!may_ask(&host, false).await && may_ask(&host, true).await);
        host.suspend_if_unreachable(silent(), true);
        assert!(!may_ask(&host, true).await);
    }
}
