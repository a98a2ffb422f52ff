//! A server over a temporary directory, with faults and logins.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use envlock_depot::{Fault, Hangs, LoggedRequest, Request, Server};
use tempfile::TempDir;

use crate::faults::{Faults, matches};

/// A loopback server over a temporary directory, with faults and logins. [`crate::TestMirror`] and
/// [`crate::TestIndex`] are such servers.
#[derive(Debug)]
pub struct FaultyServer {
    // Dropped before the directory that it serves.
    server: Server,
    rules: Arc<Mutex<Rules>>,
    directory: TempDir,
}

#[derive(Debug, Default)]
struct Rules {
    faults: Faults,
    logins: Vec<Login>,
}

/// What a request for a path must have.
#[derive(Debug)]
struct Login {
    pattern: String,
    /// The value of `Authorization`.
    authorization: String,
}

impl FaultyServer {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let rules = Arc::<Mutex<Rules>>::default();
        let of_hook = Arc::clone(&rules);
        let hook = move |request: &Request| lock(&of_hook).next(request);
        let server = Server::start_with(directory.path(), hook).expect("loopback has a free port");
        Self { server, rules, directory }
    }

    /// Adds a fault for every path that matches the pattern; `*` matches any text. The latest
    /// fault has priority.
    pub fn add_fault(&self, pattern: &str, fault: Fault) {
        lock(&self.rules).faults.add(pattern, None, fault);
    }

    /// Adds a fault for the first `times` requests. Later requests get the right answer.
    pub fn add_fault_times(&self, times: usize, pattern: &str, fault: Fault) {
        lock(&self.rules).faults.add(pattern, Some(times), fault);
    }

    /// Removes all faults. Logins stay.
    pub fn clear_faults(&self) {
        lock(&self.rules).faults.clear();
    }

    /// Answers 401 for every path that matches the pattern if a request hasn't this user and
    /// password. Goes before the faults.
    pub fn require_login(&self, pattern: &str, user: &str, password: &str) {
        let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let (pattern, authorization) = (pattern.to_owned(), format!("Basic {encoded}"));
        lock(&self.rules).logins.push(Login { pattern, authorization });
    }

    /// Returns the responses that hang.
    pub fn hangs(&self) -> Hangs {
        self.server.hangs()
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The directory that is served.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the requests whose paths match the pattern, in the order of the answers.
    pub fn requests(&self, pattern: &str) -> Vec<LoggedRequest> {
        let log = self.server.log();
        log.into_iter().filter(|logged| matches(pattern, &logged.request.path)).collect()
    }

    /// Clears the log of requests.
    pub fn clear_requests(&self) {
        self.server.clear_log();
    }
}

impl Rules {
    fn next(&mut self, request: &Request) -> Option<Fault> {
        let given = request.header("authorization");
        let mut logins = self.logins.iter();
        if logins.any(|login| {
            matches(&login.pattern, &request.path) && given != Some(&login.authorization)
        }) {
            let challenge = ("www-authenticate", "Basic realm=\"test\"".to_owned());
            return Some(Fault::Status(401, vec![challenge]));
        }
        self.faults.next(&request.path)
    }
}

fn lock(rules: &Mutex<Rules>) -> MutexGuard<'_, Rules> {
    rules.lock().unwrap_or_else(PoisonError::into_inner)
}
