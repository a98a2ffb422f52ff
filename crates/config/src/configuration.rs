//! The configuration in force.

use std::collections::BTreeMap;

use envlock_report::{Code, Finding, nearest};
use envlock_text::redact;

use crate::given::{Given, Layer};
use crate::merge::merge;
use crate::{Key, Scalar, Set, Setter, Unused, key};

/// What is in force, and who set it.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    values: BTreeMap<&'static str, Value>,
    unused: Vec<Unused>,
}

/// A value in force.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A single one.
    One(Set<Scalar>),
    /// A list, in order.
    Many(Vec<Set<String>>),
    /// A mapping: one text a name, or several.
    Named(BTreeMap<String, Vec<Set<String>>>),
}

/// One value as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key, with the name in a mapping behind a dot.
    pub key: String,
    /// The value, with `***` for a password.
    pub value: String,
    /// Who set it.
    pub by: Setter,
}

impl Configuration {
    /// Merges layers, in rising priority.
    pub fn of(layers: &[Layer]) -> Self {
        let mut values = BTreeMap::new();
        for key in &key::ALL {
            let given: Vec<&Given> =
                layers.iter().filter_map(|layer| layer.given.get(key.name)).collect();
            if let Some(value) = merge(&given) {
                values.insert(key.name, value);
            }
        }
        let unused = layers.iter().flat_map(|layer| layer.unused.iter().cloned()).collect();
        Self { values, unused }
    }

    /// Whether something is set, and by whom.
    pub fn one(&self, key: &Key) -> Option<&Set<Scalar>> {
        match self.values.get(key.name)? {
            Value::One(value) => Some(value),
            _ => None,
        }
    }

    /// A switch that is off unless it is set.
    pub fn is_on(&self, key: &Key) -> bool {
        matches!(self.one(key), Some(Set { value: Scalar::Switch(true), .. }))
    }

    /// A number.
    pub fn number(&self, key: &Key) -> Option<f64> {
        match self.one(key)?.value {
            Scalar::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A text, as written.
    pub fn text(&self, key: &Key) -> Option<Set<&str>> {
        let set = self.one(key)?;
        match &set.value {
            Scalar::Text(text) => Some(Set { value: text, by: set.by.clone() }),
            _ => None,
        }
    }

    /// The items of a list.
    pub fn many(&self, key: &Key) -> &[Set<String>] {
        match self.values.get(key.name) {
            Some(Value::Many(items)) => items,
            _ => &[],
        }
    }

    /// Whether a list was set, be it an empty one.
    pub fn has(&self, key: &Key) -> bool {
        self.values.contains_key(key.name)
    }

    /// The entries of a mapping.
    pub fn named(&self, key: &Key) -> impl Iterator<Item = (&String, &Vec<Set<String>>)> {
        let entries = match self.values.get(key.name) {
            Some(Value::Named(entries)) => Some(entries),
            _ => None,
        };
        entries.into_iter().flatten()
    }

    /// Everything that is set, a row a value, in the order of [`key::ALL`].
    pub fn rows(&self) -> Vec<Row> {
        let row = |key: &str, value: &str, by: &Setter| Row {
            key: key.to_owned(),
            value: redact(value).into_owned(),
            by: by.clone(),
        };
        let mut rows = Vec::new();
        for key in &key::ALL {
            match self.values.get(key.name) {
                Some(Value::One(set)) => {
                    rows.push(row(key.name, &set.value.to_string(), &set.by));
                }
                Some(Value::Many(items)) => {
                    rows.extend(items.iter().map(|set| row(key.name, &set.value, &set.by)));
                }
                Some(Value::Named(entries)) => {
                    for (name, texts) in entries {
                        let key = format!("{}.{name}", key.name);
                        rows.extend(texts.iter().map(|set| row(&key, &set.value, &set.by)));
                    }
                }
                None => {}
            }
        }
        rows
    }

    /// Names, once, the keys that envlock does nothing with.
    pub fn unused(&self) -> Option<Finding> {
        let first = self.unused.first()?;
        let mut names: Vec<&str> = self.unused.iter().map(|unused| unused.key.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let message = format!("envlock doesn't use these keys of .condarc: {}", names.join(", "));
        let note = Finding::new(Code::CondarcUnused, message).at(first.place.clone());
        let known: Vec<&str> = key::ALL.iter().map(|key| key.name).collect();
        let mut slips = names.iter().filter(|n| !key::OTHERS.split_whitespace().any(|o| o == **n));
        let meant = slips.find_map(|name| Some((name, nearest(name, known.iter().copied())?)));
        Some(match meant {
            Some((name, meant)) => note.with_help(format!("is `{name}` meant to be `{meant}`?")),
            None => note,
        })
    }
}
