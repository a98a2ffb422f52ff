//! Tries the sources of one file in order, with retries.
//!
//! Each source is tried once, and a second time after a transient error. If no source delivered,
//! the sources whose error may be over are tried a last time, suspended hosts included. So one file
//! costs each source at most three requests, and all the pauses together at most
//! [`Settings::max_total_pause`](crate::Settings::max_total_pause).

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::Source;
use crate::source_error::{Attempt, SourceError};
use crate::transport::Transport;

/// Tries the sources of one file in order, with retries.
pub(crate) struct Failover<'a> {
    transport: &'a Transport,
    sources: &'a [Source],
    scheduled: VecDeque<ScheduledRequest<'a>>,
    /// The last error of each source that was tried.
    attempts: Vec<Option<Attempt>>,
    remaining_pause: Duration,
    backoff: Duration,
    is_last_round: bool,
}

/// A scheduled request to one source.
#[derive(Clone, Copy)]
pub(crate) struct ScheduledRequest<'a> {
    pub(crate) source: &'a Source,
    number: usize,
    pause: Duration,
    /// Whether to try the source even if its host is suspended: it was tried for this file
    /// before, or no other source is left.
    pub(crate) force: bool,
}

impl<'a> Failover<'a> {
    pub(crate) fn new(
        transport: &'a Transport,
        sources: &'a [Source],
        remaining_pause: Duration,
        backoff: Duration,
    ) -> Self {
        let schedule = |(number, source)| ScheduledRequest {
            source,
            number,
            pause: Duration::ZERO,
            force: false,
        };
        Self {
            transport,
            sources,
            scheduled: sources.iter().enumerate().map(schedule).collect(),
            attempts: vec![None; sources.len()],
            remaining_pause,
            backoff,
            is_last_round: false,
        }
    }

    /// Waits for the pause of the next request and returns it; `None` if no request is left.
    pub(crate) async fn next(&mut self) -> Option<ScheduledRequest<'a>> {
        if self.scheduled.is_empty() && !self.is_last_round {
            self.is_last_round = true;
            self.scheduled = self.last_round();
        }
        let request = self.scheduled.pop_front()?;
        if !request.pause.is_zero() {
            tokio::time::sleep(request.pause).await;
        }
        Some(request)
    }

    /// Records that the source delivered the file.
    pub(crate) fn note_success(&self, request: ScheduledRequest<'_>) {
        self.transport.note_success(&request.source.url);
    }

    /// Records an error. Returns the next source if it is another one than this.
    pub(crate) fn note_failure(
        &mut self,
        request: ScheduledRequest<'a>,
        attempt: Attempt,
    ) -> Option<&'a Source> {
        let retry = self.schedule_retry(request, &attempt.error);
        let is_retried = retry.is_some();
        match retry {
            Some(retry) => self.scheduled.push_front(retry),
            None => self.transport.count_failure(&request.source.url, &attempt.error),
        }
        // An earlier error has more information than `Suspended`.
        let was_tried = !matches!(attempt.error, SourceError::Suspended(_));
        if was_tried || self.attempts[request.number].is_none() {
            self.attempts[request.number] = Some(attempt);
        }
        let next = self.scheduled.front().map(|request| request.source);
        next.filter(|_| was_tried && !is_retried)
    }

    /// Returns the last error of each source that was tried, in their order.
    pub(crate) fn attempts(self) -> Vec<Attempt> {
        self.attempts.into_iter().flatten().collect()
    }

    /// Schedules a second request to the same source after a transient error.
    fn schedule_retry(
        &mut self,
        request: ScheduledRequest<'a>,
        error: &SourceError,
    ) -> Option<ScheduledRequest<'a>> {
        if request.force || !error.is_transient() {
            return None;
        }
        let pause = match error {
            SourceError::Status { retry_after: Some(pause), .. } => *pause,
            _ => jittered(self.backoff),
        };
        Some(ScheduledRequest { pause: self.take_pause(pause)?, force: true, ..request })
    }

    /// Schedules the sources whose error may be over, and those that weren't tried for this file.
    fn last_round(&mut self) -> VecDeque<ScheduledRequest<'a>> {
        let may_be_over = |attempt: &Option<Attempt>| {
            attempt.as_ref().is_some_and(|attempt| {
                matches!(
                    attempt.error,
                    SourceError::Truncated { .. }
                        | SourceError::NoProgress(_)
                        | SourceError::TooSlow(_)
                        | SourceError::Suspended(_)
                )
            })
        };
        let mut pause = jittered(self.backoff);
        let mut scheduled = VecDeque::new();
        for (number, source) in self.sources.iter().enumerate() {
            if may_be_over(&self.attempts[number]) {
                let Some(pause) = self.take_pause(std::mem::take(&mut pause)) else { break };
                scheduled.push_back(ScheduledRequest { source, number, pause, force: true });
            }
        }
        scheduled
    }

    /// Subtracts a pause from the remaining pause of this file, if enough is left.
    fn take_pause(&mut self, pause: Duration) -> Option<Duration> {
        self.remaining_pause = self.remaining_pause.checked_sub(pause)?;
        Some(pause)
    }
}

/// Returns `pause` plus up to 100 %, so that many clients don't retry at the same time.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1000;
    pause + pause * u32::try_from(random).unwrap_or(0) / 1000
}
