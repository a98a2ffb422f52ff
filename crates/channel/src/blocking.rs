//! Runs blocking work off the async threads.

/// Runs `work` on a thread for blocking work and returns its result. Panics propagate to the
/// caller.
pub(crate) fn spawn_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> + Send {
    let started = tokio::task::spawn_blocking(work);
    async {
        match started.await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}
