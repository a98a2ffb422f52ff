//! The thread that waits for the disk, as the caller sees it: its events, and whether anybody
//! still wants the result.

use envlock_model::progress::{Event, Observer};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::InstallError;

/// The worker's end of a channel of events.
pub(crate) struct Work(UnboundedSender<Event>);

impl Work {
    /// Both ends.
    pub(crate) fn new() -> (Self, UnboundedReceiver<Event>) {
        let (sender, receiver) = unbounded_channel();
        (Self(sender), receiver)
    }

    /// An error once the caller has gone away: a dropped future can't stop a thread.
    pub(crate) fn go_on(&self) -> Result<(), InstallError> {
        if self.0.is_closed() { Err(InstallError::Stopped) } else { Ok(()) }
    }
}

impl Observer for Work {
    fn observe(&self, event: Event) {
        // Nobody listens any more: `go_on` tells the worker.
        drop(self.0.send(event));
    }
}
