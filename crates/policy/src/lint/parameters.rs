//! Lints for parameters with an unexpected meaning, and for JSON that servers flatten.

use super::Sink;
use crate::block::Block;
use crate::json::JsonPitfall;
use envlock_report::Code;

pub(super) fn check(block: &Block, sink: &mut Sink<'_>) {
    for (what, parameters) in
        [("allowed_parameters", &block.allowed), ("denied_parameters", &block.denied)]
    {
        for (name, values) in parameters.iter().flatten() {
            if values.iter().any(|value| value.as_str() == Some("*")) {
                let message =
                    format!("has {what} \"{name}\" = [\"*\"], which matches only the value `*`");
                let help = "write [] for any value, or [\"**\"] for any text";
                sink.warn_block(Code::LiteralStarValue, block, &message, help);
            }
            if name == "*" && !values.is_empty() {
                let message = format!("has values for the key \"*\" of {what}, which are ignored");
                sink.warn_block(Code::StarKeyValues, block, &message, "write \"*\" = []");
            }
        }
    }
}

/// Reports the parts of JSON that servers read differently than they look.
pub(super) fn json_pitfalls(json_pitfalls: &[JsonPitfall], sink: &mut Sink<'_>) {
    for trap in json_pitfalls {
        match trap {
            JsonPitfall::DroppedBoolean(pos) => sink.warn(
                Code::JsonLostValue,
                *pos,
                "the servers drop true and false from a list of JSON; an empty list means any value",
                "write the policy in HCL",
            ),
            JsonPitfall::FlattenedObject(pos) => sink.warn(
                Code::JsonFlattened,
                *pos,
                "the servers read a block of JSON whose members are all objects as labels",
                "add \"capabilities\", or write the policy in HCL",
            ),
        }
    }
}
