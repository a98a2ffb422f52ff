//! One value of a YAML or JSON text.

use serde_json::Value;

use crate::place::{Place, Pos};

/// A value and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its first character.
    pub start: Pos,
    /// Just after its last character. Of a block scalar it is the start of the line of its `|`.
    pub end: Pos,
    /// What it is.
    pub kind: Kind,
    pub(super) size: Size,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Text, a number, a boolean or nothing.
    Scalar {
        /// As written, without quotes.
        text: String,
        /// Whether it is written without quotes, so that `1.10` is a number.
        plain: bool,
    },
    /// `- …` or `[…]`.
    List(Vec<Node>),
    /// `key: …` or `{…}`, in the order of the file.
    Map(Vec<Entry>),
}

/// One key of a mapping and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, a scalar.
    pub key: Node,
    /// What it stands for.
    pub value: Node,
}

/// What a copy of a node adds to the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) nodes: u32,
    pub(super) levels: u32,
    pub(super) bytes: u32,
}

impl Entry {
    /// The key's text.
    pub fn name(&self) -> &str {
        self.key.text().unwrap_or_default()
    }

    /// Where the key starts.
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

    /// Its place, with its end where it is on one line.
    pub fn place(&self, file: &str) -> Place {
        self.start.place(file).to(self.end)
    }

    /// The text of any scalar but null, as it is in the file: `1.10` stays `1.10`.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, plain } if !plain || !is_null(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar that is text for YAML too: no number, boolean or null.
    pub fn string(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, plain } if !plain || is_text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of `true` or `false`, unquoted.
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

    /// Whether it is nothing, `null` or `~`.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if is_null(text))
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn items(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value of the last entry called `key`.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The last entry called `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().rev().find(|entry| entry.name() == key)
    }

    /// What it is, in the words of YAML.
    pub fn noun(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
            Kind::Scalar { .. } if self.is_null() => "nothing",
            Kind::Scalar { .. } if self.boolean().is_some() => "a boolean",
            Kind::Scalar { text, plain: true } if is_number(text) => "a number",
            Kind::Scalar { .. } => "text",
        }
    }

    /// The same as a JSON value; of a key that is there twice, the last one.
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

/// A number as JSON writes it; anything else that YAML would call one stays text.
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
