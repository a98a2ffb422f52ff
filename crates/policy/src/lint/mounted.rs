//! Lints that depend on the engine of the mount.

use envlock_report::{Code, Finding, Level};

use super::{LintContext, Sink};
use crate::block::Block;
use crate::capability::Capability;
use crate::write::kv2_path_blocks;

pub(super) fn check(block: &Block, context: &LintContext, sink: &mut Sink<'_>) {
    let pattern = block.pattern.trim_start_matches('/');
    let known = context.mounts.find(pattern);
    if context.mounts.is_logical_kv2_path(pattern) {
        logical_path(block, context, sink);
        return;
    }
    let lists = [Capability::List, Capability::Scan];
    if !lists.iter().any(|list| block.capabilities.contains(*list)) {
        return;
    }
    let message = "grants list on data/, where kv2 has no list operation";
    match known {
        Some(found) if found.is_kv2 => {
            let Some(below) = found.below.strip_prefix("data/") else { return };
            let fix = kv2_path_blocks(found.mount, below, block.capabilities);
            let help = format!("grant list on \"{}/metadata/{below}\"", found.mount);
            sink.warn_with_fix(Code::ListOnData, block, message, &help, Some(fix));
        }
        None if pattern.split('/').nth(1) == Some("data") => {
            let other = block.pattern.replacen("/data", "/metadata", 1);
            let help = format!("if the mount is kv2, grant list on \"{other}\" instead");
            sink.warn_block(Code::ListOnData, block, message, &help);
        }
        _ => {}
    }
}

/// Reports a rule on the logical path of a kv2 secret, where kv2 serves nothing.
fn logical_path(block: &Block, context: &LintContext, sink: &mut Sink<'_>) {
    let Some(found) = context.mounts.find(&block.pattern) else { return };
    if block.capabilities.is_empty() {
        return;
    }
    let denies = block.capabilities.contains_deny();
    let verb = if denies { "denies" } else { "grants" };
    let message = format!(
        "path \"{}\" {verb} nothing: the mount {} is kv2, which serves secrets under data/ and \
         metadata/",
        block.pattern, found.mount
    );
    let mut fix = kv2_path_blocks(found.mount, found.below, block.capabilities);
    if let Some(parent) = found.below.strip_suffix("/*").filter(|_| denies) {
        fix.push('\n');
        fix.push_str(&kv2_path_blocks(found.mount, parent, block.capabilities));
    }
    let help = format!("write \"{}/data/{}\"", found.mount, found.below);
    let finding = Finding::new(Code::Kv2DataPath, message).at_level(Level::Warning);
    let finding = finding.about_policy(sink.policy).at(block.pos.place(sink.file)).with_help(help);
    sink.push(if sink.is_safe(block, &fix) { finding.with_fix(fix) } else { finding });
}
