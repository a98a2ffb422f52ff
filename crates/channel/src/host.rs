//! What is known of one host in this run: how many connections it may have, and whether it
//! is still worth asking.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::answer::Answer;

/// So many failures in a row, with nothing delivered between, and a host is put aside.
const STRIKES: u32 = 3;

/// A server by scheme, name and port.
#[derive(Debug)]
pub(crate) struct Host {
    permits: Arc<Semaphore>,
    standing: Mutex<Standing>,
}

#[derive(Debug, Default)]
struct Standing {
    strikes: u32,
    /// Why it is asked last, or no more.
    aside: Option<String>,
    /// It is asked no more, not even where nobody else is left.
    down: bool,
}

impl Host {
    pub(crate) fn new(connections: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(connections)), standing: Mutex::default() }
    }

    /// Waits for a free connection. A host that was put aside is only asked by whoever
    /// insists, having nobody else left; one that is down by nobody.
    pub(crate) async fn admit(&self, insist: bool) -> Result<OwnedSemaphorePermit, Answer> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.expect("it is never closed");
        let standing = self.standing();
        match &standing.aside {
            Some(reason) if standing.down || !insist => Err(Answer::PutAside(reason.clone())),
            _ => Ok(permit),
        }
    }

    /// Takes note at once of an answer that cost a timeout, or would cost one a file: no
    /// connection means that it is down; silence, that it is asked last.
    pub(crate) fn judged(&self, answer: Answer, insisted: bool) -> Answer {
        let (aside, down) = match &answer {
            Answer::Unreachable(_) => (true, true),
            Answer::Silent(_) | Answer::Crawling(_) => (true, insisted),
            _ => (false, false),
        };
        if aside {
            let mut standing = self.standing();
            standing.aside.get_or_insert_with(|| answer.to_string());
            standing.down |= down;
        }
        answer
    }

    /// It failed to deliver a file, in whatever way.
    pub(crate) fn failed(&self, answer: &Answer) {
        if answer.is_absent() || matches!(answer, Answer::PutAside(_)) {
            return;
        }
        let mut standing = self.standing();
        standing.strikes += 1;
        if standing.strikes >= STRIKES {
            standing.aside.get_or_insert_with(|| answer.to_string());
        }
    }

    /// It delivered a file.
    pub(crate) fn delivered(&self) {
        let mut standing = self.standing();
        if !standing.down {
            *standing = Standing::default();
        }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(host: &Host, insist: bool) -> bool {
        host.admit(insist).await.is_ok()
    }

    #[tokio::test]
    async fn failures_in_a_row_put_a_host_behind_the_others_and_a_delivery_brings_it_back() {
        let host = Host::new(1);
        let strike = || host.failed(&Answer::WebPage);
        strike();
        strike();
        host.delivered();
        strike();
        strike();
        host.failed(&Answer::Absent("404".into()));
        assert!(asked(&host, false).await);
        strike();
        assert!(!asked(&host, false).await && asked(&host, true).await);
        host.delivered();
        assert!(asked(&host, false).await);
    }

    #[tokio::test]
    async fn a_host_that_cannot_be_reached_is_not_asked_again_by_anybody() {
        let host = Host::new(1);
        host.judged(Answer::Unreachable("refused".into()), false);
        host.delivered();
        assert!(!asked(&host, true).await);
    }

    #[tokio::test]
    async fn silence_is_heard_twice_before_a_host_counts_as_down() {
        let host = Host::new(1);
        let silent = || Answer::Silent(std::time::Duration::from_secs(1));
        host.judged(silent(), false);
        host.judged(silent(), false);
        assert!(!asked(&host, false).await && asked(&host, true).await);
        host.judged(silent(), true);
        assert!(!asked(&host, true).await);
    }
}
