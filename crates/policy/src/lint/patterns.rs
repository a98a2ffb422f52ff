//! Lints for labels and patterns.

use envlock_report::Code;
use std::collections::HashSet;

use super::Sink;
use crate::block::Block;
use crate::capability::{Capabilities, Capability};
use crate::document::Policy;

/// Reports blocks without a label, and with two.
pub(super) fn labels(policy: &Policy, sink: &mut Sink<'_>) {
    for item in policy.body.items.iter().filter(|item| item.name() == "path") {
        match item.keys.as_slice() {
            [only] => sink.warn(
                Code::UnlabelledPath,
                only.pos,
                "a path block without a label is a rule on the path named `path`",
                "write path \"the/path\" { … }",
            ),
            [_, _, second, ..] => sink.warn(
                Code::SecondLabel,
                second.pos,
                &format!("the second label \"{}\" is ignored", second.text),
                "write a path block for each path",
            ),
            _ => {}
        }
    }
}

/// Reports patterns that probably don't match what was meant. `known` contains every pattern of the
/// policy, without its star.
pub(super) fn check(block: &Block, known: &HashSet<&str>, sink: &mut Sink<'_>) {
    let pattern = block.pattern.as_str();
    if pattern.starts_with("//") {
        let message = "never matches: the servers remove only one leading slash";
        sink.warn_block(Code::DoubleSlash, block, message, "write it without leading slashes");
    }
    wildcards(block, sink);
    let everything = matches!(pattern.trim_start_matches('/'), "*" | "+/*");
    if everything && !block.capabilities.is_empty() && !block.capabilities.contains_deny() {
        let message = "grants on every path, sys/ and auth/ included";
        sink.warn_block(
            Code::GrantsEverything,
            block,
            message,
            "name the mounts that are intended",
        );
    }
    if block.capabilities.contains_deny()
        && pattern.ends_with("/*")
        && !known.contains(&pattern[..pattern.len() - 2])
    {
        let bare = &pattern[..pattern.len() - 2];
        let message = format!("denies everything below \"{bare}\", but not \"{bare}\" itself");
        let help =
            format!("add path \"{bare}\" {{ capabilities = [\"deny\"] }} if that is intended, too");
        sink.warn_block(Code::DenyLeavesParent, block, &message, &help);
    }
    let writes: Capabilities =
        [Capability::Create, Capability::Update, Capability::Patch].into_iter().collect();
    let wildcard = pattern.contains('*') || pattern.contains("/+/") || pattern.ends_with("/+");
    if pattern.ends_with('/')
        && !wildcard
        && block.capabilities.difference(writes) != block.capabilities
    {
        let message = "grants writing, and no server allows a write to a path that ends in `/`";
        sink.warn_block(Code::WriteToSlash, block, message, "write it without the final slash");
    }
    let on_data = pattern.trim_start_matches('/').split('/').nth(1) == Some("data");
    if on_data && block.capabilities.contains(Capability::List) {
        let message = "grants list on data/, where kv2 has no list operation";
        let help =
            format!("grant list on \"{}\" instead", pattern.replacen("/data", "/metadata", 1));
        sink.warn_block(Code::ListOnData, block, message, &help);
    }
}

/// Reports wildcards that are ordinary characters at their position.
fn wildcards(block: &Block, sink: &mut Sink<'_>) {
    let pattern = block.pattern.as_str();
    let inner = pattern.strip_suffix('*').unwrap_or(pattern);
    if inner.contains('*') {
        let message = "contains a `*` that isn't at its end and matches only the character `*`";
        sink.warn_block(Code::LiteralWildcard, block, message, "write `+` for any one segment");
    } else if pattern.split('/').any(|segment| segment.len() > 1 && segment.contains('+')) {
        let message =
            "contains a `+` next to other characters, which matches only the character `+`";
        sink.warn_block(
            Code::LiteralWildcard,
            block,
            message,
            "`+` is a wildcard only for a whole segment",
        );
    } else if pattern.contains('?') {
        let message = "contains a `?`, which matches only the character `?`";
        sink.warn_block(
            Code::LiteralWildcard,
            block,
            message,
            "write `+` for a segment, `*` at the end",
        );
    }
}
