//! Patterns of paths: which paths they match, and which of two takes precedence.

use std::cmp::{Ordering, Reverse};
use std::fmt;

/// The kind of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PatternKind {
    /// Matches one path.
    Exact,
    /// Matches every path with this prefix.
    Prefix,
    /// Matches segment by segment; `+` matches any segment.
    Segments,
}

/// A normalised pattern in its namespace. Equal patterns are one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) kind: PatternKind,
    /// The pattern without the star of a prefix. A pattern of segments keeps its star.
    pub(crate) text: String,
}

/// How specific a wildcard pattern is; the greatest rank takes precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rank<'a> {
    first_wildcard: usize,
    without_star: bool,
    segments: Reverse<usize>,
    length: usize,
    text: &'a str,
}

/// The property by which one wildcard pattern outranks another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankCriterion {
    /// Its first wildcard comes later.
    FirstWildcard,
    /// It doesn't end in `*`.
    WithoutStar,
    /// It has fewer `+`.
    FewerWildcardSegments,
    /// It is longer.
    Longer,
    /// It comes later in alphabetical order.
    Alphabet,
}

/// Writes a clause that `than` follows.
impl fmt::Display for RankCriterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstWildcard => "its first wildcard is further right",
            Self::WithoutStar => "it doesn't end in `*`, and so is more specific",
            Self::FewerWildcardSegments => "it has fewer `+`",
            Self::Longer => "it is longer",
            Self::Alphabet => "it comes later in alphabetical order",
        })
    }
}

impl Rank<'_> {
    /// The first property in which the ranks differ, and which of them it makes the higher one.
    /// This is the servers' order of comparison. `None` for equal patterns.
    pub(crate) fn first_difference(&self, other: &Self) -> Option<(Ordering, RankCriterion)> {
        [
            (self.first_wildcard.cmp(&other.first_wildcard), RankCriterion::FirstWildcard),
            (self.without_star.cmp(&other.without_star), RankCriterion::WithoutStar),
            (self.segments.cmp(&other.segments), RankCriterion::FewerWildcardSegments),
            (self.length.cmp(&other.length), RankCriterion::Longer),
            (self.text.cmp(other.text), RankCriterion::Alphabet),
        ]
        .into_iter()
        .find(|(order, _)| order.is_ne())
    }
}

impl Ord for Rank<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.first_difference(other).map_or(Ordering::Equal, |(order, _)| order)
    }
}

impl PartialOrd for Rank<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Pattern {
    /// Makes the pattern `text` of a policy in `namespace` (`""` or `team/`). `Err` if it contains
    /// `+*`.
    pub(crate) fn new(text: &str, namespace: &str) -> Result<Self, String> {
        let text = format!("{namespace}{}", text.strip_prefix('/').unwrap_or(text));
        if text.contains("+*") {
            return Err(text);
        }
        if text == "+" || text.starts_with("+/") || text.contains("/+") {
            return Ok(Self { kind: PatternKind::Segments, text });
        }
        Ok(match text.strip_suffix('*') {
            Some(prefix) => Self { kind: PatternKind::Prefix, text: prefix.to_owned() },
            None => Self { kind: PatternKind::Exact, text },
        })
    }

    /// The pattern, as a policy of the root namespace writes it.
    pub(crate) fn to_policy_text(&self) -> String {
        match self.kind {
            PatternKind::Prefix => format!("{}*", self.text),
            _ => self.text.clone(),
        }
    }

    /// Whether it can match more than one path.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.kind != PatternKind::Exact
    }

    /// Whether it matches `path`, which has no leading slash.
    pub(crate) fn matches(&self, path: &str) -> bool {
        match self.kind {
            PatternKind::Exact => self.text == path,
            PatternKind::Prefix => path.starts_with(&self.text),
            PatternKind::Segments => segments_match(&self.text, path),
        }
    }

    /// The rank of a wildcard pattern.
    pub(crate) fn rank(&self) -> Rank<'_> {
        if self.kind != PatternKind::Segments {
            return Rank {
                first_wildcard: self.text.len(),
                without_star: false,
                segments: Reverse(0),
                length: self.text.len(),
                text: &self.text,
            };
        }
        let bare = self.text.strip_suffix('*');
        let text = bare.unwrap_or(&self.text);
        Rank {
            // The first `+` character, even if it is compared literally.
            first_wildcard: self.text.find('+').unwrap_or(0),
            without_star: bare.is_none(),
            segments: Reverse(text.split('/').filter(|segment| *segment == "+").count()),
            length: text.len(),
            text,
        }
    }
}

fn segments_match(pattern: &str, path: &str) -> bool {
    let (pattern, open) = match pattern.strip_suffix('*') {
        Some(bare) => (bare, true),
        None => (pattern, false),
    };
    let mut wanted = pattern.split('/').peekable();
    let mut given = path.split('/');
    while let Some(piece) = wanted.next() {
        let Some(segment) = given.next() else { return false };
        let last = wanted.peek().is_none();
        let fits = piece == "+" || piece == segment || (open && last && segment.starts_with(piece));
        if !fits {
            return false;
        }
    }
    open || given.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Pattern::new(pattern, "").unwrap().matches(path)
    }

    #[test]
    fn a_plus_matches_one_segment_even_an_empty_one() {
        assert!(matches("k/+/*", "k/a/"));
        assert!(!matches("k/+/*", "k/a"));
        assert!(matches("secret/data/+", "secret/data/"));
        assert!(!matches("secret/data/+", "secret/data/a/b"));
        assert!(matches("+/密钥/*", "团队/密钥/db"));
    }

    #[test]
    fn a_star_is_a_wildcard_only_at_the_end() {
        assert!(matches("ci*", "ci-prod/db"));
        assert!(!matches("a/*/b", "a/x/b"));
        assert!(matches("a/**", "a/*x"));
        assert!(!matches("a/b+/c", "a/bx/c"));
        assert!(matches("a/+b/c", "a/+b/c"));
        assert!(Pattern::new("a/+*", "").is_err());
    }

    #[test]
    fn only_one_leading_slash_is_removed_and_the_namespace_is_prepended() {
        assert_eq!(Pattern::new("//x", "").unwrap().text, "/x");
        assert_eq!(Pattern::new("/x", "team/").unwrap().text, "team/x");
    }

    #[test]
    fn priority_is_by_first_wildcard_then_no_star_then_fewer_pluses_then_length_then_alphabet() {
        let order = ["k/+/+/*", "k/+/a/*", "k/+/+/b", "k/+/a/+", "k/a/*", "k/a/+", "k/ab/*"];
        let patterns: Vec<_> = order.iter().map(|text| Pattern::new(text, "").unwrap()).collect();
        assert!(patterns.windows(2).all(|pair| pair[0].rank() < pair[1].rank()));
    }
}
