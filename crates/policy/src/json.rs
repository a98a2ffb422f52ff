//! Reads a policy in JSON into the same body as the servers do.
//!
//! The servers flatten JSON in unexpected ways. Such parts are kept as pitfalls for the lint.

use std::collections::HashSet;

use super::error::{PolicyError, PolicyErrorKind};
use super::hcl_body::{HclBody, Identifier, Item, Value, ValueKind};
use envlock_text::tree::{Entry, Kind, Node, parse_json_policy};
use envlock_text::{self as text, Pos, limits::MANIFEST};

/// A part of a JSON policy that the servers read differently than it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonPitfall {
    /// `true` or `false` in a list: the servers ignore it.
    DroppedBoolean(Pos),
    /// A block whose members are all objects: the servers read its keys as labels.
    FlattenedObject(Pos),
    /// Text after the object, which the servers don't read.
    IgnoredRest(Pos),
}

/// Parses a policy written in JSON, with its pitfalls.
pub(crate) fn parse(file: &str, text: &str) -> Result<(HclBody, Vec<JsonPitfall>), PolicyError> {
    let (root, rest) = parse_json_policy(file, text, &MANIFEST).map_err(|error| {
        let kind = match error.fault {
            text::Fault::TooDeep(_) => PolicyErrorKind::TooDeep,
            text::Fault::TooMany(_) => PolicyErrorKind::TooMany,
            other => PolicyErrorKind::InvalidJson(other.to_string()),
        };
        PolicyError { place: error.place, kind }
    })?;
    if let Some(pos) = null_in_list(&root) {
        return Err(PolicyErrorKind::NullInList.at(file, pos));
    }
    let Escapes { slash, surrogates } = Escapes::find(&text[..text.len() - rest.len()]);
    let ignored = (!rest.trim().is_empty()).then_some(JsonPitfall::IgnoredRest(root.end));
    if let Some(pos) = slash {
        return Err(PolicyErrorKind::BadEscape.at(file, pos));
    }
    if let Some(pos) = list_in_list(&root) {
        let reason = "a list inside a list: to the servers its end is that of the outer one, and \
                    what follows is lost";
        return Err(PolicyErrorKind::InvalidJson(reason.to_owned()).at(file, pos));
    }
    let Kind::Map(entries) = root.kind else {
        return Err(PolicyErrorKind::InvalidJson("the policy isn't an object".to_owned())
            .at(file, root.start));
    };
    if let Some(pos) = entries.iter().find_map(|entry| decoded_escape(entry, &surrogates)) {
        return Err(PolicyErrorKind::SurrogateEscape.at(file, pos));
    }
    let pitfalls = ignored.into_iter().collect();
    let mut flattener = Flattener { pitfalls, keys: 0, bytes: 0 };
    match flattener.body(&entries, 0) {
        Ok(body) => Ok((body, flattener.pitfalls)),
        Err(pos) => Err(PolicyErrorKind::TooMany.at(file, pos)),
    }
}

/// The escapes that JSON has and the servers can't read.
#[derive(Default)]
struct Escapes {
    /// The first text with `\/`.
    slash: Option<Pos>,
    /// The texts with an escaped surrogate.
    surrogates: HashSet<Pos>,
}

impl Escapes {
    /// Finds them in valid JSON.
    fn find(text: &str) -> Self {
        let mut escapes = Self::default();
        if !text.contains('\\') {
            return escapes;
        }
        let (mut pos, mut start, mut rest) = (Pos::START, None, text.chars());
        while let Some(c) = rest.next() {
            match (c, start) {
                ('"', None) => start = Some(pos),
                ('"', Some(_)) => start = None,
                ('\\', Some(start)) => {
                    let after = rest.as_str();
                    if after.starts_with('/') {
                        escapes.slash.get_or_insert(start);
                    }
                    let code = after.strip_prefix('u').and_then(|code| code.get(..4));
                    let code = code.and_then(|code| u16::from_str_radix(code, 16).ok());
                    if code.is_some_and(|code| (0xD800..0xE000).contains(&code)) {
                        escapes.surrogates.insert(start);
                    }
                    rest.next();
                    pos.column += 1;
                }
                _ => {}
            }
            pos = match c {
                '\n' => Pos { line: pos.line + 1, column: 1 },
                _ => Pos { column: pos.column + 1, ..pos },
            };
        }
        escapes
    }
}

