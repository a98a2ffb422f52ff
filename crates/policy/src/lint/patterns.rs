//! Lints for labels and patterns.

use envlock_report::Code;
use std::collections::HashSet;

use super::{LintContext, Sink};
use crate::block::Block;
use crate::capability::{Capabilities, Capability};
use crate::document::Policy;
use crate::write::path_block;

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

/// Reports patterns that probably don't match what was meant.
pub(super) fn check(block: &Block, sink: &mut Sink<'_>) {
    let pattern = block.pattern.as_str();
    let bare = pattern.trim_start_matches('/');
    let fix = || Some(path_block(bare, block.capabilities)).filter(|_| !bare.is_empty());
    if pattern.starts_with("//") {
        let message = "never matches: the servers remove only one leading slash";
        let help = "write it without leading slashes";
        sink.warn_with_fix(Code::DoubleSlash, block, message, help, fix());
    } else if pattern.starts_with('/') {
        let message =
            "begins with a slash, which the servers remove: the path of a request has none";
        let help = "write it without the slash";
        sink.warn_with_fix(Code::LeadingSlash, block, message, help, fix());
    }
    wildcards(block, sink);
    let everything = matches!(bare, "*" | "+/*");
    if everything && !block.capabilities.is_empty() && !block.capabilities.contains_deny() {
        let message = "grants on every path, sys/ and auth/ included";
        sink.warn_block(
            Code::GrantsEverything,
            block,
            message,
            "name the mounts that are intended",
        );
    }
    final_slash(block, sink);
}

/// Reports rules on a path that ends in a slash, which only LIST requests have.
fn final_slash(block: &Block, sink: &mut Sink<'_>) {
    let pattern = block.pattern.as_str();
    let Some(bare) = pattern.strip_suffix('/').filter(|bare| !bare.is_empty()) else { return };
    let wildcard = pattern.contains('*') || pattern.contains("/+/") || pattern.starts_with("+/");
    let of = |all: &[Capability]| -> Capabilities { all.iter().copied().collect() };
    let writes = of(&[Capability::Create, Capability::Update, Capability::Patch]);
    let lists = of(&[Capability::List, Capability::Scan, Capability::Deny]);
    let has = |some: Capabilities| block.capabilities.difference(some) != block.capabilities;
    // The server's own endpoints may be read with the slash.
    let own = ["sys/", "auth/", "identity/"];
    let own = own.iter().any(|own| pattern.trim_start_matches('/').starts_with(own));
    let help =
        format!("write \"{bare}\" for the path itself, or \"{pattern}*\" for what is below it");
    if has(writes) && !wildcard {
        let message = "grants writing, and no server allows a write to a path that ends in `/`";
        sink.warn_block(Code::WriteToSlash, block, message, &help);
    } else if !wildcard && !own && !block.capabilities.is_empty() && !has(lists) {
        let message = "matches only a path that ends in `/`, which only a LIST request has";
        sink.warn_block(Code::EndsInSlash, block, message, &help);
    }
}

/// Reports a deny on everything below a path, but not on the path. `known` contains every pattern
/// of the policy, without its star. A deny that never decides has its own finding.
pub(super) fn parent_of_deny(
    block: &Block,
    known: &HashSet<&str>,
    context: &LintContext,
    sink: &mut Sink<'_>,
) {
    let Some(bare) = block.pattern.strip_suffix("/*") else { return };
    if !block.capabilities.contains_deny() || bare.is_empty() || known.contains(bare) {
        return;
    }
    // kv2 serves nothing at `data` itself.
    let kv2 =
        context.mounts.find(bare).is_some_and(|found| found.is_kv2 && !found.below.contains('/'));
    if kv2 {
        return;
    }
    let message = format!("has a deny that doesn't cover \"{bare}\" itself");
    let help =
        format!("add path \"{bare}\" {{ capabilities = [\"deny\"] }} if that is intended, too");
    sink.warn_block(Code::DenyLeavesParent, block, &message, &help);
}

/// Reports wildcards that are ordinary characters at their position.
fn wildcards(block: &Block, sink: &mut Sink<'_>) {
    let pattern = block.pattern.as_str();
    let inner = pattern.strip_suffix('*').unwrap_or(pattern);
    let mut warn = |message: &str, help: &str, fixed: Option<String>| {
        let fix = fixed.map(|fixed| path_block(&fixed, block.capabilities));
        sink.warn_with_fix(Code::LiteralWildcard, block, message, help, fix);
    };
    if inner.ends_with('*') && !inner.trim_end_matches('*').contains('*') {
        warn(
            "ends in more than one `*`, and all but the last match only the character `*`",
            "write one `*`, which matches any number of segments",
            Some(format!("{}*", inner.trim_end_matches('*'))),
        );
    } else if inner.contains('*') {
        let last = inner.len() != pattern.len();
        let segments = inner.split('/').map(|segment| if segment == "*" { "+" } else { segment });
        let fixed = segments.collect::<Vec<_>>().join("/") + if last { "*" } else { "" };
        warn(
            "contains a `*` that isn't at its end and matches only the character `*`",
            "write `+` for any one segment",
            Some(fixed).filter(|fixed| !fixed.trim_end_matches('*').contains('*')),
        );
    } else if pattern.split('/').any(|segment| segment.len() > 1 && segment.contains('+')) {
        warn(
            "contains a `+` next to other characters, which matches only the character `+`",
            "`+` is a wildcard only for a whole segment",
            None,
        );
    } else if pattern.contains('?') {
        warn(
            "contains a `?`, which matches only the character `?`",
            "write `+` for a segment, `*` at the end",
            None,
        );
    }
}
