//! A scripted Vault server, for answers that a real one can't be made to give.
//!
//! ```
//! use envlock_testkit::{ScriptedAnswer, ScriptedServer};
//!
//! let active = ScriptedServer::new("imitates the active node of a cluster").with_healthy_answers();
//! let there = format!("{}/v1/auth/token/lookup-self", active.url());
//! let standby = ScriptedServer::new("imitates a standby that sends its clients to the active node")
//!     .with_healthy_answers()
//!     .answer_on("GET", "sys/health", [ScriptedAnswer::errors(503, &["Vault is sealed"]), ScriptedAnswer::empty(429)])
//!     .answer_on("GET", "auth/token/lookup-self", ScriptedAnswer::redirect(307, &there));
//! assert_eq!(standby.requests(), []);
//! ```

mod answer;
mod healthy;
mod recorded_request;
mod rules;
mod serve;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::task::AbortHandle;

use crate::blocking;

pub use answer::{ScriptedAnswer, ScriptedAnswers};
pub use recorded_request::RecordedRequest;

/// A Vault server that gives scripted answers, on a free port of 127.0.0.1. Requests that aren't
/// in its table get 404. When dropped, it stops and closes its connections.
#[derive(Debug)]
pub struct ScriptedServer {
    description: &'static str,
    address: SocketAddr,
    shared: Arc<serve::Shared>,
    task: AbortHandle,
}

impl ScriptedServer {
    /// Creates a server with an empty table. `description` is a sentence on what it imitates, for
    /// readers of the test.
    pub fn new(description: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
        listener.set_nonblocking(true).expect("a listener needn't block");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::<serve::Shared>::default();
        let task = blocking::spawn(serve::accept(listener, Arc::clone(&shared)));
        Self { description, address, shared, task }
    }

    /// Sets the answers to requests of this method for matching paths. The latest entry has
    /// priority; each request takes the next answer, and the last one is repeated. `*` matches any
    /// text, also `/`. A path is the part after `/v1/`; a pattern that starts with `/` is for the
    /// whole path.
    #[must_use]
    pub fn answer_on(
        self,
        method: &str,
        pattern: &str,
        answers: impl Into<ScriptedAnswers>,
    ) -> Self {
        self.shared.rules().add(method, pattern, answers.into());
        self
    }

    /// Adds the answers of a development server: to `sys/health`, to every login, about the token,
    /// about its capabilities (all of them), and to its revocation. Later entries can replace
    /// them.
    #[must_use]
    pub fn with_healthy_answers(self) -> Self {
        let table = healthy::answers();
        table
            .into_iter()
            .fold(self, |script, (method, path, answer)| script.answer_on(method, path, answer))
    }

    /// Returns the description of what it imitates.
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests so far, in order.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.requests().clone()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests;
