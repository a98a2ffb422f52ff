//! Lint for rules that cover only protected endpoints and don't grant `sudo`.

use std::collections::HashSet;

use envlock_report::Code;

use super::Sink;
use crate::block::Block;
use crate::capability::Capability;
use crate::dialect::{Dialect, DialectSet};
use crate::document::Policy;
use crate::protected::is_all_protected;

/// The patterns of blocks that grant `sudo`. The servers merge the blocks of one pattern.
pub(super) fn patterns_with_sudo(policy: &Policy) -> HashSet<&str> {
    let with_sudo =
        policy.blocks.iter().filter(|block| block.capabilities.contains(Capability::Sudo));
    with_sudo.map(|block| block.pattern.as_str()).collect()
}

/// `with_sudo` is from [`patterns_with_sudo`].
pub(super) fn check(block: &Block, with_sudo: &HashSet<&str>, sink: &mut Sink<'_>) {
    let granted = block.capabilities;
    let refused = granted.is_empty() || granted.contains_deny();
    if refused || with_sudo.contains(block.pattern.as_str()) {
        return;
    }
    let lists = granted.contains(Capability::List);
    let servers: DialectSet = Dialect::PORTABLE
        .into_iter()
        .filter(|dialect| is_all_protected(*dialect, &block.pattern, lists))
        .collect();
    let where_protected = if servers.iter().count() == Dialect::PORTABLE.len() {
        String::new()
    } else {
        format!(" on {servers}")
    };
    if !servers.is_empty() {
        let message = format!(
            "grants {granted} on a protected endpoint, which also requires sudo{where_protected}"
        );
        let help = "add \"sudo\" to the capabilities, or remove the block";
        sink.warn_block(Code::SudoMissing, block, &message, help);
    }
}
