//! The parsed form of HCL and JSON policies: items with keys and values, each with its position.

use serde_json::{Number, Value as Json};

use envlock_text::Pos;

/// The items between two braces, or of a whole file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Body {
    pub(crate) items: Vec<Item>,
}

/// `key = value`, `key "label" { … }` or `key { … }`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    /// The keys and labels; at least one.
    pub(crate) keys: Vec<Identifier>,
    pub(crate) value: Value,
}

/// A key or a label with its position.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identifier {
    pub(crate) text: String,
    pub(crate) pos: Pos,
}

/// A value with its position.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Value {
    pub(crate) pos: Pos,
    pub(crate) kind: ValueKind,
}

/// The kind of a value, with its content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ValueKind {
    Text(String),
    /// A number, as the policy writes it.
    Number(String),
    Bool(bool),
    List(Vec<Value>),
    Body(Body),
}

impl Item {
    /// The first key.
    pub(crate) fn name(&self) -> &str {
        &self.keys[0].text
    }

    /// The position of the first key.
    pub(crate) fn pos(&self) -> Pos {
        self.keys[0].pos
    }
}

impl Value {
    /// The text of a string or a number. The servers accept a number where a string is required.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::Text(text) | ValueKind::Number(text) => Some(text),
            _ => None,
        }
    }

    /// The value with which a request's parameter is compared.
    pub(crate) fn to_json(&self) -> Json {
        match &self.kind {
            ValueKind::Text(text) => Json::String(text.clone()),
            ValueKind::Number(text) => number(text),
            ValueKind::Bool(flag) => Json::Bool(*flag),
            ValueKind::List(items) => items.iter().map(Self::to_json).collect(),
            ValueKind::Body(body) => Json::Object(
                body.items
                    .iter()
                    .map(|item| (item.name().to_owned(), item.value.to_json()))
                    .collect(),
            ),
        }
    }
}

/// Parses an integer in any of HCL's notations, or a float.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let value = if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(if negative { -value } else { value })
}

fn number(text: &str) -> Json {
    if let Some(value) = integer(text) {
        return Json::from(value);
    }
    let float = text.parse::<f64>().ok().and_then(Number::from_f64);
    float.map_or_else(|| Json::String(text.to_owned()), Json::Number)
}
