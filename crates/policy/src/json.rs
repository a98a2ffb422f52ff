//! Reads a policy in JSON into the same body as the servers do.
//!
//! The servers flatten JSON in unexpected ways. Such parts are kept as pitfalls for the lint.

use super::body::{Body, Identifier, Item, Value, ValueKind};
use super::error::{PolicyError, PolicyErrorKind};
use envlock_text::tree::{Entry, Kind, Node, parse_json};
use envlock_text::{self as text, Pos, limits::MANIFEST};

/// A part of a JSON policy that the servers read differently than it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonPitfall {
    /// `true` or `false` in a list: the servers ignore it.
    DroppedBoolean(Pos),
    /// A block whose members are all objects: the servers read its keys as labels.
    FlattenedObject(Pos),
}

/// Parses a policy written in JSON, with its pitfalls.
pub(crate) fn parse(file: &str, text: &str) -> Result<(Body, Vec<JsonPitfall>), PolicyError> {
    let root = parse_json(file, text, &MANIFEST).map_err(|error| {
        let kind = match error.fault {
            text::Fault::TooDeep(_) => PolicyErrorKind::TooDeep,
            text::Fault::TooMany(_) => PolicyErrorKind::TooMany,
            other => PolicyErrorKind::InvalidJson(other.to_string()),
        };
        PolicyError { place: error.place, kind }
    })?;
    let mut json_pitfalls = Vec::new();
    if let Some(pos) = list_in_list(&root) {
        let reason = "a list inside a list: to the servers its end is that of the outer one, and \
                    what follows is lost";
        return Err(PolicyErrorKind::InvalidJson(reason.to_owned()).at(file, pos));
    }
    let Kind::Map(entries) = root.kind else {
        return Err(PolicyErrorKind::InvalidJson("the policy isn't an object".to_owned())
            .at(file, root.start));
    };
    let body = flatten(&entries, 0, &mut json_pitfalls);
    Ok((body, json_pitfalls))
}

/// Finds the first list inside a list. A server accepts it, and reads something else.
fn list_in_list(node: &Node) -> Option<Pos> {
    match &node.kind {
        Kind::Map(members) => members.iter().find_map(|member| list_in_list(&member.value)),
        Kind::List(items) => {
            let inner = items.iter().find(|item| item.items().is_some());
            inner.map(|item| item.start).or_else(|| items.iter().find_map(list_in_list))
        }
        Kind::Scalar { .. } => None,
    }
}

/// Flattens as the servers do: an object whose members are all objects becomes labels, and a list
/// of objects becomes repeated items.
fn flatten(entries: &[Entry], level: usize, json_pitfalls: &mut Vec<JsonPitfall>) -> Body {
    let mut items = Vec::new();
    for entry in entries {
        let key = Identifier { text: entry.name().to_owned(), pos: entry.pos() };
        spread(vec![key], &entry.value, level, &mut items, json_pitfalls);
    }
    Body { items }
}

fn spread(
    keys: Vec<Identifier>,
    node: &Node,
    level: usize,
    out: &mut Vec<Item>,
    json_pitfalls: &mut Vec<JsonPitfall>,
) {
    match &node.kind {
        Kind::Map(members) if !members.is_empty() && members.iter().all(|m| is_map(&m.value)) => {
            if level == 0 && keys.len() > 1 {
                json_pitfalls.push(JsonPitfall::FlattenedObject(node.start));
            }
            for member in members {
                let mut keys = keys.clone();
                keys.push(Identifier { text: member.name().to_owned(), pos: member.pos() });
                spread(keys, &member.value, level, out, json_pitfalls);
            }
        }
        Kind::List(list) if kept(list).count() > 0 && kept(list).all(is_map) => {
            for node in kept(list) {
                spread(keys.clone(), node, level, out, json_pitfalls);
            }
        }
        _ => {
            let value = value(node, level, json_pitfalls);
            out.push(Item { keys, value });
        }
    }
}

fn is_map(node: &Node) -> bool {
    matches!(node.kind, Kind::Map(_))
}

/// The members of a list that the servers keep.
fn kept(list: &[Node]) -> impl Iterator<Item = &Node> {
    list.iter().filter(|node| node.boolean().is_none())
}

fn value(node: &Node, level: usize, json_pitfalls: &mut Vec<JsonPitfall>) -> Value {
    let kind = match &node.kind {
        Kind::Map(entries) => ValueKind::Body(flatten(entries, level + 1, json_pitfalls)),
        Kind::List(items) => {
            let booleans = items.iter().filter(|node| node.boolean().is_some());
            json_pitfalls.extend(booleans.map(|node| JsonPitfall::DroppedBoolean(node.start)));
            ValueKind::List(kept(items).map(|item| value(item, level, json_pitfalls)).collect())
        }
        Kind::Scalar { text, plain: false } => ValueKind::Text(text.clone()),
        Kind::Scalar { .. } if node.is_null() => ValueKind::Text(String::new()),
        Kind::Scalar { text, .. } => match node.boolean() {
            Some(flag) => ValueKind::Bool(flag),
            None => ValueKind::Number(text.clone()),
        },
    };
    Value { pos: node.start, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_of_two_equal_keys_become_blocks_and_pitfalls_are_reported() {
        let text =
            r#"{"path": {"a": {"capabilities": ["read"]}, "a": {"capabilities": ["list", true]}}}"#;
        let (body, json_pitfalls) = parse("p.json", text).unwrap();
        assert_eq!(body.items.len(), 2);
        assert_eq!(json_pitfalls, [JsonPitfall::DroppedBoolean(Pos { line: 1, column: 75 })]);
        let flat = r#"{"path": {"a": {"allowed_parameters": {"b": ["x"]}}}}"#;
        let (body, json_pitfalls) = parse("p.json", flat).unwrap();
        assert_eq!(body.items[0].keys.len(), 3);
        assert_eq!(json_pitfalls.len(), 1);
    }
}
