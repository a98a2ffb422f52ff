//! A loopback package index of Python with faults and logins.

use std::ops::Deref;

use envlock_depot::{BuiltDistribution, Fault, SimpleIndex};

use crate::{FaultyServer, TestProjects};

/// A loopback package index of Python with faults and logins: one server over one index.
///
/// ```
/// use envlock_testkit::{Fault, Listing, TestIndex, parse_wheel};
///
/// let index = TestIndex::new()
///     .projects(|p| {
///         p.add("requests 2.31.0 | idna>=2.5,<4 | charset-normalizer>=2");
///         p.add("idna 3.4");
///         p.wheel_listed(&parse_wheel("idna 3.5"), Listing::new().yanked("broken"));
///     })
///     .with_fault("*/idna-3.4*", Fault::status(503));
/// assert!(index.index_url().ends_with("/simple"));
/// ```
#[derive(Debug)]
pub struct TestIndex {
    server: FaultyServer,
    projects: TestProjects,
    /// The path of the index, without a slash at the end.
    path: String,
}

impl Default for TestIndex {
    fn default() -> Self {
        Self::new()
    }
}

impl TestIndex {
    /// Creates an index without projects at the server's root.
    pub fn new() -> Self {
        Self::at("")
    }

    /// Creates an index without projects at this path, such as `/pypi/web` for a mirror's
    /// `/pypi/web/simple` and `/pypi/web/packages`.
    pub fn at(path: &str) -> Self {
        let server = FaultyServer::new();
        let path = path.trim_end_matches('/').to_owned();
        let index = SimpleIndex::new(server.root().join(path.trim_start_matches('/')));
        index.write().expect("the pages can be written");
        Self { server, projects: TestProjects::new(index), path }
    }

    /// Adds projects.
    #[must_use]
    pub fn projects(mut self, edit: impl FnOnce(&mut TestProjects)) -> Self {
        self.update_projects(edit);
        self
    }

    /// Changes or adds projects, and writes the pages.
    pub fn update_projects(&mut self, edit: impl FnOnce(&mut TestProjects)) {
        edit(&mut self.projects);
        self.projects.index.write().expect("the pages can be written");
    }

    /// Adds a fault for every path that matches the pattern; `*` matches any text. The latest
    /// fault has priority.
    #[must_use]
    pub fn with_fault(self, pattern: &str, fault: Fault) -> Self {
        self.add_fault(pattern, fault);
        self
    }

    /// Adds a fault for the first `times` requests. Later requests get the right answer.
    #[must_use]
    pub fn with_fault_times(self, times: usize, pattern: &str, fault: Fault) -> Self {
        self.add_fault_times(times, pattern, fault);
        self
    }

    /// Requires this user and password for every path that matches the pattern.
    #[must_use]
    pub fn with_login(self, pattern: &str, user: &str, password: &str) -> Self {
        self.require_login(pattern, user, password);
        self
    }

    /// Returns the URL of the index, `…/simple`, without a final slash.
    pub fn index_url(&self) -> String {
        format!("{}{}/simple", self.url(), self.path)
    }

    /// Returns the URL of the index with a user and a password.
    pub fn index_url_with_login(&self, user: &str, password: &str) -> String {
        self.index_url().replacen("http://", &format!("http://{user}:{password}@"), 1)
    }

    /// Returns the URL of the flat page of all files.
    pub fn find_links_url(&self) -> String {
        format!("{}{}/find-links/", self.url(), self.path)
    }

    /// Returns the URL of a file that was added.
    pub fn file_url(&self, built: &BuiltDistribution) -> String {
        let path = built.path.strip_prefix(self.root()).expect("files are below the root");
        format!("{}/{}", self.url(), path.display())
    }
}

impl Deref for TestIndex {
    type Target = FaultyServer;

    fn deref(&self) -> &FaultyServer {
        &self.server
    }
}

#[cfg(test)]
mod pip_tests;
#[cfg(test)]
mod tests;
