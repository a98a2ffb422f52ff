//! A policy in JSON, made into the body that the servers make of it.
//!
//! They flatten it in ways that surprise: the traps are kept, so that a lint can name them.

use super::body::{Body, Item, Value, What, Word};
use super::error::{Fault, PolicyError};
use envlock_text::tree::{Entry, Kind, Node, parse_json};
use envlock_text::{self as text, Pos, limits::MANIFEST};

/// What a JSON policy says other than its author thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trap {
    /// `true` or `false` in a list: it isn't there for the server.
    Vanished(Pos),
    /// A block whose members are all objects is taken for labels.
    Flattened(Pos),
}

/// The items of a policy written in JSON, and its traps.
pub(crate) fn parse(file: &str, text: &str) -> Result<(Body, Vec<Trap>), PolicyError> {
    let root = parse_json(file, text, &MANIFEST).map_err(|error| {
        let fault = match error.fault {
            text::Fault::TooDeep(_) => Fault::TooDeep,
            text::Fault::TooMany(_) => Fault::TooMany,
            other => Fault::Json(other.to_string()),
        };
        PolicyError { place: error.place, fault }
    })?;
    let mut traps = Vec::new();
    if let Some(pos) = list_in_list(&root) {
        let what = "a list inside a list: to the servers its end is that of the outer one, and \
                    what follows is lost";
        return Err(Fault::Json(what.to_owned()).at(file, pos));
    }
    let Kind::Map(entries) = root.kind else {
        return Err(Fault::Json("the policy isn't an object".to_owned()).at(file, root.start));
    };
    let body = flatten(&entries, 0, &mut traps);
    Ok((body, traps))
}

/// The first list inside a list. A server takes it, and reads something else.
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

/// Objects whose members are all objects become labels; lists of objects become repetition.
fn flatten(entries: &[Entry], level: usize, traps: &mut Vec<Trap>) -> Body {
    let mut items = Vec::new();
    for entry in entries {
        let key = Word { text: entry.name().to_owned(), pos: entry.pos() };
        spread(vec![key], &entry.value, level, &mut items, traps);
    }
    Body { items }
}

fn spread(keys: Vec<Word>, node: &Node, level: usize, out: &mut Vec<Item>, traps: &mut Vec<Trap>) {
    match &node.kind {
        Kind::Map(members) if !members.is_empty() && members.iter().all(|m| is_map(&m.value)) => {
            if level == 0 && keys.len() > 1 {
                traps.push(Trap::Flattened(node.start));
            }
            for member in members {
                let mut keys = keys.clone();
                keys.push(Word { text: member.name().to_owned(), pos: member.pos() });
                spread(keys, &member.value, level, out, traps);
            }
        }
        Kind::List(list) if kept(list).count() > 0 && kept(list).all(is_map) => {
            for node in kept(list) {
                spread(keys.clone(), node, level, out, traps);
            }
        }
        _ => {
            let value = value(node, level, traps);
            out.push(Item { keys, value });
        }
    }
}

fn is_map(node: &Node) -> bool {
    matches!(node.kind, Kind::Map(_))
}

/// The members of a list that the server keeps.
fn kept(list: &[Node]) -> impl Iterator<Item = &Node> {
    list.iter().filter(|node| node.boolean().is_none())
}

fn value(node: &Node, level: usize, traps: &mut Vec<Trap>) -> Value {
    let what = match &node.kind {
        Kind::Map(entries) => What::Body(flatten(entries, level + 1, traps)),
        Kind::List(items) => {
            let gone = items.iter().filter(|node| node.boolean().is_some());
            traps.extend(gone.map(|node| Trap::Vanished(node.start)));
            What::List(kept(items).map(|item| value(item, level, traps)).collect())
        }
        Kind::Scalar { text, plain: false } => What::Text(text.clone()),
        Kind::Scalar { .. } if node.is_null() => What::Text(String::new()),
        Kind::Scalar { text, .. } => match node.boolean() {
            Some(flag) => What::Bool(flag),
            None => What::Number(text.clone()),
        },
    };
    Value { pos: node.start, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_of_two_equal_keys_become_blocks_and_traps_are_named() {
        let text =
            r#"{"path": {"a": {"capabilities": ["read"]}, "a": {"capabilities": ["list", true]}}}"#;
        let (body, traps) = parse("p.json", text).unwrap();
        assert_eq!(body.items.len(), 2);
        assert_eq!(traps, [Trap::Vanished(Pos { line: 1, column: 75 })]);
        let flat = r#"{"path": {"a": {"allowed_parameters": {"b": ["x"]}}}}"#;
        let (body, traps) = parse("p.json", flat).unwrap();
        assert_eq!(body.items[0].keys.len(), 3);
        assert_eq!(traps.len(), 1);
    }
}
