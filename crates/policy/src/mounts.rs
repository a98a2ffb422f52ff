//! The mounts whose engines are known, and the paths that are requested from them.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::Engine;
use super::pattern::Pattern;

/// The mounts whose engines a manifest declares, and the paths that its needs request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mounts {
    engines: BTreeMap<String, BTreeSet<Engine>>,
    requests: BTreeSet<String>,
}

/// A path below a known mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BelowMount<'m, 'p> {
    pub(crate) mount: &'m str,
    /// The path without the mount and the slash after it.
    pub(crate) below: &'p str,
    /// Whether the mount is kv version 2 and nothing else.
    pub(crate) is_kv2: bool,
}

/// The first segments of the paths that kv version 2 serves.
const KV2_SEGMENTS: [&str; 8] =
    ["config", "data", "delete", "destroy", "detailed-metadata", "metadata", "subkeys", "undelete"];

impl Mounts {
    /// Adds an engine at `mount`, which may have several segments.
    pub fn add(&mut self, mount: &str, engine: Engine) {
        let mount = mount.trim_matches('/').to_owned();
        self.engines.entry(mount).or_default().insert(engine);
    }

    /// Adds a path that a need requests.
    pub fn add_request(&mut self, path: &str) {
        self.requests.insert(path.to_owned());
    }

    /// The mount that serves `pattern`: the longest known one.
    pub(crate) fn find<'m, 'p>(&'m self, pattern: &'p str) -> Option<BelowMount<'m, 'p>> {
        let pattern = pattern.trim_start_matches('/');
        let below = |mount: &str| pattern.strip_prefix(mount)?.strip_prefix('/');
        let known = self.engines.iter();
        let serving = known.filter_map(|(mount, engines)| Some((mount, engines, below(mount)?)));
        let (mount, engines, below) = serving.max_by_key(|(mount, ..)| mount.len())?;
        Some(BelowMount { mount, below, is_kv2: engines.iter().eq([&Engine::Kv2]) })
    }

    /// Whether `pattern` matches the path of a known request.
    pub(crate) fn is_requested(&self, pattern: &str) -> bool {
        let Ok(pattern) = Pattern::new(pattern, "") else { return false };
        self.requests.iter().any(|path| pattern.matches(path))
    }

    /// Whether `pattern` names the logical path of a kv2 secret: none of the paths that kv2 serves.
    pub fn is_logical_kv2_path(&self, pattern: &str) -> bool {
        self.find(pattern).is_some_and(|found| found.is_kv2 && is_logical(found.below))
    }
}

/// Whether kv2 serves nothing that matches a pattern `below` its mount.
fn is_logical(below: &str) -> bool {
    let (first, only) = match below.split_once('/') {
        Some((first, _)) => (first, false),
        None => (below, true),
    };
    if first.is_empty() || first == "+" || first.contains("{{") {
        return false;
    }
    match first.strip_suffix('*').filter(|_| only) {
        Some(prefix) => !KV2_SEGMENTS.iter().any(|segment| segment.starts_with(prefix)),
        None => !KV2_SEGMENTS.contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_mount_serves_a_path() {
        let mut mounts = Mounts::default();
        mounts.add("team", Engine::Kv1);
        mounts.add("team/kv", Engine::Kv2);
        let found = mounts.find("/team/kv/data/a").unwrap();
        assert_eq!((found.mount, found.below, found.is_kv2), ("team/kv", "data/a", true));
        assert!(!mounts.find("team/kvx/a").unwrap().is_kv2);
        assert_eq!(mounts.find("teams/a"), None);
    }

    #[test]
    fn a_logical_path_begins_with_no_segment_of_the_api() {
        let mut mounts = Mounts::default();
        mounts.add("s", Engine::Kv2);
        mounts.add("k", Engine::Kv1);
        for logical in ["s/app", "s/app/*", "s/pay*", "/s/app", "s/database/x"] {
            assert!(mounts.is_logical_kv2_path(logical), "{logical}");
        }
        for served in
            ["s/*", "s/+/app", "s/data/a", "s/da*", "s/config", "s/{{x}}/a", "k/app", "t/a", "s"]
        {
            assert!(!mounts.is_logical_kv2_path(served), "{served}");
        }
    }
}
