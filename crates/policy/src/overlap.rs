//! Finds denies that lose some of their paths to rules that aren't exceptions of them.

use std::iter;

use super::acl::{Acl, RuleId};
use super::pattern::{Pattern, PatternKind};
use super::reach::Search;

/// A deny that another rule overrides on some paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OverriddenDeny {
    pub(crate) rule: RuleId,
    /// The rule that decides on `path` instead, and grants something.
    pub(crate) by: RuleId,
    /// A path that both match.
    pub(crate) path: String,
}

/// The maximum number of pairs of rules that are compared.
const PAIRS: usize = 500_000;

impl Acl<'_> {
    /// The denies that lose a path to a rule that grants and that isn't an exception: it also
    /// matches paths that the deny doesn't. Each has the first such rule.
    ///
    /// Only a deny with `+` can lose so: whatever takes precedence over a prefix is a part of it.
    pub(crate) fn overridden_denies(&self) -> Search<OverriddenDeny> {
        let rules = 0..self.rules().len();
        let grants = |rule: &RuleId| {
            let capabilities = self.rule(*rule).capabilities;
            !capabilities.is_empty() && !capabilities.contains_deny()
        };
        let denies = rules.clone().filter(|rule| {
            let rule = self.rule(*rule);
            rule.capabilities.contains_deny() && rule.pattern.kind == PatternKind::Segments
        });
        let (mut overridden, mut pairs) = (Vec::new(), 0);
        for rule in denies {
            let deny = &self.rule(rule).pattern;
            for other in rules.clone().filter(grants) {
                pairs += 1;
                if pairs > PAIRS {
                    return Search { found: overridden, complete: false };
                }
                let grant = &self.rule(other).pattern;
                if !grant.is_wildcard() || grant.rank() < deny.rank() {
                    continue;
                }
                let Some(path) = common_path(deny, grant) else { continue };
                if self.deciding_rule(&path, false) == Some(other) && !contains(deny, grant) {
                    overridden.push(OverriddenDeny { rule, by: other, path });
                    break;
                }
            }
        }
        Search { found: overridden, complete: true }
    }
}

/// Whether `deny` matches every path that `grant` matches.
fn contains(deny: &Pattern, grant: &Pattern) -> bool {
    let ((deny, deny_open), (grant, grant_open)) = (pieces(deny), pieces(grant));
    let fits = if deny_open {
        deny.len() <= grant.len()
    } else {
        !grant_open && deny.len() == grant.len()
    };
    fits && deny.into_iter().zip(grant).all(|(deny, grant)| match (deny, grant) {
        (Piece::Any, _) => true,
        (Piece::Literal(a), Piece::Literal(b)) => a == b,
        (Piece::StartsWith(start), Piece::Literal(text) | Piece::StartsWith(text)) => {
            text.starts_with(start)
        }
        (Piece::StartsWith(start), Piece::Any) => start.is_empty(),
        (Piece::Literal(_), _) => false,
    })
}

