//! Work that would hold up a thread of the runtime.

/// Starts `work` on a thread for such work; the result is what it gives, a panic is ours.
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
