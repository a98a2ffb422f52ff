//! The unmerged values of one file, of the variables or of the flags.

use std::collections::BTreeMap;

use envlock_model::lock_inputs::Priority;
use envlock_report::Place;

use crate::{Configured, Key, Scalar, ValueSource, ValueType};

/// The values that one file, the variables or the flags set.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    /// The values, by [`Key::name`].
    pub values: BTreeMap<&'static str, LayerValue>,
    /// Keys that have no effect.
    pub unused: Vec<Unused>,
}

/// A key that has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Its name.
    pub key: String,
    /// Its place.
    pub place: Place,
}

/// The value of a key in one layer.
#[derive(Debug, Clone)]
pub struct LayerValue {
    /// The value.
    pub raw: RawValue,
    /// `#!final`: values of a higher priority are ignored.
    pub is_final: bool,
}

/// A value before the merge.
#[derive(Debug, Clone)]
pub enum RawValue {
    /// A single value.
    Scalar(Configured<Scalar>),
    /// A list.
    List(Vec<ListItem>),
    /// A mapping.
    Map(BTreeMap<String, MapEntry>),
}

/// An item of a list.
#[derive(Debug, Clone)]
pub struct ListItem {
    /// As written.
    pub text: Configured<String>,
    /// The flag in its comment.
    pub flag: Option<MergeFlag>,
}

/// An entry of a mapping.
#[derive(Debug, Clone)]
pub struct MapEntry {
    /// One text, or the texts of a list.
    pub texts: Vec<Configured<String>>,
    /// `#!final`: entries of a higher priority are ignored.
    pub is_final: bool,
}

/// A flag in a comment, as `#!top`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeFlag {
    /// `#!final`
    Final,
    /// `#!top`
    Top,
    /// `#!bottom`
    Bottom,
}

impl MergeFlag {
    /// Parses a comment, which starts with `#`.
    pub fn from_comment(comment: &str) -> Option<Self> {
        match comment.trim_end() {
            "#!final" => Some(Self::Final),
            "#!top" => Some(Self::Top),
            "#!bottom" => Some(Self::Bottom),
            _ => None,
        }
    }
}

impl Layer {
    /// Sets a single value.
    pub fn set_scalar(&mut self, key: &Key, value: Scalar, set_by: ValueSource) {
        self.insert(key, RawValue::Scalar(Configured { value, set_by }));
    }

    /// Sets a list.
    pub fn set_list(
        &mut self,
        key: &Key,
        texts: impl IntoIterator<Item = String>,
        set_by: &ValueSource,
    ) {
        let item =
            |value| ListItem { text: Configured { value, set_by: set_by.clone() }, flag: None };
        self.insert(key, RawValue::List(texts.into_iter().map(item).collect()));
    }

    /// Sets one entry of a mapping of texts.
    pub fn set_map_entry(&mut self, key: &Key, name: &str, text: String, set_by: ValueSource) {
        let given = self
            .values
            .entry(key.name)
            .or_insert(LayerValue { raw: RawValue::Map(BTreeMap::new()), is_final: false });
        if let RawValue::Map(entries) = &mut given.raw {
            let texts = vec![Configured { value: text, set_by }];
            entries.insert(name.to_owned(), MapEntry { texts, is_final: false });
        }
    }

    fn insert(&mut self, key: &Key, raw: RawValue) {
        self.values.insert(key.name, LayerValue { raw, is_final: false });
    }
}

/// Parses a scalar. The error describes the expected value.
pub(crate) fn scalar(value_type: ValueType, text: &str) -> Result<Scalar, &'static str> {
    match value_type {
        ValueType::Boolean => parse_boolean(text).map(Scalar::Boolean).ok_or("`true` or `false`"),
        ValueType::Number => text
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
            .map(Scalar::Number)
            .ok_or("a number that isn't negative"),
        ValueType::Priority => {
            priority(text).map(Scalar::Priority).ok_or("`strict`, `flexible` or `disabled`")
        }
        _ => Ok(Scalar::Text(text.to_owned())),
    }
}

/// Parses a boolean as conda does: `yes` and `on` are texts in YAML and true for conda.
pub(crate) fn parse_boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "1" => Some(true),
        "false" | "no" | "off" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// Parses a channel priority: conda's three words, or the booleans of older versions.
fn priority(text: &str) -> Option<Priority> {
    match text.to_ascii_lowercase().as_str() {
        "strict" => Some(Priority::Strict),
        "flexible" => Some(Priority::Flexible),
        "disabled" => Some(Priority::Disabled),
        other => {
            parse_boolean(other).map(|on| if on { Priority::Flexible } else { Priority::Disabled })
        }
    }
}
