//! Parses a `.condarc`.

use std::collections::BTreeMap;

use envlock_report::{Code, Finding, Place};
use envlock_text::Pos;
use envlock_text::limits::ENVIRONMENT;
use envlock_text::tree::{self, Kind, Lines, Node};

use crate::layer::{Layer, LayerValue, ListItem, MapEntry, MergeFlag, RawValue, Unused, scalar};
use crate::problem::Problems;
use crate::{Configured, InvalidConfiguration, Key, ValueSource, ValueType, key};

/// Parses a `.condarc`. `file` is the name to show.
///
/// # Errors
/// [`InvalidConfiguration`] has all errors of the file, each with its line and column.
pub fn parse_condarc(file: &str, text: &str) -> Result<Layer, InvalidConfiguration> {
    let lines = Lines::new(text);
    let tree = tree::read(file, text, &ENVIRONMENT);
    let mut reader = Reader { file, lines, problems: Problems::default() };
    for error in &tree.errors {
        reader.problems.push(Finding::from(error));
    }
    let layer = match &tree.root {
        Some(root) => reader.root(root),
        None => Layer::default(),
    };
    reader.problems.finish(layer)
}

struct Reader<'a> {
    file: &'a str,
    lines: Lines<'a>,
    problems: Problems,
}

impl Reader<'_> {
    fn root(&mut self, root: &Node) -> Layer {
        let mut layer = Layer::default();
        let Kind::Map(entries) = &root.kind else {
            if !root.is_null() {
                let message =
                    format!("a .condarc must be a mapping, and this is {}", root.type_name());
                self.problem(root.start, Code::WrongType, &message, Some("begin with `channels:`"));
            }
            return layer;
        };
        for tree::Entry { key: written, value } in entries {
            let name = written.text().unwrap_or_default();
            let Some(key) = key::by_condarc_name(name) else {
                if !key::UNREPORTED_CONDA_KEYS.contains(&name) {
                    let place = self.place(written.start);
                    layer.unused.push(Unused { key: name.to_owned(), place });
                }
                continue;
            };
            if layer.values.contains_key(key.name) {
                let message = format!("`{name}` and `{}` are names of the same key", key.name);
                self.problem(written.start, Code::DuplicateKey, &message, Some("keep one of them"));
            } else if let Some(raw) = self.raw(key, written, value) {
                let is_final = self.flag(written.end) == Some(MergeFlag::Final);
                layer.values.insert(key.name, LayerValue { raw, is_final });
            }
        }
        layer
    }

    /// Reads the value of a key; `None` if it is null or wrong.
    fn raw(&mut self, key: &Key, written: &Node, value: &Node) -> Option<RawValue> {
        if value.is_null() {
            return None;
        }
        match key.value_type {
            ValueType::List(_) => self.list(key, written, value).map(RawValue::List),
            ValueType::TextMap | ValueType::ListMap => self.map(key, value).map(RawValue::Map),
            value_type => {
                let Some(text) = value.text() else {
                    self.wrong(key.name, "a single value", value);
                    return None;
                };
                let set_by = self.source_at(value.start);
                match scalar(value_type, text.trim()) {
                    Ok(value) => Some(RawValue::Scalar(Configured { value, set_by })),
                    Err(expected) => {
                        self.wrong(key.name, expected, value);
                        None
                    }
                }
            }
        }
    }

    fn list(&mut self, key: &Key, written: &Node, value: &Node) -> Option<Vec<ListItem>> {
        let Kind::List(nodes) = &value.kind else {
            self.wrong(key.name, "a list", value);
            return None;
        };
        let mut items = Vec::new();
        for node in nodes {
            let Some(text) = self.text(key.name, node) else { continue };
            // The comment after `key: [a, b]` is the key's and not an item's.
            let alone = node.start.line != written.start.line;
            let flag = self.flag(node.end).filter(|_| alone);
            items.push(ListItem { text, flag });
        }
        Some(items)
    }

    fn map(&mut self, key: &Key, value: &Node) -> Option<BTreeMap<String, MapEntry>> {
        let Kind::Map(nodes) = &value.kind else {
            self.wrong(key.name, "a mapping", value);
            return None;
        };
        let mut entries = BTreeMap::new();
        for tree::Entry { key: name, value: node } in nodes {
            let is_final = self.flag(name.end) == Some(MergeFlag::Final);
            let name = name.text().unwrap_or_default().trim_matches('/').to_owned();
            let texts = match (&node.kind, key.value_type) {
                _ if node.is_null() => continue,
                (Kind::List(nodes), ValueType::ListMap) => {
                    nodes.iter().filter_map(|node| self.text(key.name, node)).collect()
                }
                (_, ValueType::ListMap) => {
                    self.wrong(&format!("{}.{name}", key.name), "a list", node);
                    continue;
                }
                // Only a project that uses the entry can't use an empty value.
                _ if node.text().is_some_and(|text| text.trim().is_empty()) => {
                    let set_by = self.source_at(node.start);
                    vec![Configured { value: String::new(), set_by }]
                }
                _ => match self.text(key.name, node) {
                    Some(text) => vec![text],
                    None => continue,
                },
            };
            entries.insert(name, MapEntry { texts, is_final });
        }
        Some(entries)
    }

    fn text(&mut self, key: &str, node: &Node) -> Option<Configured<String>> {
        let text = node.text().map(str::trim).filter(|text| !text.is_empty());
        if text.is_none() {
            self.wrong(&format!("an item of {key}"), "text", node);
        }
        text.map(|text| Configured { value: text.to_owned(), set_by: self.source_at(node.start) })
    }

    fn flag(&self, end: Pos) -> Option<MergeFlag> {
        MergeFlag::from_comment(self.lines.comment(end)?.1)
    }

    fn place(&self, pos: Pos) -> Place {
        pos.place(self.file)
    }

    fn source_at(&self, pos: Pos) -> ValueSource {
        ValueSource::File(self.place(pos))
    }

    fn wrong(&mut self, what: &str, expected: &str, node: &Node) {
        let message = match node.text() {
            Some(text) => format!("{what} must be {expected}, and this is `{text}`"),
            None => format!("{what} must be {expected}, and this is {}", node.type_name()),
        };
        self.problem(node.start, Code::WrongType, &message, None);
    }

    fn problem(&mut self, at: Pos, code: Code, message: &str, help: Option<&str>) {
        self.problems.add(&self.source_at(at), code, message, help);
    }
}
