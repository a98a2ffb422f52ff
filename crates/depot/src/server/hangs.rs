//! Reports the responses that hang, so that a client in a test can give up at an event instead of
//! after a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

/// The responses that hang, by the path of the request. Each is reported once.
#[derive(Debug, Clone, Default)]
pub struct Hangs(Arc<Mutex<BTreeMap<String, Arc<Semaphore>>>>);

impl Hangs {
    /// Waits until a response to a request for `path` hangs that wasn't reported yet.
    pub async fn next(&self, path: &str) {
        if let Ok(permit) = self.of(path).acquire_owned().await {
            permit.forget();
        }
    }

    /// Records that a response hangs.
    pub(super) fn add(&self, path: &str) {
        self.of(path).add_permits(1);
    }

    fn of(&self, path: &str) -> Arc<Semaphore> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(0));
        Arc::clone(all.entry(path.to_owned()).or_insert_with(new))
    }
}
