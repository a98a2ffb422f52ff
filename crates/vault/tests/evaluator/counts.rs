//! Counts the comparisons, so that a test without comparisons is noticed.

use std::collections::BTreeMap;
use std::fmt;

use envlock_policy::DecisionReason;
use envlock_policy::explain::Explanation;

use crate::release::{Kind, kind};

/// The number of comparisons of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts(BTreeMap<String, usize>);

impl Counts {
    pub(crate) fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    pub(crate) fn of(&self, what: &str) -> usize {
        self.0.get(what).copied().unwrap_or(0)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }

    /// Counts how a request was decided.
    pub(crate) fn count_decision(&mut self, allowed: bool, by: &Explanation) {
        let verdict = if allowed { "allowed" } else { "denied" };
        self.count(verdict);
        let pattern = by.rule.first().map(|rule| rule.pattern.trim_start_matches('/'));
        let rule = match pattern.map(kind) {
            None => "no rule",
            Some(Kind::Exact) => "an exact rule",
            Some(Kind::Star) => "a star",
            Some(Kind::Plus) => "a plus",
        };
        self.count(format!("{verdict} by {rule}"));
        if by.rule.iter().any(|rule| rule.pattern.contains("{{")) {
            self.count("by templates");
        }
        if by.rule.len() > 1 {
            self.count("by merged blocks");
        }
        if !by.hidden.is_empty() {
            self.count(format!("{verdict} with hidden rules"));
        }
        if !by.conditions.is_empty() {
            self.count(format!("{verdict} with conditions"));
        }
        match by.reason {
            DecisionReason::WrapTtlOutOfBounds => self.count("denied by wrapping"),
            DecisionReason::ParameterMissing(_)
            | DecisionReason::ParameterDenied(_)
            | DecisionReason::ParameterNotAllowed(_)
            | DecisionReason::ValueNotAllowed(_) => self.count("denied by parameters"),
            _ => {}
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(|(what, count)| format!("{what} {count}")).collect();
        f.write_str(&all.join(", "))
    }
}
