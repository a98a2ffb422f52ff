//! Fail-over for one file: which source is asked next, after which pause, and which once more.
//!
//! Every source is asked in its turn, and a second time at once after a transient error. When
//! none delivered, those whose error may have passed are asked a last time, suspended hosts
//! among them. So one file costs each source at most three requests, and all the pauses
//! together at most [`Settings::patience`](crate::Settings::patience).

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::Source;
use crate::source_error::{Attempt, SourceError};
use crate::transport::Transport;

/// The search for one file.
pub(crate) struct Search<'a> {
    transport: &'a Transport,
    sources: &'a [Source],
    turns: VecDeque<Turn<'a>>,
    /// The last answer of each source that was asked.
    attempts: Vec<Option<Attempt>>,
    patience: Duration,
    backoff: Duration,
    is_last_round: bool,
}

/// One request that is due.
#[derive(Clone, Copy)]
pub(crate) struct Turn<'a> {
    pub(crate) source: &'a Source,
    number: usize,
    pause: Duration,
    /// Whether to ask the source though its host is suspended: it was asked for this file
    /// before, or no other source is left.
    pub(crate) force: bool,
}

impl<'a> Search<'a> {
    pub(crate) fn new(
        transport: &'a Transport,
        sources: &'a [Source],
        patience: Duration,
        backoff: Duration,
    ) -> Self {
        let turn = |(number, source)| Turn { source, number, pause: Duration::ZERO, force: false };
        Self {
            transport,
            sources,
            turns: sources.iter().enumerate().map(turn).collect(),
            attempts: vec![None; sources.len()],
            patience,
            backoff,
            is_last_round: false,
        }
    }

    /// The source to ask next, once it is time; `None` where the search is over.
    pub(crate) async fn next(&mut self) -> Option<Turn<'a>> {
        if self.turns.is_empty() && !self.is_last_round {
            self.is_last_round = true;
            self.turns = self.last_round();
        }
        let turn = self.turns.pop_front()?;
        if !turn.pause.is_zero() {
            tokio::time::sleep(turn.pause).await;
        }
        Some(turn)
    }

    /// The source delivered the file.
    pub(crate) fn delivered(&self, turn: Turn<'_>) {
        self.transport.delivered(&turn.source.url);
    }

    /// Records an error. Returns the source that is asked next in place of this one, where
    /// there is one: then it is a fail-over.
    pub(crate) fn failed(&mut self, turn: Turn<'a>, attempt: Attempt) -> Option<&'a Source> {
        let repeat = self.repeat(turn, &attempt.error);
        let is_repeated = repeat.is_some();
        match repeat {
            Some(repeat) => self.turns.push_front(repeat),
            None => self.transport.failed(&turn.source.url, &attempt.error),
        }
        // An earlier error says more than that the source wasn't asked again.
        let was_asked = !matches!(attempt.error, SourceError::Suspended(_));
        if was_asked || self.attempts[turn.number].is_none() {
            self.attempts[turn.number] = Some(attempt);
        }
        let next = self.turns.front().map(|turn| turn.source);
        next.filter(|_| was_asked && !is_repeated)
    }

    /// The error of every source that was asked, in their order.
    pub(crate) fn attempts(self) -> Vec<Attempt> {
        self.attempts.into_iter().flatten().collect()
    }

    /// A second request to the same source, after a transient error.
    fn repeat(&mut self, turn: Turn<'a>, error: &SourceError) -> Option<Turn<'a>> {
        if turn.force || !error.is_transient() {
            return None;
        }
        let pause = match error {
            SourceError::Status { retry_after: Some(pause), .. } => *pause,
            _ => jittered(self.backoff),
        };
        Some(Turn { pause: self.spend(pause)?, force: true, ..turn })
    }

    /// The sources whose error may have passed, and those that weren't asked for this file.
    fn last_round(&mut self) -> VecDeque<Turn<'a>> {
        let may_have_passed = |attempt: &Option<Attempt>| {
            attempt.as_ref().is_some_and(|attempt| {
                matches!(
                    attempt.error,
                    SourceError::Truncated { .. }
                        | SourceError::Silent(_)
                        | SourceError::TooSlow(_)
                        | SourceError::Suspended(_)
                )
            })
        };
        let mut pause = jittered(self.backoff);
        let mut turns = VecDeque::new();
        for (number, source) in self.sources.iter().enumerate() {
            if may_have_passed(&self.attempts[number]) {
                let Some(pause) = self.spend(std::mem::take(&mut pause)) else { break };
                turns.push_back(Turn { source, number, pause, force: true });
            }
        }
        turns
    }

    /// Takes a pause from the patience for this file, if enough is left.
    fn spend(&mut self, pause: Duration) -> Option<Duration> {
        self.patience = self.patience.checked_sub(pause)?;
        Some(pause)
    }
}

/// `pause` and up to as much again, so that many clients don't come back at once.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1000;
    pause + pause * u32::try_from(random).unwrap_or(0) / 1000
}