/// Finds a text with an escaped surrogate that the servers decode. They never decode a comment.
fn decoded_escape(entry: &Entry, escaped: &HashSet<Pos>) -> Option<Pos> {
    fn in_value(node: &Node, escaped: &HashSet<Pos>) -> Option<Pos> {
        match &node.kind {
            Kind::Map(members) => members.iter().find_map(|member| decoded_escape(member, escaped)),
            Kind::List(items) => items.iter().find_map(|item| in_value(item, escaped)),
            Kind::Scalar { .. } => Some(node.start).filter(|start| escaped.contains(start)),
        }
    }
    if escaped.is_empty() {
        return None;
    }
    let key = Some(entry.pos()).filter(|pos| escaped.contains(pos));
    key.or_else(|| in_value(&entry.value, escaped).filter(|_| entry.name() != "comment"))
}

/// Finds the first null in a list.
fn null_in_list(node: &Node) -> Option<Pos> {
    match &node.kind {
        Kind::Map(members) => members.iter().find_map(|member| null_in_list(&member.value)),
        Kind::List(items) => {
            let null = items.iter().find(|item| item.is_null());
            null.map(|item| item.start).or_else(|| items.iter().find_map(null_in_list))
        }
        Kind::Scalar { .. } => None,
    }
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
///
/// Each item repeats the keys above it, so a small text could become gigabytes: the number and the
/// bytes of all keys have the same limits as a text. An error is the position of the key that
/// exceeds them.
struct Flattener {
    pitfalls: Vec<JsonPitfall>,
    keys: usize,
    bytes: usize,
}

impl Flattener {
    fn body(&mut self, entries: &[Entry], level: usize) -> Result<HclBody, Pos> {
        let mut items = Vec::new();
        for entry in entries {
            self.spread(&mut vec![entry], &entry.value, level, &mut items)?;
        }
        Ok(HclBody { items })
    }

    fn spread<'n>(
        &mut self,
        keys: &mut Vec<&'n Entry>,
        node: &'n Node,
        level: usize,
        out: &mut Vec<Item>,
    ) -> Result<(), Pos> {
        match &node.kind {
            Kind::Map(members)
                if !members.is_empty() && members.iter().all(|m| is_map(&m.value)) =>
            {
                if level == 0 && keys.len() > 1 {
                    self.pitfalls.push(JsonPitfall::FlattenedObject(node.start));
                }
                for member in members {
                    keys.push(member);
                    self.spread(keys, &member.value, level, out)?;
                    keys.pop();
                }
            }
            Kind::List(list) if kept(list).count() > 0 && kept(list).all(is_map) => {
                for node in kept(list) {
                    self.spread(keys, node, level, out)?;
                }
            }
            _ => {
                let keys = self.identifiers(keys)?;
                let value = self.value(node, level)?;
                out.push(Item { keys, value });
            }
        }
        Ok(())
    }

    fn identifiers(&mut self, keys: &[&Entry]) -> Result<Vec<Identifier>, Pos> {
        self.keys += keys.len();
        self.bytes += keys.iter().map(|key| key.name().len()).sum::<usize>();
        if self.keys > MANIFEST.values || self.bytes > MANIFEST.bytes {
            return Err(keys[keys.len() - 1].pos());
        }
        let identifier = |key: &&Entry| Identifier { text: key.name().to_owned(), pos: key.pos() };
        Ok(keys.iter().map(identifier).collect())
    }

    fn value(&mut self, node: &Node, level: usize) -> Result<Value, Pos> {
        let kind = match &node.kind {
            Kind::Map(entries) => ValueKind::Body(self.body(entries, level + 1)?),
            Kind::List(items) => {
                let booleans = items.iter().filter(|node| node.boolean().is_some());
                self.pitfalls.extend(booleans.map(|node| JsonPitfall::DroppedBoolean(node.start)));
                let values = kept(items).map(|item| self.value(item, level));
                ValueKind::List(values.collect::<Result<_, _>>()?)
            }
            Kind::Scalar { text, plain: false } => ValueKind::Text(text.clone()),
            Kind::Scalar { .. } if node.is_null() => ValueKind::Text(String::new()),
            Kind::Scalar { text, .. } => match node.boolean() {
                Some(flag) => ValueKind::Bool(flag),
                None => ValueKind::Number(text.clone()),
            },
        };
        Ok(Value { pos: node.start, kind })
    }
}

