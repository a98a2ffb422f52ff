//! An index of segment patterns that finds the candidates for a path.

use std::collections::HashMap;

/// The maximum number of segments that are indexed; deeper ones are compared one by one. The number is limited
/// because a pattern may have millions of segments and the index must stay small.
const DEPTH: usize = 8;

/// A tree of the first segments of the patterns.
#[derive(Debug, Default)]
pub(super) struct SegmentIndex {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    literal: HashMap<String, usize>,
    plus: Option<usize>,
    /// The patterns whose indexed segments end here.
    rules: Vec<usize>,
}

impl SegmentIndex {
    /// Adds the pattern `text` as `rule`. A last segment that ends in `*` isn't indexed.
    pub(super) fn insert(&mut self, text: &str, rule: usize) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let indexed = match text.strip_suffix('*') {
            Some(bare) => bare.rsplit_once('/').map_or("", |(whole, _)| whole),
            None => text,
        };
        let mut at = 0;
        if !(indexed.is_empty() && text.ends_with('*')) {
            for segment in indexed.split('/').take(DEPTH) {
                at = self.child(at, segment);
            }
        }
        self.nodes[at].rules.push(rule);
    }

    fn child(&mut self, at: usize, segment: &str) -> usize {
        let new = self.nodes.len();
        let node = &mut self.nodes[at];
        let child = if segment == "+" {
            *node.plus.get_or_insert(new)
        } else {
            *node.literal.entry(segment.to_owned()).or_insert(new)
        };
        if child == new {
            self.nodes.push(Node::default());
        }
        child
    }

    /// The rules whose indexed segments match `path`: all that match it, and some that don't.
    pub(super) fn candidates(&self, path: &str) -> Vec<usize> {
        let mut found = Vec::new();
        if self.nodes.is_empty() {
            return found;
        }
        let mut level = vec![0];
        found.extend(&self.nodes[0].rules);
        for segment in path.split('/').take(DEPTH) {
            let mut next = Vec::new();
            for at in level {
                let node: &Node = &self.nodes[at];
                next.extend(node.plus);
                next.extend(node.literal.get(segment));
            }
            for at in &next {
                found.extend(&self.nodes[*at].rules);
            }
            level = next;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::Pattern;

    proptest! {
        #[test]
        fn the_index_finds_every_pattern_that_matches(
            patterns in prop::collection::vec("[ab+]?(/[ab+]?){0,10}[*]?", 1..20),
            path in "[ab]?(/[ab]?){0,11}",
        ) {
            let read = patterns.iter().filter_map(|text| Pattern::new(text, "").ok());
            let segmented: Vec<_> = read.filter(|pattern| pattern.text.contains('+')).collect();
            let mut index = SegmentIndex::default();
            for (rule, pattern) in segmented.iter().enumerate() {
                index.insert(&pattern.text, rule);
            }
            let found = index.candidates(&path);
            for (rule, pattern) in segmented.iter().enumerate() {
                prop_assert!(!pattern.matches(&path) || found.contains(&rule), "{pattern:?}");
            }
        }
    }
}
