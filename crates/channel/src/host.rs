//! The health of one host in this run: how many connections it may have, and whether it is
//! still asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::source_error::SourceError;

/// After so many failures in a row a host is suspended.
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
    /// Why it is suspended: it is asked last.
    suspended: Option<String>,
    /// It is not asked any more, not even when no other source is left.
    down: bool,
}

impl Host {
    pub(crate) fn new(connections: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(connections)), health: Mutex::default() }
    }

    /// Waits for a free connection. A suspended host is asked only with `force`; one that is
    /// down is not asked.
    pub(crate) async fn acquire(&self, force: bool) -> Result<OwnedSemaphorePermit, SourceError> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.expect("it is never closed");
        let health = self.health();
        match &health.suspended {
            Some(reason) if health.down || !force => Err(SourceError::Suspended(reason.clone())),
            _ => Ok(permit),
        }
    }

    /// Records at once an error that cost a timeout, or would cost one for each file: without
    /// a connection the host is down; after silence it is suspended.
    pub(crate) fn note_error(&self, error: SourceError, forced: bool) -> SourceError {
        let (suspended, down) = match &error {
            SourceError::Unreachable(_) => (true, true),
            SourceError::Silent(_) | SourceError::TooSlow(_) => (true, forced),
            _ => (false, false),
        };
        if suspended {
            let mut health = self.health();
            health.suspended.get_or_insert_with(|| error.to_string());
            health.down |= down;
        }
        error
    }

    /// Records that it failed to deliver a file.
    pub(crate) fn note_failure(&self, error: &SourceError) {
        if error.is_absent() || matches!(error, SourceError::Suspended(_)) {
            return;
        }
        let mut health = self.health();
        health.failures += 1;
        if health.failures >= MAX_FAILURES {
            health.suspended.get_or_insert_with(|| error.to_string());
        }
    }

    /// Records that it delivered a file.
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

    async fn asked(host: &Host, force: bool) -> bool {
        host.acquire(force).await.is_ok()
    }

    #[tokio::test]
    async fn failures_in_a_row_suspend_a_host_and_a_delivery_ends_that() {
        let host = Host::new(1);
        let strike = || host.note_failure(&SourceError::WebPage);
        strike();
        strike();
        host.note_success();
        strike();
        strike();
        host.note_failure(&SourceError::Absent("404".into()));
        assert!(asked(&host, false).await);
        strike();
        assert!(!asked(&host, false).await && asked(&host, true).await);
        host.note_success();
        assert!(asked(&host, false).await);
    }

    #[tokio::test]
    async fn a_host_that_cannot_be_reached_is_not_asked_again() {
        let host = Host::new(1);
        host.note_error(SourceError::Unreachable("refused".into()), false);
        host.note_success();
        assert!(!asked(&host, true).await);
    }

    #[tokio::test]
    async fn a_host_is_down_after_it_was_silent_twice() {
        let host = Host::new(1);
        let silent = || SourceError::Silent(std::time::Duration::from_secs(1));
        host.note_error(silent(), false);
        host.note_error(silent(), false);
        assert!(!asked(&host, false).await && asked(&host, true).await);
        host.note_error(silent(), true);
        assert!(!asked(&host, true).await);
    }
}