/// One segment of a pattern.
#[derive(Debug, Clone, Copy)]
enum Piece<'p> {
    Any,
    Literal(&'p str),
    /// The last segment of a pattern that ends in `*`.
    StartsWith(&'p str),
}

/// The segments of a pattern, and whether more may follow.
fn pieces(pattern: &Pattern) -> (Vec<Piece<'_>>, bool) {
    let (text, open) = match (pattern.kind, pattern.text.strip_suffix('*')) {
        (PatternKind::Prefix, _) => (pattern.text.as_str(), true),
        (PatternKind::Segments, Some(bare)) => (bare, true),
        _ => (pattern.text.as_str(), false),
    };
    let plus = pattern.kind == PatternKind::Segments;
    let read = |segment| if plus && segment == "+" { Piece::Any } else { Piece::Literal(segment) };
    let mut pieces: Vec<Piece<'_>> = text.split('/').map(read).collect();
    if open && let Some(last) = pieces.last_mut() {
        *last = Piece::StartsWith(text.rsplit('/').next().unwrap_or_default());
    }
    (pieces, open)
}

/// A path that both patterns match, if there is one.
fn common_path(one: &Pattern, other: &Pattern) -> Option<String> {
    let ((one, one_open), (other, other_open)) = (pieces(one), pieces(other));
    let depth = one.len().max(other.len());
    let more = |open| iter::repeat(if open { Some(Piece::Any) } else { None });
    let one = one.into_iter().map(Some).chain(more(one_open));
    let other = other.into_iter().map(Some).chain(more(other_open));
    let segments: Option<Vec<String>> =
        one.zip(other).take(depth).map(|(one, other)| common_segment(one?, other?)).collect();
    Some(segments?.join("/"))
}

fn common_segment(one: Piece<'_>, other: Piece<'_>) -> Option<String> {
    use Piece::{Any, Literal, StartsWith};
    Some(match (one, other) {
        (Any, Any) => "x".to_owned(),
        (Any, Literal(text)) | (Literal(text), Any) => text.to_owned(),
        (Any, StartsWith(start)) | (StartsWith(start), Any) => format!("{start}x"),
        (Literal(a), Literal(b)) => (a == b).then(|| a.to_owned())?,
        (Literal(text), StartsWith(start)) | (StartsWith(start), Literal(text)) => {
            text.starts_with(start).then(|| text.to_owned())?
        }
        (StartsWith(a), StartsWith(b)) => {
            let (long, short) = if a.len() > b.len() { (a, b) } else { (b, a) };
            long.starts_with(short).then(|| format!("{long}x"))?
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Dialect;
    use crate::tests::{context, policy};

    fn overridden(rules: &[(&str, &str)]) -> Vec<(String, String, String)> {
        let policy = policy(rules);
        let policies = [&policy];
        let acl = Acl::new(&policies, &context(Dialect::OpenBao)).unwrap();
        let name = |rule: RuleId| acl.rule(rule).pattern();
        let found = acl.overridden_denies().found.into_iter();
        found.map(|found| (name(found.rule), name(found.by), found.path)).collect()
    }

    #[test]
    fn a_deny_behind_a_plus_loses_to_a_longer_prefix_that_crosses_it() {
        let rules = [("t/data/svc/*", "read"), ("t/data/+/restricted/*", "deny")];
        let lost = |text: &str| text.to_owned();
        assert_eq!(
            overridden(&rules),
            [(
                lost("t/data/+/restricted/*"),
                lost("t/data/svc/*"),
                lost("t/data/svc/restricted/x")
            )]
        );
    }

    #[test]
    fn an_exception_of_a_deny_is_intended() {
        for rules in [
            [("t/*", "deny"), ("t/a/*", "read")],
            [("t/+/*", "deny"), ("t/a/b", "read")],
            [("t/+/*", "deny"), ("t/a/b*", "read")],
            [("t/+/*", "deny"), ("t/a/*", "read")],
            [("t/+/x", "deny"), ("t/a/x", "read")],
            [("t/+/x/*", "deny"), ("t/+/y/*", "read")],
            [("t/+/x", "deny"), ("t/*", "read")],
        ] {
            assert_eq!(overridden(&rules), [], "{rules:?}");
        }
    }

    /// All paths of up to six segments over a few words.
    fn all_paths() -> Vec<String> {
        let words = ["", "a", "b", "c", "ac"];
        let mut level: Vec<String> = words.map(str::to_owned).to_vec();
        let mut paths = level.clone();
        for _ in 1..6 {
            let longer = level.iter().flat_map(|path| words.map(|word| format!("{path}/{word}")));
            level = longer.collect();
            paths.extend(level.iter().cloned());
        }
        paths
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

        #[test]
        fn containment_and_common_paths_are_those_of_the_matches(
            one in "[ab+](/[ab+]){0,3}/?[*]?",
            other in "[ab+](/[ab+]){0,3}/?[*]?",
        ) {
            // The servers refuse `+*`.
            let read = |text: &str| Pattern::new(&text.replace("+*", "a*"), "").unwrap();
            let (one, other) = (read(&one), read(&other));
            let (mut contained, mut common) = (true, false);
            for path in all_paths() {
                let matches = other.matches(&path);
                contained &= !matches || one.matches(&path);
                common |= matches && one.matches(&path);
            }
            prop_assert_eq!(contains(&one, &other), contained);
            let path = common_path(&one, &other);
            prop_assert_eq!(path.is_some(), common);
            prop_assert!(path.is_none_or(|path| one.matches(&path) && other.matches(&path)));
        }
    }

    proptest! {
        #[test]
        fn a_granting_rule_decides_on_the_named_path_that_the_deny_matches(
            rules in prop::collection::vec(
                ("[ab+](/[ab+]?){0,4}[*]?", prop::sample::select(vec!["read", "deny"])),
                2..6,
            ),
            dialect in prop::sample::select(Dialect::ALL.to_vec()),
        ) {
            let rules: Vec<(&str, &str)> = rules
                .iter()
                .map(|(pattern, word)| (pattern.as_str(), *word))
                .filter(|(pattern, _)| !pattern.contains("+*"))
                .collect();
            let policy = policy(&rules);
            let policies = [&policy];
            let acl = Acl::new(&policies, &context(dialect)).unwrap();
            for found in acl.overridden_denies().found {
                let (deny, by) = (acl.rule(found.rule), acl.rule(found.by));
                prop_assert!(deny.capabilities.contains_deny() && !by.capabilities.contains_deny());
                prop_assert!(deny.pattern.matches(&found.path));
                prop_assert_eq!(acl.deciding_rule(&found.path, false), Some(found.by));
            }
        }
    }
}