fn is_map(node: &Node) -> bool {
    matches!(node.kind, Kind::Map(_))
}

/// The members of a list that the servers keep.
fn kept(list: &[Node]) -> impl Iterator<Item = &Node> {
    list.iter().filter(|node| node.boolean().is_none())
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

    #[test]
    fn escapes_that_the_servers_cannot_read_are_rejected() {
        let fault =
            |text| parse("p.json", text).err().map(|error| (error.kind, error.place.column));
        let surrogate = |column| Some((PolicyErrorKind::SurrogateEscape, column));
        assert_eq!(fault(r#"{"path": {"kv/\ud83d\ude00": {}}}"#), surrogate(11));
        assert_eq!(fault(r#"{"path": {"a": {"policy": "\"\uD83D\uDE00"}}}"#), surrogate(27));
        assert_eq!(fault(r#"{"path": {"a": {"comment": "\ud83d\ude00"}}}"#), None);
        assert_eq!(fault(r#"{"path": {"a😀\u00e9": {}}}"#), None);
        assert_eq!(fault(r#"{"path": {"a\/b": {}}}"#), Some((PolicyErrorKind::BadEscape, 11)));
        assert_eq!(fault(r#"{"path": {"a\\/b": {}}}"#), None);
    }

    #[test]
    fn what_follows_the_object_is_not_read_and_a_pitfall() {
        let object = r#"{"path": {"a": {"capabilities": ["read"]}}}"#;
        for (rest, ignored) in [("\n", false), (" x", true), (" {\"\\/\": [null]}", true)] {
            let (body, pitfalls) = parse("p.json", &format!("{object}{rest}")).unwrap();
            assert_eq!(body.items.len(), 1);
            let end = Pos { line: 1, column: u32::try_from(object.len()).unwrap() + 1 };
            assert_eq!(
                pitfalls,
                if ignored { vec![JsonPitfall::IgnoredRest(end)] } else { vec![] }
            );
        }
    }

    #[test]
    fn null_is_rejected_in_every_list() {
        for text in [
            r#"{"path": {"a": {"capabilities": [], "comment": [null]}}}"#,
            r#"{"path": {"a": {"required_parameters": ["x", null]}}}"#,
        ] {
            assert_eq!(parse("p.json", text).unwrap_err().kind, PolicyErrorKind::NullInList);
        }
        assert!(parse("p.json", r#"{"path": {"a": {"comment": null}}}"#).is_ok());
    }

    #[test]
    fn the_repeated_keys_of_flattened_objects_are_limited() {
        let long = format!(
            "{{\"path\": {{\"{}\": {{{}}}}}}}",
            "k".repeat(1_000_000),
            vec!["\"a\":{}"; 1000].join(",")
        );
        let members = vec!["\"a\":{}"; 100_000].join(",");
        let deep = "{\"k\":".repeat(40) + "{" + &members + "}" + &"}".repeat(40);
        for text in [long, deep] {
            assert_eq!(parse("p.json", &text).unwrap_err().kind, PolicyErrorKind::TooMany);
        }
    }
}
