//! Finds the rules that never decide, because other rules take precedence on all of their paths.

use std::collections::BTreeSet;

use super::acl::{Acl, RuleId};
use super::choice::ListSearch;
use super::pattern::{Pattern, PatternKind};

/// A rule that decides no request, or only lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnreachableRule {
    pub(crate) rule: RuleId,
    /// The rules that decide instead; at least one.
    pub(crate) by: Vec<RuleId>,
    /// Whether it may still decide some lists: current Vault compares only the rules that grant
    /// `list` or deny.
    pub(crate) may_decide_lists: bool,
}

/// The result of a search among rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search<T> {
    pub(crate) found: Vec<T>,
    /// Whether all rules were compared. If not, there may be more to find.
    pub(crate) complete: bool,
}

/// The maximum work of one search, in bytes of paths and compared rules. A hostile policy can have a
/// hundred thousand patterns that all match each other.
const WORK: usize = 2_000_000;

impl Acl<'_> {
    /// The rules that never decide. A rule that isn't returned decides at least one path, if the
    /// search is complete.
    ///
    /// Only a pattern with `+` can be overridden on all of its paths: an exact rule takes precedence
    /// over all others, and a prefix decides on its longer paths, which only a longer prefix and patterns
    /// of fewer segments could take from it.
    pub(crate) fn unreachable_rules(&self) -> Search<UnreachableRule> {
        let is_segmented = |rule: &RuleId| self.rule(*rule).pattern.kind == PatternKind::Segments;
        let segmented: Vec<RuleId> = (0..self.rules().len()).filter(is_segmented).collect();
        let pattern = |rule: RuleId| &self.rule(rule).pattern;
        let depths: BTreeSet<usize> =
            segmented.iter().map(|rule| depth(&pattern(*rule).text)).collect();
        let fresh = self.unused_character();
        let (mut unreachable, mut work) = (Vec::new(), 0);
        for rule in segmented {
            let mut by: Vec<RuleId> = Vec::new();
            let mut decides = false;
            for path in typical_paths(pattern(rule), &depths, fresh) {
                work += path.len() + self.number_of_compared_segments(&path);
                if work > WORK {
                    return Search { found: unreachable, complete: false };
                }
                let best = self.best_match(&path).unwrap_or(rule);
                decides = best == rule;
                if decides {
                    break;
                }
                if !by.contains(&best) {
                    by.push(best);
                }
            }
            if !decides {
                work += self.rules().len();
                let may_decide_lists = self.may_decide_lists(rule, &by);
                unreachable.push(UnreachableRule { rule, by, may_decide_lists });
            }
        }
        Search { found: unreachable, complete: true }
    }

    /// Whether a rule that decides nothing else may decide a list. `false` is certain.
    fn may_decide_lists(&self, rule: RuleId, by: &[RuleId]) -> bool {
        if ListSearch::of(self.dialect) != ListSearch::Both || !self.lists_or_denies(rule) {
            return false;
        }
        let [by] = by else { return true };
        let beater = &self.rule(*by).pattern;
        // Of the prefixes, only the longest is compared, so a longer one may replace this one.
        let replaced = |other: &RuleId| {
            let other = &self.rule(*other).pattern;
            other.kind == PatternKind::Prefix && other.text.starts_with(&beater.text)
        };
        let replaceable = beater.kind == PatternKind::Prefix;
        let mut compared =
            (0..self.rules().len()).filter(|other| other == by || (replaceable && replaced(other)));
        !compared.all(|other| self.lists_or_denies(other))
    }

    /// A character that no pattern contains.
    fn unused_character(&self) -> char {
        let used: BTreeSet<char> =
            self.rules().iter().flat_map(|rule| rule.pattern.text.chars()).collect();
        let private_use = '\u{e000}'..='\u{f8ff}';
        let supplementary = '\u{f0000}'..='\u{ffffd}';
        let mut candidates = private_use.chain(supplementary);
        candidates.find(|character| !used.contains(character)).unwrap_or('\u{10fffd}')
    }
}

