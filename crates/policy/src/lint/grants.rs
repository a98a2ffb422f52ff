//! Lints for capabilities that have no effect, or an unexpected one.

use envlock_report::Code;
use jiff::Timestamp;

use super::Sink;
use crate::block::Block;
use crate::capability::Capability;
use crate::hcl_body::{Item, ValueKind};

pub(super) fn check(block: &Block, item: &Item, now: Timestamp, sink: &mut Sink<'_>) {
    if block.capabilities.is_empty() {
        let message = "grants nothing, and still overrides every less specific rule";
        let help = "write capabilities = [\"deny\"] if that is intended, or remove the block";
        sink.warn_block(Code::GrantsNothing, block, message, help);
    }
    let only_sudo = block.capabilities.iter().eq([Capability::Sudo]);
    if only_sudo {
        let message = "grants sudo alone, which allows no operation";
        sink.warn_block(
            Code::SudoWithoutCapability,
            block,
            message,
            "add the capability of the operation",
        );
    }
    if block.expires.is_some_and(|end| now > end) {
        let message = "has expired: OpenBao reads the policy as if the block weren't there";
        sink.warn_block(Code::ExpiredBlock, block, message, "remove it, or set a later expiration");
    }
    let ValueKind::Body(body) = &item.value.kind else { return };
    for item in &body.items {
        match item.name() {
            "policy" => {
                let help = "write the capabilities out; the shorthand has neither patch nor scan";
                let message = "uses the shorthand `policy`, which the servers no longer document";
                sink.warn(
                    Code::PolicyShorthand,
                    item.pos(),
                    &format!("path \"{}\" {message}", block.pattern),
                    help,
                );
            }
            "capabilities" => discarded(block, item, sink),
            _ => {}
        }
    }
}

/// Capabilities in one list with `deny` are ignored.
fn discarded(block: &Block, item: &Item, sink: &mut Sink<'_>) {
    let ValueKind::List(words) = &item.value.kind else { return };
    let denies = words.iter().any(|word| word.as_text() == Some("deny"));
    if denies && words.len() > 1 {
        let message = format!(
            "path \"{}\" contains deny, and its other capabilities are ignored",
            block.pattern
        );
        sink.warn(Code::DenyDiscards, item.pos(), &message, "write deny alone, or remove it");
    }
}
