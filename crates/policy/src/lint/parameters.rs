//! Lints for parameters with an unexpected meaning, and for JSON that servers flatten.

use super::Sink;
use crate::block::Block;
use crate::json::JsonPitfall;
use envlock_report::Code;
use serde_json::Value;

pub(super) fn check(block: &Block, sink: &mut Sink<'_>) {
    for name in &block.colliding {
        let message = format!(
            "has the parameter \"{name}\" in several spellings, and a server keeps one of them at random"
        );
        let help = "write it once, in lower case, with the values of all spellings";
        sink.warn_block(Code::ParameterSpellings, block, &message, help);
    }
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
            if values.iter().any(has_number) {
                let message = format!(
                    "has a number in {what} \"{name}\", which equals no number of a request"
                );
                let help = "the servers can't compare numbers: write [] for any value";
                sink.warn_block(Code::NumberNeverEqual, block, &message, help);
            }
            if name == "*" && !values.is_empty() {
                let message = format!("has values for the key \"*\" of {what}, which are ignored");
                sink.warn_block(Code::StarKeyValues, block, &message, "write \"*\" = []");
            }
        }
    }
}

/// Whether a value is a number or contains one.
fn has_number(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::Array(items) => items.iter().any(has_number),
        Value::Object(members) => members.values().any(has_number),
        _ => false,
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
