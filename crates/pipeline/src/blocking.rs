//! Work that would hold up a thread of the async runtime.

use std::panic::resume_unwind;

/// Runs `work` on a thread for blocking work, and gives its result. The work starts at once.
/// A panic of it goes on in the caller.
pub(crate) fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> + Send {
    let started = tokio::task::spawn_blocking(work);
    async {
        match started.await {
            Ok(result) => result,
            // Only the end of the runtime cancels it, and then nothing polls this.
            Err(error) if error.is_cancelled() => std::future::pending().await,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }
}
