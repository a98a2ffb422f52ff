//! One runtime for all servers and clients of the tests, so that a plain `#[test]` can use them.

use std::sync::LazyLock;
use std::sync::mpsc;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().expect("a runtime can be made")
});

/// Runs a future to its end. Also works within another runtime, unlike tokio's `block_on`.
pub(crate) fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (done, result) = mpsc::sync_channel(1);
    RUNTIME.spawn(async move {
        // The receiver waits until it has the result.
        let _ = done.send(future.await);
    });
    result.recv().expect("the task doesn't panic")
}

/// Starts a future in the background.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> tokio::task::AbortHandle {
    RUNTIME.spawn(future).abort_handle()
}
