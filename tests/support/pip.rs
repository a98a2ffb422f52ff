//! A project with a pip section, whose index is a loopback server.

use std::ops::Deref;

use envlock_testkit::{Output, TestIndex, TestMirror};

use super::Lab;

/// The origin of the index of the tests. A loopback server is its mirror.
const ORIGIN: &str = "https://pypi.example";

/// A project with an index of PyPI.
pub(crate) struct PipLab {
    lab: Lab,
    mirrors: Vec<String>,
    _index: Option<TestIndex>,
}

impl Deref for PipLab {
    type Target = Lab;

    fn deref(&self) -> &Lab {
        &self.lab
    }
}

impl PipLab {
    pub(crate) fn new(world: TestMirror, yml: &str, index: &TestIndex) -> Self {
        let lab = Lab::new(world, yml).env("PIP_INDEX_URL", format!("{ORIGIN}/simple"));
        Self { lab, mirrors: Vec::new(), _index: None }.with_index(index)
    }

    /// Keeps the index as long as the project.
    pub(crate) fn serving(world: TestMirror, yml: &str, index: TestIndex) -> Self {
        let lab = Self::new(world, yml, &index);
        Self { _index: Some(index), ..lab }
    }

    /// Uses this server as the mirror of the index.
    pub(crate) fn with_index(self, index: &TestIndex) -> Self {
        let url = index.url();
        let mirror = |folder: &str| format!("{ORIGIN}/{folder}/={url}/{folder}/");
        let other = format!("https://one.example/simple/={url}/simple/");
        Self { mirrors: vec![mirror("simple"), mirror("packages"), other], ..self }
    }

    /// Returns arguments with the mirrors of the index.
    pub(crate) fn flags<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let mirrors = self.mirrors.iter().flat_map(|mirror| ["--mirror", mirror.as_str()]);
        args.iter().copied().chain(mirrors).collect()
    }

    pub(crate) fn solve(&self, args: &[&str]) -> Output {
        self.lab.solve(&self.flags(args))
    }

    pub(crate) fn install(&self, args: &[&str]) -> Output {
        self.lab.install(&self.flags(args))
    }

    pub(crate) fn bundle(&self, args: &[&str]) -> Output {
        self.lab.with_mirrors("bundle", &self.flags(args))
    }

    /// Sets a variable of the commands.
    pub(crate) fn env(self, name: &str, value: &str) -> Self {
        Self { lab: self.lab.env(name, value), ..self }
    }

    pub(crate) fn has_lock(&self) -> bool {
        self.lab.project.path("envlock.lock").exists()
    }
}
