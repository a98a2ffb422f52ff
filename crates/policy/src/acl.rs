//! The rules of a token's policies on one server, indexed by pattern.

use std::cmp::Reverse;
use std::collections::HashMap;

use envlock_report::Place;
use jiff::Timestamp;
use serde::Serialize;

use super::block::Block;
use super::capability::{Capabilities, Capability};
use super::dialect::Dialect;
use super::document::{Policy, canonical_namespace};
use super::error::{PolicyError, PolicyErrorKind};
use super::identity::Identity;
use super::pattern::{Pattern, PatternKind};
use super::rule::{BlockId, Rule};
use super::segments::SegmentIndex;
use super::template::{self, ForbiddenInTemplates};
use envlock_text::Pos;

/// The server and the token for which policies are evaluated.
#[derive(Debug, Clone, Copy)]
pub struct ServerContext<'a> {
    /// The server version whose policy rules are followed.
    pub dialect: Dialect,
    /// The time of the evaluation: OpenBao's rules may expire.
    pub now: Timestamp,
    /// The identity of the token. `None` means unknown: templated blocks are then undecided.
    pub identity: Option<&'a Identity>,
    /// The namespace of the token, which bounds the policy `root`.
    pub token_namespace: &'a str,
}

/// The index of a rule in its [`Acl`].
pub type RuleId = usize;

/// The rules of a token's policies on one server.
#[derive(Debug)]
pub struct Acl<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) root: bool,
    pub(crate) token_namespace: String,
    policies: Vec<&'a Policy>,
    rules: Vec<Rule>,
    exact: HashMap<String, RuleId>,
    prefix: HashMap<String, RuleId>,
    segments: HashMap<String, RuleId>,
    by_segment: SegmentIndex,
    /// The lengths of all prefix patterns, longest first. No other length is compared.
    prefix_lengths: Vec<usize>,
    undecided: Vec<BlockId>,
}

/// The position of a rule in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct RuleOrigin {
    /// The policy's name.
    pub policy: String,
    /// The position of the pattern in the policy's file.
    pub place: Place,
    /// The pattern, as the policy writes it.
    pub pattern: String,
}

