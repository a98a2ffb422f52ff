//! Runs blocking work off the async threads.

use std::panic::resume_unwind;

/// Runs `work` on a thread for blocking work, and returns its result. The work starts at once.
/// Panics propagate to the caller.
pub fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> + Send {
    let started = tokio::task::spawn_blocking(work);
    async {
        match started.await {
            Ok(result) => result,
            // The work is cancelled only when the runtime shuts down, and then nothing polls this.
            Err(error) if error.is_cancelled() => std::future::pending().await,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }
}
