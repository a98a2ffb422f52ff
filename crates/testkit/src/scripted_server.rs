//! A scripted secrets server, for what no real one can be brought to say.
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

/// A server on a free port of 127.0.0.1 that answers as a table says, and 404 without a reason
/// to all that isn't in it. Dropped, it stops and closes what connections there are.
#[derive(Debug)]
pub struct ScriptedServer {
    description: &'static str,
    address: SocketAddr,
    shared: Arc<serve::Shared>,
    task: AbortHandle,
}

impl ScriptedServer {
    /// One with an empty table. What it imitates is said in a sentence, so that a reader needn't
    /// guess it from the table.
    pub fn new(description: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
        listener.set_nonblocking(true).expect("a listener needn't block");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::<serve::Shared>::default();
        let task = blocking::spawn(serve::accept(listener, Arc::clone(&shared)));
        Self { description, address, shared, task }
    }

    /// With these answers to requests of this method for paths that the pattern means: the
    /// latest entry of the table goes first, each request takes the next answer, and the last
    /// one stays. `*` stands for anything, `/` too. A path is what follows `/v1/`; one that
    /// begins with `/` is the whole of it.
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

    /// With the answers of a server in development: to `sys/health`, to every login, about
    /// the token, about what it may do (all of it), and to its end. They are in the table
    /// like others, so that a later one may take the place of each.
    #[must_use]
    pub fn with_healthy_answers(self) -> Self {
        let table = healthy::answers();
        table
            .into_iter()
            .fold(self, |script, (method, path, answer)| script.answer_on(method, path, answer))
    }

    /// What it imitates.
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked so far, in the order in which it came.
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
