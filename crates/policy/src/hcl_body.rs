//! The parsed form of HCL and JSON policies: items with keys and values, each with its position.

use serde_json::{Number, Value as Json};

use envlock_text::Pos;

/// The items between two braces, or of a whole file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct HclBody {
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
    Body(HclBody),
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
    /// The text of a string or of a whole number. The servers accept such a number where a string
    /// is required.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::Text(text) => Some(text),
            ValueKind::Number(text) if !is_float(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list. To the servers an empty object is an empty list.
    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        match &self.kind {
            ValueKind::List(items) => Some(items),
            ValueKind::Body(body) if body.items.is_empty() => Some(&[]),
            _ => None,
        }
    }

    /// The position of a number in the value that the servers can't read, such as `08`.
    pub(crate) fn unreadable_number(&self) -> Option<Pos> {
        match &self.kind {
            ValueKind::Number(text) => number(text).is_none().then_some(self.pos),
            ValueKind::List(items) => items.iter().find_map(Self::unreadable_number),
            ValueKind::Body(body) => {
                body.items.iter().find_map(|item| item.value.unreadable_number())
            }
            ValueKind::Text(_) | ValueKind::Bool(_) => None,
        }
    }

    /// The value with which a request's parameter is compared.
    pub(crate) fn to_json(&self) -> Json {
        match &self.kind {
            ValueKind::Text(text) => Json::String(text.clone()),
            ValueKind::Number(text) => {
                number(text).map_or_else(|| Json::String(text.clone()), Json::Number)
            }
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

/// Parses an integer in any of HCL's notations.
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

/// Whether a number has a fraction or an exponent.
pub(crate) fn is_float(text: &str) -> bool {
    let is_hex = text.contains(['x', 'X']);
    !is_hex && text.contains(['.', 'e', 'E'])
}

/// The number, if the servers can read it.
fn number(text: &str) -> Option<Number> {
    if is_float(text) {
        return text.parse::<f64>().ok().and_then(Number::from_f64);
    }
    integer(text).map(Number::from)
}
