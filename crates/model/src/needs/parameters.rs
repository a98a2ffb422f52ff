//! Reads `parameters` and `wrap_ttl` of a need: what the job's requests contain.

use envlock_policy::{DeclaredParameters, Engine, is_secret_parameter};
use envlock_report::{Code, Fields};
use envlock_text::tree::{Kind, Node};

use super::validate;

/// Reads `parameters`. `None` if the key is missing, so that nothing is known; an empty mapping means
/// that the job sends only what the engine demands.
pub(super) fn read(fields: &mut Fields<'_, '_>, engine: Engine) -> Option<DeclaredParameters> {
    let node = fields.get("parameters")?;
    let mut declared = DeclaredParameters::new();
    if !node.is_null() {
        for entry in fields.entries_of("parameters", "`parameters`") {
            fields.check_key(entry, "the name of a parameter", validate::parameter);
            let known = value(fields, engine, entry.name(), &entry.value);
            declared.insert(entry.name().to_owned(), known);
        }
    }
    Some(declared)
}

/// Reads a value; an empty one isn't known.
fn value(
    fields: &mut Fields<'_, '_>,
    engine: Engine,
    name: &str,
    node: &Node,
) -> Option<serde_json::Value> {
    if node.is_null() {
        return None;
    }
    let stored = matches!(engine, Engine::Kv1 | Engine::Cubbyhole);
    if stored || is_secret_parameter(name) {
        let message = format!("the value of the parameter `{name}` may be a secret");
        let finding = fields.finding(Code::ValueInManifest, message, node.start);
        fields.mistakes.push(finding.with_help(format!(
            "write `{name}:` without a value: it means that the job sends it; if the file contained \
             a secret, it may be in git: revoke it"
        )));
        return None;
    }
    let is_scalar = |node: &Node| matches!(node.kind, Kind::Scalar { .. });
    let plain = is_scalar(node) || node.items().is_some_and(|items| items.iter().all(is_scalar));
    if !plain {
        fields.add_wrong_type(name, "a text, a number, true, false or a list of them", node);
        return None;
    }
    Some(node.to_json())
}
