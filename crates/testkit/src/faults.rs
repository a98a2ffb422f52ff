//! Selects the fault of each request.

use envlock_depot::Fault;

/// The faults of a server, the latest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    pattern: String,
    /// How many more requests get it; `None`: all.
    times: Option<usize>,
    fault: Fault,
}

impl Faults {
    pub(crate) fn add(&mut self, pattern: &str, times: Option<usize>, fault: Fault) {
        self.0.insert(0, Rule { pattern: pattern.to_owned(), times, fault });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the fault of a request for this path.
    pub(crate) fn next(&mut self, path: &str) -> Option<Fault> {
        let rule =
            self.0.iter_mut().find(|rule| rule.times != Some(0) && matches(&rule.pattern, path))?;
        rule.times = rule.times.map(|times| times - 1);
        Some(rule.fault.clone())
    }
}

/// Whether a pattern matches a whole path. `*` matches any text, also `/`.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == path };
    path.strip_prefix(start).is_some_and(|path| {
        path.char_indices().map(|(at, _)| &path[at..]).chain([""]).any(|path| matches(rest, path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_the_rest_for_itself() {
        let path = "/anaconda/cloud/conda-forge/linux-64/numpy-1.24.3-py310_0.conda";
        assert!(matches("*/numpy-1.24.3*", path));
        assert!(matches("/anaconda/*.conda", path));
        assert!(matches(path, path));
        assert!(matches("*", "/频道"));
        assert!(!matches("numpy*", path));
        assert!(!matches("*/numpy-1.24.3", path));
        assert!(!matches("*.tar.bz2", path));
    }

    #[test]
    fn a_fault_may_be_over_after_some_requests() {
        let mut faults = Faults::default();
        faults.add("*", Some(2), Fault::status(503));
        assert_eq!(faults.next("/a"), Some(Fault::status(503)));
        assert_eq!(faults.next("/b"), Some(Fault::status(503)));
        assert_eq!(faults.next("/c"), None);
    }

    #[test]
    fn the_latest_fault_goes_first() {
        let mut faults = Faults::default();
        faults.add("*", None, Fault::status(503));
        faults.add("*/a", None, Fault::Html);
        assert_eq!(faults.next("/a"), Some(Fault::Html));
        assert_eq!(faults.next("/b"), Some(Fault::status(503)));
        faults.clear();
        assert_eq!(faults.next("/a"), None);
    }
}
