//! Ends the wait for a source that sends nothing.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use url::Url;

/// Ends the wait for a response at an event instead of after a time. Tests use it, so that their
/// result doesn't depend on the speed of the machine.
#[derive(Clone)]
pub struct IdleEvent(Arc<Event>);

/// Returns the future of the event for a source's URL.
type Event = dyn Fn(&Url) -> BoxFuture<'static, ()> + Send + Sync;

impl IdleEvent {
    /// Creates an event. `event` returns a future that completes when the source at a URL sends
    /// nothing more.
    pub fn new(event: impl Fn(&Url) -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(event))
    }

    fn wait(&self, url: &Url) -> BoxFuture<'static, ()> {
        (self.0)(url)
    }
}

impl fmt::Debug for IdleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdleEvent(…)")
    }
}

/// Runs `work` until the event; `None` if the event comes first. Without an event only the HTTP
/// library's timeout ends the work.
pub(crate) async fn until_idle<T>(
    work: impl Future<Output = T>,
    event: Option<&IdleEvent>,
    url: &Url,
) -> Option<T> {
    let Some(event) = event else { return Some(work.await) };
    tokio::select! {
        biased;
        result = work => Some(result),
        () = event.wait(url) => None,
    }
}
