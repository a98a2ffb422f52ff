//! The effective configuration.

use std::collections::BTreeMap;

use envlock_report::{Code, Finding, nearest};
use envlock_text::redact::{redact, redact_url};

use crate::layer::{Layer, LayerValue};
use crate::merge::merge;
use crate::{Configured, Key, Scalar, Unused, ValueSource, key};

/// The effective values and where they were set.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    values: BTreeMap<&'static str, Value>,
    unused: Vec<Unused>,
}

/// An effective value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A single value.
    Scalar(Configured<Scalar>),
    /// A list, in order.
    List(Vec<Configured<String>>),
    /// A mapping: one text for each name, or several.
    Map(BTreeMap<String, Vec<Configured<String>>>),
}

/// A value to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownValue {
    /// The key, followed by a dot and the name for a mapping.
    pub key: String,
    /// The value, with `***` in place of a password.
    pub value: String,
    /// Where it was set.
    pub set_by: ValueSource,
}

/// The keys whose values are paths.
const PATHS: [Key; 6] = [
    key::SSL_VERIFY,
    key::CLIENT_SSL_CERT,
    key::CLIENT_SSL_CERT_KEY,
    key::ENVS_DIRS,
    key::PKGS_DIRS,
    key::CACHE_DIR,
];

/// Returns a value to print. A URL is without passwords, also if it is malformed.
fn shown(key: &str, value: &str) -> String {
    let is_path = PATHS.iter().any(|path| path.name == key) && !value.contains("://");
    if is_path { redact(value).into_owned() } else { redact_url(value) }
}

impl Configuration {
    /// Merges layers. They are in rising priority.
    pub fn from_layers(layers: &[Layer]) -> Self {
        let mut values = BTreeMap::new();
        for key in &key::ALL {
            let given: Vec<&LayerValue> =
                layers.iter().filter_map(|layer| layer.values.get(key.name)).collect();
            if let Some(value) = merge(&given) {
                values.insert(key.name, value);
            }
        }
        let unused = layers.iter().flat_map(|layer| layer.unused.iter().cloned()).collect();
        Self { values, unused }
    }

    /// Returns a scalar value and where it was set.
    pub fn scalar(&self, key: &Key) -> Option<&Configured<Scalar>> {
        match self.values.get(key.name)? {
            Value::Scalar(value) => Some(value),
            _ => None,
        }
    }

    /// Returns a boolean; false if it isn't set.
    pub fn boolean(&self, key: &Key) -> bool {
        matches!(self.scalar(key), Some(Configured { value: Scalar::Boolean(true), .. }))
    }

    /// Returns a number.
    pub fn number(&self, key: &Key) -> Option<f64> {
        match self.scalar(key)?.value {
            Scalar::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns a text as written.
    pub fn text(&self, key: &Key) -> Option<Configured<&str>> {
        let set = self.scalar(key)?;
        match &set.value {
            Scalar::Text(text) => Some(Configured { value: text, set_by: set.set_by.clone() }),
            _ => None,
        }
    }

    /// Returns the items of a list.
    pub fn list(&self, key: &Key) -> &[Configured<String>] {
        match self.values.get(key.name) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }

    /// Whether a key is set, also to an empty list.
    pub fn is_set(&self, key: &Key) -> bool {
        self.values.contains_key(key.name)
    }

    /// Iterates over the entries of a mapping.
    pub fn map(&self, key: &Key) -> impl Iterator<Item = (&String, &Vec<Configured<String>>)> {
        let entries = match self.values.get(key.name) {
            Some(Value::Map(entries)) => Some(entries),
            _ => None,
        };
        entries.into_iter().flatten()
    }

    /// Returns the values to print, in the order of [`key::ALL`].
    pub fn shown_values(&self) -> Vec<ShownValue> {
        let row = |key: &str, value: &str, set_by: &ValueSource| ShownValue {
            key: key.to_owned(),
            value: shown(key, value),
            set_by: set_by.clone(),
        };
        let mut rows = Vec::new();
        for key in &key::ALL {
            match self.values.get(key.name) {
                Some(Value::Scalar(set)) => {
                    rows.push(row(key.name, &set.value.to_string(), &set.set_by));
                }
                Some(Value::List(items)) => {
                    rows.extend(items.iter().map(|set| row(key.name, &set.value, &set.set_by)));
                }
                Some(Value::Map(entries)) => {
                    for (name, texts) in entries {
                        let key = format!("{}.{name}", key.name);
                        rows.extend(texts.iter().map(|set| row(&key, &set.value, &set.set_by)));
                    }
                }
                None => {}
            }
        }
        rows
    }

    /// Returns one finding that names all keys without an effect.
    pub fn unused_keys_finding(&self) -> Option<Finding> {
        let first = self.unused.first()?;
        let mut names: Vec<&str> = self.unused.iter().map(|unused| unused.key.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let message = format!("envlock doesn't use these keys of .condarc: {}", names.join(", "));
        let note = Finding::new(Code::CondarcUnused, message).at(first.place.clone());
        let known: Vec<&str> = key::ALL.iter().map(|key| key.name).collect();
        let mut slips =
            names.iter().filter(|n| !key::UNUSED_CONDA_KEYS.split_whitespace().any(|o| o == **n));
        let meant = slips.find_map(|name| Some((name, nearest(name, known.iter().copied())?)));
        Some(match meant {
            Some((name, meant)) => note.with_help(format!("is `{name}` meant to be `{meant}`?")),
            None => note,
        })
    }
}
