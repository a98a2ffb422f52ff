//! Chooses the rule that decides on a path, and says why it takes precedence over another one.

use std::fmt;

use super::acl::{Acl, RuleId};
use super::capability::Capability;
use super::dialect::Dialect;
use super::pattern::RankCriterion;

/// How a server searches for the rule of a LIST request, whose path ends in a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListSearch {
    /// With the slash; without it only if nothing matches.
    WithSlashFirst,
    /// Without the slash; with it only if nothing matches.
    WithoutSlashFirst,
    /// Both at once: the most specific deny against the most specific grant of `list`.
    Both,
    /// With the slash only.
    WithSlashOnly,
}

impl ListSearch {
    /// How the servers of `dialect` search.
    pub(crate) fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenBao => Self::WithSlashFirst,
            Dialect::OpenBaoLegacy | Dialect::Vault121 | Dialect::VaultLegacy => {
                Self::WithoutSlashFirst
            }
            Dialect::Vault => Self::Both,
            Dialect::RustyVault => Self::WithSlashOnly,
        }
    }
}

/// The rule that decides on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) rule: RuleId,
    step: Step,
}

/// The step of the search that finds the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A rule is named like the path.
    Exact,
    /// A rule is named like the path without its final slash.
    ExactWithoutSlash,
    /// The highest rank of the rules that match the path.
    HighestRank,
    /// The highest rank of the rules that match the path without its final slash.
    HighestRankWithoutSlash,
    /// The highest rank of the rules that grant `list` or deny.
    ListOrDeny,
    /// The highest rank, because no rule grants `list` or denies.
    NeitherListNorDeny,
}

/// Why the deciding rule takes precedence over another one that matches, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleChoice {
    /// Its pattern is the exact path.
    Exact,
    /// Its pattern is the exact path without the final slash.
    ExactWithoutSlash,
    /// No other rule matches.
    Only,
    /// Its pattern has a higher rank than the other one.
    Rank {
        /// The first property in which the patterns differ.
        criterion: RankCriterion,
        /// The pattern of the other rule.
        next: String,
    },
    /// The server searches for one spelling of the path first, and only this rule matches that.
    SearchedFirst {
        /// Whether that spelling has the final slash.
        with_slash: bool,
        /// The pattern of the other rule.
        next: String,
    },
    /// The other rule neither grants `list` nor denies, and the server compares only those that do.
    NotCompared {
        /// The pattern of the other rule.
        next: String,
    },
    /// The other rule's pattern is a prefix, and the server compares only the longest one.
    LongerPrefix {
        /// The pattern of the other rule.
        next: String,
    },
}

impl fmt::Display for RuleChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => {
                f.write_str("it names the path exactly, which takes precedence over wildcards")
            }
            Self::ExactWithoutSlash => f.write_str(
                "it names the path without its final slash exactly, which takes precedence over \
                 wildcards in a LIST request",
            ),
            Self::Only => f.write_str("no other rule matches"),
            Self::Rank { criterion, next } => write!(
                f,
                "{criterion} than \"{next}\"; rules of different patterns are never merged"
            ),
            Self::SearchedFirst { with_slash, next } => {
                let spelling = if *with_slash { "with" } else { "without" };
                write!(
                    f,
                    "for a LIST request this server first searches the path {spelling} its final slash, \
                     which \"{next}\" doesn't match"
                )
            }
            Self::NotCompared { next } => write!(
                f,
                "for a LIST request this server compares only rules that grant list or deny, and \"{next}\" \
                 does neither"
            ),
            Self::LongerPrefix { next } => write!(
                f,
                "of the prefixes that match, this server compares only the longest, which isn't \
                 \"{next}\""
            ),
        }
    }
}

