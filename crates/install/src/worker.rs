//! The thread that does the disk work: its events, and whether the install was cancelled.

use envlock_model::progress::{Event, Observer};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::InstallError;

/// The worker's end of a channel of events.
pub(crate) struct Worker(UnboundedSender<Event>);

impl Worker {
    /// Creates a worker, and the receiver of its events.
    pub(crate) fn new() -> (Self, UnboundedReceiver<Event>) {
        let (sender, receiver) = unbounded_channel();
        (Self(sender), receiver)
    }

    /// Returns an error once the install was cancelled: dropping a future doesn't stop a thread.
    pub(crate) fn check_cancelled(&self) -> Result<(), InstallError> {
        if self.0.is_closed() { Err(InstallError::Cancelled) } else { Ok(()) }
    }
}

impl Observer for Worker {
    fn observe(&self, event: Event) {
        // Fails only once cancelled, which `check_cancelled` finds.
        drop(self.0.send(event));
    }
}
