//! What one file, the variables or the flags set.

use std::collections::BTreeMap;

use envlock_model::question::Priority;
use envlock_report::Place;

use crate::{Key, Scalar, Set, Setter, Shape};

/// All that one source of configuration says.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    /// What is set, by [`Key::name`].
    pub given: BTreeMap<&'static str, Given>,
    /// Keys that envlock does nothing with.
    pub unused: Vec<Unused>,
}

/// A key that envlock does nothing with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// Its name.
    pub key: String,
    /// Where it stands.
    pub place: Place,
}

/// What one source says of one key.
#[derive(Debug, Clone)]
pub struct Given {
    /// The value.
    pub raw: Raw,
    /// `#!final`: no source of a higher priority is heard.
    pub is_final: bool,
}

/// A value before the merge.
#[derive(Debug, Clone)]
pub enum Raw {
    /// A single one.
    One(Set<Scalar>),
    /// A list.
    Many(Vec<Item>),
    /// A mapping.
    Named(BTreeMap<String, Entry>),
}

/// One item of a list.
#[derive(Debug, Clone)]
pub struct Item {
    /// As written.
    pub text: Set<String>,
    /// What its comment says.
    pub flag: Option<Flag>,
}

/// One entry of a mapping.
#[derive(Debug, Clone)]
pub struct Entry {
    /// One text, or those of a list.
    pub texts: Vec<Set<String>>,
    /// `#!final`: no source of a higher priority changes it.
    pub is_final: bool,
}

/// A flag in a comment, as `#!top`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// `#!final`
    Final,
    /// `#!top`
    Top,
    /// `#!bottom`
    Bottom,
}

impl Flag {
    /// Reads a comment from its `#` on.
    pub fn of_comment(comment: &str) -> Option<Self> {
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
    pub fn one(&mut self, key: &Key, value: Scalar, by: Setter) {
        self.give(key, Raw::One(Set { value, by }));
    }

    /// Sets a list.
    pub fn many(&mut self, key: &Key, texts: impl IntoIterator<Item = String>, by: &Setter) {
        let item = |value| Item { text: Set { value, by: by.clone() }, flag: None };
        self.give(key, Raw::Many(texts.into_iter().map(item).collect()));
    }

    /// Sets one name of a mapping of texts.
    pub fn named(&mut self, key: &Key, name: &str, text: String, by: Setter) {
        let given = self
            .given
            .entry(key.name)
            .or_insert(Given { raw: Raw::Named(BTreeMap::new()), is_final: false });
        if let Raw::Named(entries) = &mut given.raw {
            let texts = vec![Set { value: text, by }];
            entries.insert(name.to_owned(), Entry { texts, is_final: false });
        }
    }

    fn give(&mut self, key: &Key, raw: Raw) {
        self.given.insert(key.name, Given { raw, is_final: false });
    }
}

/// Reads a single value; the error is what it should have been.
pub(crate) fn scalar(shape: Shape, text: &str) -> Result<Scalar, &'static str> {
    match shape {
        Shape::Switch => switch(text).map(Scalar::Switch).ok_or("`true` or `false`"),
        Shape::Number => text
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
            .map(Scalar::Number)
            .ok_or("a number that isn't negative"),
        Shape::Priority => {
            priority(text).map(Scalar::Priority).ok_or("`strict`, `flexible` or `disabled`")
        }
        _ => Ok(Scalar::Text(text.to_owned())),
    }
}

/// A boolean as conda takes it: `yes` and `on` are texts for YAML and true for conda.
pub(crate) fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "1" => Some(true),
        "false" | "no" | "off" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// conda's three words, and the booleans that it took before them.
fn priority(text: &str) -> Option<Priority> {
    match text.to_ascii_lowercase().as_str() {
        "strict" => Some(Priority::Strict),
        "flexible" => Some(Priority::Flexible),
        "disabled" => Some(Priority::Disabled),
        other => switch(other).map(|on| if on { Priority::Flexible } else { Priority::Disabled }),
    }
}
