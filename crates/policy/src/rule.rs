//! What all blocks of one pattern say together.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::block::{Block, Parameters};
use super::capability::{Capabilities, Capability};
use super::dialect::Dialect;
use super::pattern::Pattern;

/// One block of one of the policies, by their indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    pub policy: usize,
    pub block: usize,
}

/// The blocks of one pattern, united.
#[derive(Debug, Clone)]
pub struct Rule {
    pub pattern: Pattern,
    pub capabilities: Capabilities,
    pub allowed: Option<Parameters>,
    pub denied: Option<Parameters>,
    pub required: BTreeSet<String>,
    pub min_wrapping: i64,
    pub max_wrapping: i64,
    pub mfa: bool,
    pub control_group: bool,
    pub pagination: i64,
    /// The earliest end among its blocks.
    pub expires: Option<Timestamp>,
    /// At least one, in the order of the policies.
    pub blocks: Vec<BlockId>,
}

impl Rule {
    /// The rule of a single block.
    pub fn new(pattern: Pattern, block: &Block, id: BlockId, dialect: Dialect) -> Self {
        let denies = block.capabilities.denies();
        let unless_denied = |parameters: &Option<Parameters>| {
            if denies { None } else { parameters.clone() }
        };
        Self {
            pattern,
            capabilities: block.capabilities,
            allowed: unless_denied(&block.allowed),
            denied: unless_denied(&block.denied),
            required: block.required.iter().cloned().collect(),
            min_wrapping: block.min_wrapping,
            max_wrapping: block.max_wrapping,
            mfa: !block.mfa.is_empty(),
            control_group: block.control_group,
            pagination: block.pagination,
            expires: block.expires.filter(|_| dialect == Dialect::OpenBao),
            blocks: vec![id],
        }
    }

    /// Adds another block of the same pattern.
    pub fn merge(&mut self, block: &Block, id: BlockId, dialect: Dialect) {
        self.blocks.push(id);
        if dialect == Dialect::OpenBao {
            self.expires = self.expires.into_iter().chain(block.expires).min();
        }
        if self.capabilities.denies() {
            return;
        }
        if block.capabilities.denies() {
            self.capabilities = [Capability::Deny].into_iter().collect();
            (self.allowed, self.denied) = (None, None);
            return;
        }
        self.capabilities = self.capabilities.union(block.capabilities);
        let larger = dialect == Dialect::RustyVault;
        self.min_wrapping = wrapping(self.min_wrapping, block.min_wrapping, larger);
        self.max_wrapping = wrapping(self.max_wrapping, block.max_wrapping, larger);
        unite(&mut self.allowed, block.allowed.as_ref());
        unite(&mut self.denied, block.denied.as_ref());
        self.required.extend(block.required.iter().cloned());
        self.mfa |= !block.mfa.is_empty();
        self.control_group |= block.control_group;
        self.pagination = bound(self.pagination, block.pagination, false);
    }
}

/// Of two times the shorter; one that is less than nothing stays.
fn wrapping(ours: i64, theirs: i64, larger: bool) -> i64 {
    if ours < 0 && !larger { ours } else { bound(ours, theirs, larger) }
}

/// Of two bounds the smaller that is one; RustyVault takes the larger.
fn bound(ours: i64, theirs: i64, larger: bool) -> i64 {
    match (ours > 0, theirs > 0) {
        (_, false) => ours,
        (false, true) => theirs,
        (true, true) if larger => ours.max(theirs),
        (true, true) => ours.min(theirs),
    }
}

/// Keys are united and their values joined; a key without values means any value, and stays so.
fn unite(ours: &mut Option<Parameters>, theirs: Option<&Parameters>) {
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