impl Acl<'_> {
    /// The spellings of `path` for which the server searches.
    pub(crate) fn searched_spellings<'p>(
        &self,
        path: &'p str,
        listing: bool,
    ) -> impl Iterator<Item = &'p str> + use<'p> {
        let path = path.trim_start_matches('/');
        let both = listing && ListSearch::of(self.dialect) != ListSearch::WithSlashOnly;
        [Some(path), path.strip_suffix('/').filter(|_| both)].into_iter().flatten()
    }

    /// Chooses the rule that decides on `path`. Servers differ for a `listing`.
    pub(crate) fn choose(&self, path: &str, listing: bool) -> Option<Choice> {
        let mut spellings = self.searched_spellings(path, listing);
        let path = spellings.next()?;
        let found = |rule: Option<RuleId>, step| rule.map(|rule| Choice { rule, step });
        if let Some(choice) = found(self.exact_rule(path), Step::Exact) {
            return Some(choice);
        }
        let with_slash = || found(self.best_match(path), Step::HighestRank);
        let Some(bare) = spellings.next() else { return with_slash() };
        if let Some(choice) = found(self.exact_rule(bare), Step::ExactWithoutSlash) {
            return Some(choice);
        }
        let without_slash = || found(self.best_match(bare), Step::HighestRankWithoutSlash);
        match ListSearch::of(self.dialect) {
            ListSearch::WithSlashFirst => with_slash().or_else(without_slash),
            ListSearch::WithoutSlashFirst => without_slash().or_else(with_slash),
            ListSearch::Both => self.best_of_both_spellings(path, bare),
            ListSearch::WithSlashOnly => with_slash(),
        }
    }

    /// The rule of the highest rank that matches `path`, which no rule names exactly.
    pub(crate) fn best_match(&self, path: &str) -> Option<RuleId> {
        self.highest_rank(self.candidates(path).into_iter())
    }

    pub(crate) fn highest_rank(&self, candidates: impl Iterator<Item = RuleId>) -> Option<RuleId> {
        candidates.max_by_key(|rule| self.rule(*rule).pattern.rank())
    }

    /// Current Vault searches for both spellings at once: the most specific deny wins over a less
    /// specific grant of `list`, and rules that do neither hide nothing.
    fn best_of_both_spellings(&self, path: &str, bare: &str) -> Option<Choice> {
        let mut pool = self.candidates(bare);
        pool.extend(self.candidates(path));
        let compared = pool.iter().copied().filter(|rule| self.lists_or_denies(*rule));
        let (rule, step) = match self.highest_rank(compared) {
            Some(rule) => (rule, Step::ListOrDeny),
            None => (self.highest_rank(pool.iter().copied())?, Step::NeitherListNorDeny),
        };
        Some(Choice { rule, step })
    }

    /// Whether `rule` grants `list` or denies.
    pub(crate) fn lists_or_denies(&self, rule: RuleId) -> bool {
        let capabilities = self.rule(rule).capabilities;
        capabilities.contains(Capability::List) || capabilities.contains_deny()
    }

    /// Why `choice`, made for `path`, takes precedence over `other`, the highest of the other rules that match.
    pub(crate) fn why(
        &self,
        choice: Choice,
        path: &str,
        listing: bool,
        other: Option<RuleId>,
    ) -> RuleChoice {
        match choice.step {
            Step::Exact => return RuleChoice::Exact,
            Step::ExactWithoutSlash => return RuleChoice::ExactWithoutSlash,
            _ => {}
        }
        let Some(other) = other else { return RuleChoice::Only };
        let (pattern, lower) = (&self.rule(choice.rule).pattern, &self.rule(other).pattern);
        let next = lower.to_policy_text();
        let spellings: Vec<&str> = self.searched_spellings(path, listing).collect();
        let searched = match choice.step {
            Step::HighestRank => spellings.first(),
            Step::HighestRankWithoutSlash => spellings.get(1),
            _ => None,
        };
        if searched.is_some_and(|searched| !lower.matches(searched)) {
            let with_slash = choice.step == Step::HighestRank;
            return RuleChoice::SearchedFirst { with_slash, next };
        }
        match pattern.rank().first_difference(&lower.rank()) {
            Some((order, criterion)) if order.is_gt() => RuleChoice::Rank { criterion, next },
            _ if choice.step == Step::ListOrDeny && !self.lists_or_denies(other) => {
                RuleChoice::NotCompared { next }
            }
            _ => RuleChoice::LongerPrefix { next },
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::PatternKind;
    use crate::{EvaluationContext, Operation, Policy, Request, explain::explain};

    /// The servers' order of comparison, read from the text of a pattern.
    fn order(pattern: &str) -> (usize, bool, isize, usize, String) {
        let bare = pattern.strip_suffix('*').unwrap_or(pattern);
        let pluses = bare.split('/').filter(|segment| *segment == "+").count();
        let segmented = pattern == "+" || pattern.starts_with("+/") || pattern.contains("/+");
        let first = if segmented { pattern.find('+') } else { None };
        let without_star = segmented && bare == pattern;
        let pluses = if segmented { -isize::try_from(pluses).unwrap() } else { 0 };
        (first.unwrap_or(bare.len()), without_star, pluses, bare.len(), bare.to_owned())
    }

    fn first_difference(winner: &str, other: &str) -> RankCriterion {
        let (a, b) = (order(winner), order(other));
        let steps = [
            (a.0 > b.0, a.0 == b.0, RankCriterion::FirstWildcard),
            (a.1 && !b.1, a.1 == b.1, RankCriterion::WithoutStar),
            (a.2 > b.2, a.2 == b.2, RankCriterion::FewerWildcardSegments),
            (a.3 > b.3, a.3 == b.3, RankCriterion::Longer),
            (a.4 > b.4, a.4 == b.4, RankCriterion::Alphabet),
        ];
        let (wins, _, criterion) = steps.into_iter().find(|(_, same, _)| !same).unwrap();
        assert!(wins, "{winner} against {other}: {criterion:?}");
        criterion
    }

    fn rules() -> impl Strategy<Value = Vec<(String, &'static str)>> {
        let word = prop::sample::select(vec!["read", "list", "deny"]);
        let pattern = "[ab+]?(/[ab+]?){0,3}[*]?"
            .prop_filter("a pattern of a server", |text| !text.contains("+*"));
        prop::collection::vec((pattern, word), 1..5)
    }

    proptest! {
        #[test]
        fn the_printed_reason_is_true_of_the_two_rules(
            rules in rules(),
            path in "[ab]?(/[ab]?){0,4}/?",
            dialect in prop::sample::select(Dialect::ALL.to_vec()),
            listing in any::<bool>(),
        ) {
            let block = |(pattern, word): &(String, &str)| {
                format!("path \"{pattern}\" {{ capabilities = [\"{word}\"] }}\n")
            };
            let text = rules.iter().map(block).collect::<String>();
            let policy = Policy::parse("p", "p.hcl", &text).unwrap();
            let context = EvaluationContext {
                dialect, now: Timestamp::UNIX_EPOCH, identity: None, token_namespace: "",
            };
            let policies = [&policy];
            let acl = Acl::new(&policies, &context).unwrap();
            let operation = if listing { Operation::List } else { Operation::Read };
            let explained = explain(&acl, &Request::new(operation, &path), None);
            let Some(why) = explained.why_chosen else { return Ok(()) };
            let path = explained.path.trim_start_matches('/').to_owned();
            let listing = operation == Operation::List;
            let bare = path.strip_suffix('/').filter(|_| listing && dialect != Dialect::RustyVault);
            let rule = |pattern: &str| {
                let found = acl.rules().iter().position(|rule| rule.pattern() == pattern);
                found.unwrap()
            };
            let chosen = acl.choose(&path, listing).unwrap().rule;
            let winner = acl.rule(chosen).pattern();
            match why {
                RuleChoice::Exact => prop_assert_eq!(winner, path),
                RuleChoice::ExactWithoutSlash => prop_assert_eq!(Some(winner.as_str()), bare),
                RuleChoice::Only => {
                    for other in acl.rules().iter().filter(|rule| rule.pattern() != winner) {
                        prop_assert!(!other.pattern.matches(&path));
                        prop_assert!(bare.is_none_or(|bare| !other.pattern.matches(bare)));
                    }
                }
                RuleChoice::Rank { criterion, next } => {
                    prop_assert_eq!(first_difference(&winner, &next), criterion);
                }
                RuleChoice::SearchedFirst { with_slash, next } => {
                    prop_assert_eq!(with_slash, dialect == Dialect::OpenBao);
                    let searched = if with_slash { path.as_str() } else { bare.unwrap() };
                    prop_assert!(acl.rule(chosen).pattern.matches(searched));
                    prop_assert!(!acl.rule(rule(&next)).pattern.matches(searched));
                }
                RuleChoice::NotCompared { next } => {
                    prop_assert!(dialect == Dialect::Vault && bare.is_some());
                    prop_assert!(acl.lists_or_denies(chosen) && !acl.lists_or_denies(rule(&next)));
                }
                RuleChoice::LongerPrefix { next } => {
                    let short = &acl.rule(rule(&next)).pattern;
                    prop_assert_eq!(short.kind, PatternKind::Prefix);
                    for spelling in [Some(path.as_str()), bare].into_iter().flatten() {
                        let longer = acl.rules().iter().any(|rule| {
                            rule.pattern.kind == PatternKind::Prefix
                                && rule.pattern.text.len() > short.text.len()
                                && rule.pattern.matches(spelling)
                        });
                        prop_assert!(!short.matches(spelling) || longer);
                    }
                }
            }
        }
    }

    #[test]
    fn the_reason_is_that_of_the_search_and_not_of_the_ranks() {
        let text = "path \"s/metadata/*\" { capabilities = [\"list\"] }\n\
                    path \"s/metadata/a/*\" { capabilities = [\"read\"] }\n";
        let policy = Policy::parse("p", "p.hcl", text).unwrap();
        let why = |dialect| {
            let now = Timestamp::UNIX_EPOCH;
            let context = EvaluationContext { dialect, now, identity: None, token_namespace: "" };
            let policies = [&policy];
            let acl = Acl::new(&policies, &context).unwrap();
            let explained = explain(&acl, &Request::new(Operation::List, "s/metadata/a/"), None);
            explained.why_chosen.unwrap()
        };
        let next = || "s/metadata/a/*".to_owned();
        assert_eq!(
            why(Dialect::VaultLegacy),
            RuleChoice::SearchedFirst { with_slash: false, next: next() }
        );
        assert_eq!(why(Dialect::Vault), RuleChoice::NotCompared { next: next() });
        let next = "s/metadata/*".to_owned();
        let criterion = RankCriterion::FirstWildcard;
        assert_eq!(why(Dialect::OpenBao), RuleChoice::Rank { criterion, next });
    }
}
