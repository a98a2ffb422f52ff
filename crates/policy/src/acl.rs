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
use super::write;
use envlock_text::Pos;

/// The server and the token for which policies are evaluated.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationContext<'a> {
    /// The server version whose policy rules are followed.
    pub dialect: Dialect,
    /// The time of the evaluation: OpenBao's rules may expire.
    pub now: Timestamp,
    /// The identity of the token. `None` means unknown: templated blocks are then undecided.
    pub identity: Option<&'a Identity>,
    /// The namespace of the token, which bounds the policy `root`. Policies that don't say where
    /// they are uploaded are in it.
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
    /// The namespace that requests without one are sent to.
    request_namespace: String,
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
    pub fn new(
        policies: &[&'a Policy],
        context: &EvaluationContext<'_>,
    ) -> Result<Self, PolicyError> {
        let mut acl = Self {
            dialect: context.dialect,
            root: false,
            token_namespace: canonical_namespace(context.token_namespace),
            request_namespace: String::new(),
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

    /// Sets the namespace that requests without one are sent to. By default it is the root
    /// namespace.
    #[must_use]
    pub fn for_requests_in(mut self, namespace: &str) -> Self {
        self.request_namespace = canonical_namespace(namespace);
        self
    }

    /// The path of a request, seen from the root namespace.
    pub(crate) fn path_from_root(&self, path: &str, namespace: &str) -> String {
        match canonical_namespace(namespace).as_str() {
            "" => format!("{}{path}", self.request_namespace),
            namespace => format!("{namespace}{path}"),
        }
    }

    /// The path of a request as the policy number `policy` must write it: relative to the
    /// namespace that the policy is uploaded to.
    pub fn path_in_policy(&self, policy: usize, path: &str) -> String {
        let namespace = self.namespace_of(self.policies[policy]);
        match self.request_namespace.strip_prefix(namespace) {
            Some(below) => format!("{below}{path}"),
            None => path.to_owned(),
        }
    }

    fn namespace_of<'n>(&'n self, policy: &'n Policy) -> &'n str {
        policy.namespace.as_deref().unwrap_or(&self.token_namespace)
    }

    /// Whether the templated block `id` may match the path of a request, for some identity.
    pub fn block_may_match(&self, id: BlockId, path: &str) -> bool {
        self.block_may_match_from_root(id, &self.path_from_root(path, ""))
    }

    /// As [`Self::block_may_match`], for a path that is seen from the root namespace.
    pub(crate) fn block_may_match_from_root(&self, id: BlockId, path: &str) -> bool {
        let below = path.strip_prefix(self.namespace_of(self.policies[id.policy]));
        below.is_some_and(|below| template::may_match(&self.block(id).pattern, below))
    }

    /// Whether the pattern of `rule` is exactly the path of a request.
    pub fn is_exactly(&self, rule: RuleId, path: &str) -> bool {
        self.rules[rule].pattern() == self.path_from_root(path, "")
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

    fn add(&mut self, id: BlockId, context: &EvaluationContext<'_>) -> Result<(), PolicyError> {
        let policy = self.policies[id.policy];
        let block = &policy.blocks[id.block];
        if self.is_expired(block, context.now) {
            return Ok(());
        }
        let namespace = self.namespace_of(policy).to_owned();
        let expanded = if !block.templated || self.dialect == Dialect::RustyVault {
            Some(block.pattern.as_str().into())
        } else {
            context.identity.and_then(|identity| {
                let namespace = match namespace.as_str() {
                    "" => "root",
                    namespace => namespace,
                };
                let forbidden = self.forbidden_in_templates(policy);
                template::expand(&block.pattern, identity, namespace, context.now, forbidden)
            })
        };
        let refused = |text| PolicyErrorKind::PlusStar(text).at(&policy.file, block.pos);
        let Some(text) = expanded else {
            Pattern::new(&block.pattern, &namespace).map_err(refused)?;
            let mut directives = template::directives(&block.pattern);
            if context.identity.is_none() && directives.all(|text| template::has_value(text.trim()))
            {
                self.undecided.push(id);
            }
            return Ok(());
        };
        let pattern = Pattern::new(&text, &namespace).map_err(refused)?;
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
        self.dialect.is_openbao() && block.expires.is_some_and(|end| now > end)
    }

    /// The characters that a template may not put into a pattern on this server.
    fn forbidden_in_templates(&self, policy: &Policy) -> ForbiddenInTemplates {
        match self.dialect {
            Dialect::OpenBao => ForbiddenInTemplates {
                slash: !policy.slashes_in_templates,
                wildcard: !policy.wildcards_in_templates,
            },
            Dialect::Vault => ForbiddenInTemplates { slash: false, wildcard: true },
            Dialect::OpenBaoLegacy
            | Dialect::Vault121
            | Dialect::VaultLegacy
            | Dialect::RustyVault => ForbiddenInTemplates { slash: false, wildcard: false },
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

    /// Writes a block for `path` with `capabilities` and the conditions of the block `id`.
    pub fn narrowed_block(&self, id: BlockId, path: &str, capabilities: Capabilities) -> String {
        let item = self.policies[id.policy].paths().nth(id.block);
        // A block is read from the item of the same number.
        item.map_or_else(String::new, |item| write::path_block_like(item, path, capabilities))
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

    /// Finds the rule that decides on the `path` of a request. Servers differ for a `listing`.
    pub fn deciding_rule(&self, path: &str, listing: bool) -> Option<RuleId> {
        self.rule_for(&self.path_from_root(path, ""), listing)
    }

    /// Finds the rule that decides on `path`, seen from the root namespace.
    pub(crate) fn rule_for(&self, path: &str, listing: bool) -> Option<RuleId> {
        self.choose(path, listing).map(|choice| choice.rule)
    }

    /// Finds the rule that decides on a SCAN of `path`, seen from the root namespace. Before 2.6.0
    /// OpenBao tries the path without its final slash only for exact rules.
    pub(crate) fn rule_for_scan(&self, path: &str) -> Option<RuleId> {
        if self.dialect != Dialect::OpenBaoLegacy {
            return self.rule_for(path, true);
        }
        let path = path.trim_start_matches('/');
        let exact = |path| self.exact.get(path).copied();
        let bare = path.strip_suffix('/');
        exact(path).or_else(|| exact(bare?)).or_else(|| self.best_match(path))
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

    /// The rules that match the `path` of a request too and that `deciding` overrides.
    pub fn hidden_rules(&self, path: &str, listing: bool, deciding: RuleId) -> Vec<RuleId> {
        self.hidden_from_root(&self.path_from_root(path, ""), listing, deciding)
    }

    /// As [`Self::hidden_rules`], for a path that is seen from the root namespace.
    pub(crate) fn hidden_from_root(
        &self,
        path: &str,
        listing: bool,
        deciding: RuleId,
    ) -> Vec<RuleId> {
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
        let rule = self.rule_for(&self.path_from_root(path, &namespace), true);
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