impl<'a> Acl<'a> {
    /// Reads `policies` as the server of `context` does.
    ///
    /// # Errors
    /// Returns the first error for which that server rejects one of them.
    pub fn new(policies: &[&'a Policy], context: &ServerContext<'_>) -> Result<Self, PolicyError> {
        let mut acl = Self {
            dialect: context.dialect,
            root: false,
            token_namespace: canonical_namespace(context.token_namespace),
            policies: policies.to_vec(),
            rules: Vec::new(),
            exact: HashMap::new(),
            prefix: HashMap::new(),
            segments: HashMap::new(),
            by_segment: SegmentIndex::default(),
            prefix_lengths: Vec::new(),
            undecided: Vec::new(),
        };
        for (index, policy) in policies.iter().enumerate() {
            if let Some(error) = policy.error_for(context.dialect, context.now) {
                return Err(error.clone());
            }
            if policy.name == "root" {
                acl.attach_root(policy)?;
            }
            for block in 0..policy.blocks.len() {
                acl.add(BlockId { policy: index, block }, context)?;
            }
        }
        acl.prefix_lengths = lengths(acl.prefix.keys());
        Ok(acl)
    }

    fn attach_root(&mut self, policy: &Policy) -> Result<(), PolicyError> {
        if self.policies.len() != 1 {
            return Err(PolicyErrorKind::RootWithOthers.at(&policy.file, Pos::START));
        }
        if self.dialect.is_vault() && !self.token_namespace.is_empty() {
            return Err(PolicyErrorKind::RootInNamespace.at(&policy.file, Pos::START));
        }
        self.root = true;
        Ok(())
    }

    fn add(&mut self, id: BlockId, context: &ServerContext<'_>) -> Result<(), PolicyError> {
        let policy = self.policies[id.policy];
        let block = &policy.blocks[id.block];
        if self.is_expired(block, context.now) {
            return Ok(());
        }
        let expanded = if !block.templated || self.dialect == Dialect::RustyVault {
            Some(block.pattern.as_str().into())
        } else {
            context.identity.and_then(|identity| {
                let namespace =
                    if policy.namespace.is_empty() { "root" } else { &policy.namespace };
                let forbidden = self.forbidden_in_templates(policy);
                template::expand(&block.pattern, identity, namespace, context.now, forbidden)
            })
        };
        let refused = |text| PolicyErrorKind::PlusStar(text).at(&policy.file, block.pos);
        let Some(text) = expanded else {
            Pattern::new(&block.pattern, &policy.namespace).map_err(refused)?;
            let mut directives = template::directives(&block.pattern);
            if context.identity.is_none() && directives.all(|text| template::has_value(text.trim()))
            {
                self.undecided.push(id);
            }
            return Ok(());
        };
        let pattern = Pattern::new(&text, &policy.namespace).map_err(refused)?;
        self.insert(pattern, block, id);
        Ok(())
    }

    fn insert(&mut self, pattern: Pattern, block: &Block, id: BlockId) {
        let kind = pattern.kind;
        let index = match kind {
            PatternKind::Exact => &mut self.exact,
            PatternKind::Prefix => &mut self.prefix,
            PatternKind::Segments => &mut self.segments,
        };
        if let Some(known) = index.get(&pattern.text) {
            self.rules[*known].merge(block, id, self.dialect);
            return;
        }
        let new = self.rules.len();
        index.insert(pattern.text.clone(), new);
        if kind == PatternKind::Segments {
            self.by_segment.insert(&pattern.text, new);
        }
        self.rules.push(Rule::new(pattern, block, id, self.dialect));
    }

    fn is_expired(&self, block: &Block, now: Timestamp) -> bool {
        self.dialect == Dialect::OpenBao && block.expires.is_some_and(|end| now > end)
    }

    /// The characters that a template may not put into a pattern on this server.
    fn forbidden_in_templates(&self, policy: &Policy) -> ForbiddenInTemplates {
        match self.dialect {
            Dialect::OpenBao => ForbiddenInTemplates {
                slash: !policy.slashes_in_templates,
                wildcard: !policy.wildcards_in_templates,
            },
            Dialect::Vault => ForbiddenInTemplates { slash: false, wildcard: true },
            Dialect::VaultLegacy | Dialect::RustyVault => {
                ForbiddenInTemplates { slash: false, wildcard: false }
            }
        }
    }

    /// The server version whose policy rules are followed.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// All rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule `id`.
    pub fn rule(&self, id: RuleId) -> &Rule {
        &self.rules[id]
    }

    /// Whether the policy `root` is attached.
    pub fn is_root(&self) -> bool {
        self.root
    }

    /// The templated blocks that could not be expanded, because the identity is unknown.
    pub fn undecided_blocks(&self) -> &[BlockId] {
        &self.undecided
    }

    /// The block `id`.
    pub fn block(&self, id: BlockId) -> &'a Block {
        &self.policies[id.policy].blocks[id.block]
    }

    /// The position of the block `id`.
    pub fn block_origin(&self, id: BlockId) -> RuleOrigin {
        let policy = self.policies[id.policy];
        let block = &policy.blocks[id.block];
        RuleOrigin {
            policy: policy.name.clone(),
            place: block.pos.place(&policy.file),
            pattern: block.pattern.clone(),
        }
    }

    /// The positions of the blocks of a rule. A block that denies comes first, because it alone
    /// decides.
    pub(crate) fn rule_origins(&self, rule: RuleId) -> Vec<RuleOrigin> {
        self.first_rule_origins(rule, usize::MAX)
    }