/// The number of segments of a pattern.
fn depth(pattern: &str) -> usize {
    pattern.split('/').count()
}

/// Paths that stand for all that a pattern of segments matches: whichever rule matches one of them
/// also matches every path of the same number of segments. Every segment that the pattern leaves
/// open is `fresh`, which no rule names, so that only rules that leave it open, too, match.
/// Deep paths come first: fewest rules match them.
fn typical_paths<'p>(
    pattern: &'p Pattern,
    depths: &'p BTreeSet<usize>,
    fresh: char,
) -> impl Iterator<Item = String> + use<'p> {
    let (bare, open) = match pattern.text.strip_suffix('*') {
        Some(bare) => (bare, true),
        None => (pattern.text.as_str(), false),
    };
    let own = depth(bare);
    let mut deeper: BTreeSet<usize> = BTreeSet::new();
    if open {
        // What matches changes only where another pattern starts or ends.
        deeper.extend(depths.range(own + 1..).map(|depth| depth - own));
        deeper.extend(depths.range(own..).map(|depth| depth + 1 - own));
    }
    deeper.insert(0);
    deeper.into_iter().rev().map(move |more| {
        let segments = bare
            .split('/')
            .map(|segment| if segment == "+" { fresh.to_string() } else { segment.to_owned() });
        let mut path = segments.collect::<Vec<_>>().join("/");
        if open {
            path.push(fresh);
            (0..more).for_each(|_| path.extend(['/', fresh]));
        }
        path
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Dialect;
    use crate::tests::{context, policy};

    /// The patterns that never decide, each with those that decide instead.
    fn unreachable(dialect: Dialect, rules: &[(&str, &str)]) -> Vec<(String, Vec<String>, bool)> {
        let policy = policy(rules);
        let policies = [&policy];
        let acl = Acl::new(&policies, &context(dialect)).unwrap();
        let name = |rule: RuleId| acl.rule(rule).pattern();
        let found = acl.unreachable_rules().found.into_iter();
        found
            .map(|b| (name(b.rule), b.by.into_iter().map(name).collect(), b.may_decide_lists))
            .collect()
    }

    #[test]
    fn a_deny_behind_a_plus_loses_to_the_prefix_before_the_plus() {
        let rules = [("t/metadata/*", "list"), ("t/metadata/+/private/*", "deny")];
        for dialect in Dialect::ALL {
            let lost =
                ("t/metadata/+/private/*".to_owned(), vec!["t/metadata/*".to_owned()], false);
            assert_eq!(unreachable(dialect, &rules), [lost], "{dialect}");
        }
    }

    #[test]
    fn current_vault_may_use_a_deny_that_loses_to_a_read_only_rule_for_lists() {
        let rules = [("t/data/*", "read"), ("t/data/+/x/*", "deny")];
        assert!(!unreachable(Dialect::OpenBao, &rules)[0].2);
        assert!(unreachable(Dialect::Vault, &rules)[0].2);
        let replaced = [("t/*", "list"), ("t/+/x/*", "deny"), ("t/a/*", "read")];
        assert!(unreachable(Dialect::Vault, &replaced)[0].2);
        let policy = policy(&replaced);
        let policies = [&policy];
        let acl = Acl::new(&policies, &context(Dialect::Vault)).unwrap();
        assert_eq!(acl.deciding_rule("t/a/x/y/", true), Some(1));
    }

    #[test]
    fn a_rule_that_decides_somewhere_is_not_unreachable() {
        for rules in [
            [("t/*", "read"), ("t/+/x", "deny")],
            [("t/+/*", "read"), ("t/+/x/*", "deny")],
            [("t/a*", "read"), ("t/+/*", "deny")],
            [("t/a/*", "read"), ("t/*", "deny")],
            [("t/a", "read"), ("t/+", "deny")],
            [("t/+/+", "read"), ("t/+/*", "deny")],
        ] {
            assert_eq!(unreachable(Dialect::OpenBao, &rules), [], "{rules:?}");
        }
    }

    #[test]
    fn several_rules_together_beat_one() {
        // One segment below is taken by the pattern without a star, the rest by fewer `+`.
        let rules = [("k/+/*", "read"), ("k/+/+", "read"), ("k/+/+/a*", "deny")];
        assert_eq!(unreachable(Dialect::OpenBao, &rules).len(), 1);
    }

    #[test]
    fn a_hundred_thousand_patterns_end_the_search_early() {
        let rules: Vec<String> = (0..20_000).map(|n| format!("k/+/+/{n}*")).collect();
        let mut rules: Vec<(&str, &str)> =
            rules.iter().map(|rule| (rule.as_str(), "deny")).collect();
        rules.push(("k/+/*", "read"));
        let policy = policy(&rules);
        let policies = [&policy];
        let acl = Acl::new(&policies, &context(Dialect::OpenBao)).unwrap();
        let Search { found, complete } = acl.unreachable_rules();
        assert!(!complete && !found.is_empty() && found.len() < 20_000, "{}", found.len());
    }

    proptest! {
        #[test]
        fn a_rule_decides_a_typical_path_or_none_at_all(
            rules in prop::collection::vec(
                ("[ab+]?(/[ab+]?){0,4}[*]?", prop::sample::select(vec!["read", "list", "deny"])),
                1..8,
            ),
            paths in prop::collection::vec("[abc]{0,2}(/[abc]{0,2}){0,5}/?", 1..60),
            dialect in prop::sample::select(Dialect::ALL.to_vec()),
        ) {
            let rules: Vec<(&str, &str)> = rules
                .iter()
                .map(|(pattern, word)| (pattern.as_str(), *word))
                .filter(|(pattern, _)| !pattern.contains("+*") && !pattern.starts_with("//"))
                .collect();
            let policy = policy(&rules);
            let policies = [&policy];
            let acl = Acl::new(&policies, &context(dialect)).unwrap();
            let Search { found: unreachable, complete } = acl.unreachable_rules();
            prop_assert!(complete);
            for path in &paths {
                for listing in [false, true] {
                    let Some(decides) = acl.deciding_rule(path, listing) else { continue };
                    if let Some(unreachable) = unreachable.iter().find(|unreachable| unreachable.rule == decides) {
                        let list = listing && path.ends_with('/') && unreachable.may_decide_lists;
                        prop_assert!(list, "{path} {:?}", acl.rule(decides).pattern());
                    }
                }
            }
            let depths: BTreeSet<usize> = (1..8).collect();
            let fresh = acl.unused_character();
            for (rule, known) in acl.rules().iter().enumerate() {
                if known.pattern.kind != PatternKind::Segments {
                    continue;
                }
                let mut typical = typical_paths(&known.pattern, &depths, fresh);
                let decides = typical.any(|path| acl.deciding_rule(&path, false) == Some(rule));
                let found = unreachable.iter().find(|unreachable| unreachable.rule == rule);
                prop_assert_eq!(found.is_none(), decides, "{:?}", known.pattern());
                prop_assert!(found.is_none_or(|found| !found.by.is_empty()));
            }
        }

        #[test]
        fn an_exact_rule_and_a_prefix_always_decide_somewhere(
            rules in prop::collection::vec("[ab+]?(/[ab+]?){0,4}[*]?", 1..8),
        ) {
            let rules: Vec<(&str, &str)> = rules
                .iter()
                .map(|pattern| (pattern.as_str(), "read"))
                .filter(|(pattern, _)| !pattern.contains("+*") && !pattern.starts_with("//"))
                .collect();
            let policy = policy(&rules);
            let policies = [&policy];
            let acl = Acl::new(&policies, &context(Dialect::OpenBao)).unwrap();
            let deep = "/c".repeat(12);
            for (id, rule) in acl.rules().iter().enumerate() {
                let path = match rule.pattern.kind {
                    PatternKind::Exact => rule.pattern.text.clone(),
                    PatternKind::Prefix => format!("{}c{deep}", rule.pattern.text),
                    PatternKind::Segments => continue,
                };
                prop_assert_eq!(acl.deciding_rule(&path, false), Some(id), "{}", path);
            }
        }
    }
}
