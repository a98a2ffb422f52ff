//! Rules: the blocks of one pattern, merged as the servers do.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;

use super::block::{Block, Parameters};
use super::capability::{Capabilities, Capability};
use super::dialect::Dialect;
use super::pattern::Pattern;

/// A block of a policy, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    /// The index of the policy in the list that was given to [`Acl`](crate::Acl).
    pub policy: usize,
    /// The index of the block in its policy.
    pub block: usize,
}

/// The merged blocks of one pattern.
#[derive(Debug, Clone)]
pub struct Rule {
    pub(crate) pattern: Pattern,
    pub(crate) capabilities: Capabilities,
    pub(crate) allowed: Option<Parameters>,
    pub(crate) denied: Option<Parameters>,
    /// The parameters of which a server keeps one of several letter cases at random.
    pub(crate) colliding: BTreeSet<String>,
    pub(crate) required: BTreeSet<String>,
    /// In nanoseconds; 0 means no limit.
    pub(crate) min_wrapping_ttl: i64,
    /// In nanoseconds; 0 means no limit.
    pub(crate) max_wrapping_ttl: i64,
    pub(crate) mfa: bool,
    pub(crate) control_group: bool,
    /// The largest `limit` of a list; 0 means no limit.
    pub(crate) pagination_limit: i64,
    /// The earliest expiration of its blocks.
    pub(crate) expires: Option<Timestamp>,
    /// The merged blocks; at least one, in the order of the policies.
    pub(crate) blocks: Vec<BlockId>,
    /// The first block that denies.
    pub(crate) denying: Option<BlockId>,
}

/// An action of another person that an allowed request requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredApproval {
    /// A person must confirm (`mfa_methods`).
    Confirmation,
    /// Other people must approve (`control_group`).
    Approval,
}

impl fmt::Display for RequiredApproval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Confirmation => "a confirmation by a person (mfa_methods)",
            Self::Approval => "an approval by other people (control_group)",
        })
    }
}

impl Rule {
    /// The pattern, as a policy of the root namespace writes it.
    pub fn pattern(&self) -> String {
        self.pattern.to_policy_text()
    }

    /// Whether the pattern can match more than one path.
    pub fn is_wildcard(&self) -> bool {
        self.pattern.is_wildcard()
    }

    /// The capabilities that it grants.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The merged blocks; at least one, in the order of the policies.
    pub fn blocks(&self) -> &[BlockId] {
        &self.blocks
    }

    /// The action of another person that a request requires.
    pub fn required_approval(&self) -> Option<RequiredApproval> {
        match self {
            Self { mfa: true, .. } => Some(RequiredApproval::Confirmation),
            Self { control_group: true, .. } => Some(RequiredApproval::Approval),
            _ => None,
        }
    }

    /// The time at which the first of its blocks expires (OpenBao).
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// Makes the rule of a single block.
    pub(crate) fn new(pattern: Pattern, block: &Block, id: BlockId, dialect: Dialect) -> Self {
        let denies = block.capabilities.contains_deny();
        let unless_denied = |parameters: &Option<Parameters>| {
            if denies { None } else { parameters.clone() }
        };
        Self {
            pattern,
            capabilities: block.capabilities,
            allowed: unless_denied(&block.allowed),
            denied: unless_denied(&block.denied),
            colliding: block.colliding.clone(),
            required: block.required.iter().cloned().collect(),
            min_wrapping_ttl: block.min_wrapping_ttl,
            max_wrapping_ttl: block.max_wrapping_ttl,
            mfa: !block.mfa.is_empty(),
            control_group: block.control_group,
            pagination_limit: block.pagination_limit,
            expires: block.expires.filter(|_| dialect.is_openbao()),
            blocks: vec![id],
            denying: Some(id).filter(|_| denies),
        }
    }

    /// Merges another block of the same pattern.
    pub(crate) fn merge(&mut self, block: &Block, id: BlockId, dialect: Dialect) {
        self.blocks.push(id);
        if dialect.is_openbao() {
            self.expires = self.expires.into_iter().chain(block.expires).min();
        }
        if self.capabilities.contains_deny() {
            return;
        }
        if block.capabilities.contains_deny() {
            self.denying = Some(id);
            self.capabilities = [Capability::Deny].into_iter().collect();
            (self.allowed, self.denied) = (None, None);
            return;
        }
        self.capabilities = self.capabilities.union(block.capabilities);
        let larger = dialect == Dialect::RustyVault;
        self.min_wrapping_ttl =
            merge_wrap_ttl(self.min_wrapping_ttl, block.min_wrapping_ttl, larger);
        self.max_wrapping_ttl =
            merge_wrap_ttl(self.max_wrapping_ttl, block.max_wrapping_ttl, larger);
        merge_parameters(&mut self.allowed, block.allowed.as_ref());
        merge_parameters(&mut self.denied, block.denied.as_ref());
        self.colliding.extend(block.colliding.iter().cloned());
        self.required.extend(block.required.iter().cloned());
        self.mfa |= !block.mfa.is_empty();
        self.control_group |= block.control_group;
        self.pagination_limit = merge_limit(self.pagination_limit, block.pagination_limit, false);
    }
}

/// Merges two wrapping TTLs: the shorter one; a negative one is kept.
fn merge_wrap_ttl(ours: i64, theirs: i64, larger: bool) -> i64 {
    if ours < 0 && !larger { ours } else { merge_limit(ours, theirs, larger) }
}

/// Merges two limits: the smaller one that is set; for RustyVault the larger one.
fn merge_limit(ours: i64, theirs: i64, larger: bool) -> i64 {
    match (ours > 0, theirs > 0) {
        (_, false) => ours,
        (false, true) => theirs,
        (true, true) if larger => ours.max(theirs),
        (true, true) => ours.min(theirs),
    }
}

/// Merges keys and their values. A key without values means any value, also after the merge.
fn merge_parameters(ours: &mut Option<Parameters>, theirs: Option<&Parameters>) {
    let Some(theirs) = theirs.filter(|parameters| !parameters.is_empty()) else { return };
    let Some(ours) = ours else {
        *ours = Some(theirs.clone());
        return;
    };
    for (key, values) in theirs {
        match ours.get_mut(key) {
            None => {
                ours.insert(key.clone(), values.clone());
            }
            Some(any) if any.is_empty() || values.is_empty() => any.clear(),
            Some(known) => known.extend(values.iter().cloned()),
        }
    }
}
