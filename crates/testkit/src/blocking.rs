//! One runtime for every server and client of the tests, so that a plain `#[test]` can use
//! them without being async itself.

use std::sync::LazyLock;
use std::sync::mpsc;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().expect("a runtime can be made")
});

/// Runs it to its end. It may be called from within another runtime, where `block_on` may not.
pub(crate) fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (done, result) = mpsc::sync_channel(1);
    RUNTIME.spawn(async move {
        // The one who waits is there until it has the answer.
        let _ = done.send(future.await);
    });
    result.recv().expect("the task doesn't panic")
}

/// Starts it, and lets it go on.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> tokio::task::AbortHandle {
    RUNTIME.spawn(future).abort_handle()
}
