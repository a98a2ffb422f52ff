//! Lints for parameters with an unexpected meaning, and for JSON that servers flatten.

use super::Sink;
use crate::block::Block;
use crate::capability::{Capabilities, Capability};
use crate::json::JsonPitfall;
use envlock_report::Code;
use serde_json::Value;

pub(super) fn check(block: &Block, sink: &mut Sink<'_>) {
    without_effect(block, sink);
    for name in &block.colliding {
        let message = format!(
            "has the parameter \"{name}\" in different letter case, and a server keeps one of them at random"
        );
        let help = "write it once, in lower case, with the values of all of them";
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
                    "has a number in {what} \"{name}\": the servers never find it equal to a number \
                     in a request"
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

/// The names of parameters that reads may have in their query.
const QUERY: [&str; 14] = [
    "after",
    "alt_names",
    "common_name",
    "depth",
    "help",
    "limit",
    "list",
    "role_arn",
    "role_session_name",
    "scan",
    "token_type",
    "ttl",
    "version",
    "*",
];

/// Reports parameters that no operation of the block has. The servers check the query of a read and
/// the body of a write, never the answer, and nothing of a list or a delete.
fn without_effect(block: &Block, sink: &mut Sink<'_>) {
    let of = |all: &[Capability]| -> Capabilities { all.iter().copied().collect() };
    let reads = of(&[Capability::Read, Capability::Recover]);
    let writes = of(&[Capability::Create, Capability::Update, Capability::Patch]);
    let has = |some: Capabilities| block.capabilities.difference(some) != block.capabilities;
    let limits_pages = |name: &&String| block.pagination_limit > 0 && name.as_str() == "limit";
    let keys = [
        ("allowed_parameters", block.allowed.iter().flatten().map(|(name, _)| name).collect()),
        ("denied_parameters", block.denied.iter().flatten().map(|(name, _)| name).collect()),
        (
            "required_parameters",
            block.required.iter().filter(|name| !limits_pages(name)).collect::<Vec<_>>(),
        ),
    ];
    for (key, names) in keys {
        if names.is_empty() || block.capabilities.is_empty() || has(writes) {
            continue;
        }
        if block.capabilities.contains_deny() {
            let message = format!("denies everything, and its {key} are ignored");
            let help = "to deny requests with these parameters only, grant the capabilities instead \
                        of deny";
            sink.warn_block(Code::IgnoredParameters, block, &message, help);
        } else if !has(reads) {
            let message = format!(
                "has {key}, and the servers check parameters of no operation that it grants"
            );
            let help = "remove them: they apply to read, create, update and patch";
            sink.warn_block(Code::IgnoredParameters, block, &message, help);
        } else if let Some(name) = names.iter().find(|name| !QUERY.contains(&name.as_str())) {
            let message = format!(
                "has {key} \"{name}\" and grants only reads: the servers compare the query of a \
                 read, never the keys of the answer"
            );
            let help = "remove them: a rule can't hide a part of what a read returns";
            sink.warn_block(Code::ParametersOnRead, block, &message, help);
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
            JsonPitfall::IgnoredRest(pos) => sink.warn(
                Code::JsonLostValue,
                *pos,
                "the servers don't read what follows the object",
                "write all blocks in one object, or write the policy in HCL",
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
