//! The nodes of the tree.

use serde_json::Value;

use crate::place::{Place, Pos};

/// A value with its position.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The position of the first character.
    pub start: Pos,
    /// The position just after the last character. For a block scalar, the start of the line
    /// with its `|`.
    pub end: Pos,
    /// The value.
    pub kind: Kind,
    pub(super) size: Size,
}

/// The type and content of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Text, a number, a boolean or null.
    Scalar {
        /// The text without quotes.
        text: String,
        /// Whether it is written without quotes. Then `1.10` is a number.
        plain: bool,
    },
    /// A list: `- …` or `[…]`.
    List(Vec<Node>),
    /// A mapping: `key: …` or `{…}`, in the order of the file.
    Map(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, a scalar.
    pub key: Node,
    /// The value.
    pub value: Node,
}

/// The size of a node with everything below it, to limit copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) nodes: u32,
    pub(super) levels: u32,
    pub(super) bytes: u32,
}

impl Entry {
    /// Returns the text of the key.
    pub fn name(&self) -> &str {
        self.key.text().unwrap_or_default()
    }

    /// Returns the position of the key.
    pub fn pos(&self) -> Pos {
        self.key.start
    }
}

impl Node {
    pub(super) fn scalar(start: Pos, end: Pos, text: String, plain: bool) -> Self {
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let size = Size { nodes: 1, levels: 1, bytes };
        Self { start, end, kind: Kind::Scalar { text, plain }, size }
    }

    /// Returns the place, with the end if the value is on one line.
    pub fn place(&self, file: &str) -> Place {
        self.start.place(file).with_end(self.end)
    }

    /// Returns the text of any scalar except null, as written: `1.10` stays `1.10`.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, plain } if !plain || !is_null(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the text of a scalar that is text in YAML: no number, boolean or null.
    pub fn string(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, plain } if !plain || is_text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of an unquoted `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        match &self.kind {
            Kind::Scalar { text, plain: true } => match text.as_str() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether the value is empty, `null` or `~`.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if is_null(text))
    }

    /// Returns the entries if the node is a mapping.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the items if the node is a list.
    pub fn items(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the value of the last entry whose key is `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Returns the last entry whose key is `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().rev().find(|entry| entry.name() == key)
    }

    /// Names the type for messages, such as `a list`.
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
            Kind::Scalar { .. } if self.is_null() => "empty",
            Kind::Scalar { .. } if self.boolean().is_some() => "a boolean",
            Kind::Scalar { text, plain: true } if is_number(text) => "a number",
            Kind::Scalar { .. } => "text",
        }
    }

    /// Converts the node to a JSON value. For duplicate keys the last value counts.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Scalar { text, plain: false } => Value::String(text.clone()),
            Kind::Scalar { .. } if self.is_null() => Value::Null,
            Kind::Scalar { text, .. } => match self.boolean() {
                Some(flag) => Value::Bool(flag),
                None => number(text).map_or_else(|| Value::String(text.clone()), Value::Number),
            },
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|entry| (entry.name().to_owned(), entry.value.to_json()))
                    .collect(),
            ),
        }
    }
}

/// Parses a number in JSON's notation. YAML's other notations of numbers stay text.
fn number(text: &str) -> Option<serde_json::Number> {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        .then(|| serde_json::from_str(text).ok())
        .flatten()
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.contains(|c: char| c.is_ascii_digit())
        && text.parse::<f64>().is_ok()
}

fn is_text(text: &str) -> bool {
    !is_null(text) && !is_boolean(text) && !is_number(text)
}