    /// Returns the places of the first `number` blocks of a rule, without a search of all blocks.
    pub fn first_rule_origins(&self, rule: RuleId, number: usize) -> Vec<RuleOrigin> {
        let rule = &self.rules[rule];
        let others = rule.blocks.iter().filter(|id| rule.denying != Some(**id));
        let blocks = rule.denying.iter().chain(others).take(number);
        blocks.map(|id| self.block_origin(*id)).collect()
    }

    /// Finds the rule that decides on `path`. Servers differ for a `listing`.
    pub fn deciding_rule(&self, path: &str, listing: bool) -> Option<RuleId> {
        self.choose(path, listing).map(|choice| choice.rule)
    }

    /// The rule whose pattern is exactly `path`.
    pub(crate) fn exact_rule(&self, path: &str) -> Option<RuleId> {
        self.exact.get(path).copied()
    }

    /// The longest prefix that matches, and every matching pattern of segments.
    pub(crate) fn candidates(&self, path: &str) -> Vec<RuleId> {
        let longest = self.prefixes(path).next();
        longest.into_iter().chain(self.matching_segments(path)).collect()
    }

    /// The number of patterns of segments that a search for `path` compares.
    pub(crate) fn number_of_compared_segments(&self, path: &str) -> usize {
        self.by_segment.candidates(path).len()
    }

    /// The prefix patterns that match, longest first.
    fn prefixes<'p>(&'p self, path: &'p str) -> impl Iterator<Item = RuleId> + 'p {
        let prefixes = prefixes_of(path, &self.prefix_lengths);
        prefixes.filter_map(|prefix| self.prefix.get(prefix).copied())
    }

    /// The patterns of segments that match.
    fn matching_segments<'p>(&'p self, path: &'p str) -> impl Iterator<Item = RuleId> + 'p {
        let candidates = self.by_segment.candidates(path).into_iter();
        candidates.filter(move |rule| self.rules[*rule].pattern.matches(path))
    }

    /// The rules that match `path` too and that `deciding` hides.
    pub fn hidden_rules(&self, path: &str, listing: bool, deciding: RuleId) -> Vec<RuleId> {
        let mut hidden = Vec::new();
        for path in self.searched_spellings(path, listing) {
            hidden.extend(self.exact.get(path));
            hidden.extend(self.prefixes(path));
            hidden.extend(self.matching_segments(path));
        }
        hidden.retain(|rule| *rule != deciding);
        hidden.sort_unstable();
        hidden.dedup();
        hidden.sort_by_key(|rule| {
            let pattern = &self.rules[*rule].pattern;
            Reverse((pattern.kind == PatternKind::Exact, pattern.rank()))
        });
        hidden
    }

    /// The answer of `sys/capabilities-self` for `path` in `namespace`. An empty set is `["deny"]`.
    pub fn capabilities(&self, path: &str, namespace: &str) -> Vec<&'static str> {
        let namespace = canonical_namespace(namespace);
        if self.root {
            return vec![if namespace.starts_with(&self.token_namespace) {
                "root"
            } else {
                "deny"
            }];
        }
        let rule = self.deciding_rule(&format!("{namespace}{path}"), true);
        let capabilities = rule.map_or(Capabilities::NONE, |rule| self.rules[rule].capabilities);
        if capabilities.is_empty() {
            return vec!["deny"];
        }
        capabilities.iter().map(Capability::name).collect()
    }
}

/// The prefixes of `path` that have one of `lengths`.
fn prefixes_of<'p>(path: &'p str, lengths: &'p [usize]) -> impl Iterator<Item = &'p str> {
    lengths.iter().filter_map(|length| path.get(..*length))
}

/// The distinct lengths of `texts`, longest first.
fn lengths<'t>(texts: impl Iterator<Item = &'t String>) -> Vec<usize> {
    let mut lengths: Vec<_> = texts.map(String::len).collect();
    lengths.sort_unstable_by_key(|length| Reverse(*length));
    lengths.dedup();
    lengths
}
