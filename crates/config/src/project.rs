//! Parses envlock.toml, the configuration next to environment.yml.

use std::ops::Range;

use envlock_report::{Code, Finding, Place, nearest, outcome::DenyTarget};
use envlock_text::{Fault, ReadError, end_position, to_u32};
use toml_edit::{Document, Item as Toml, TomlError, Value as TomlValue};

use crate::layer::{Layer, LayerValue, ListItem, RawValue, scalar};
use crate::problem::Problems;
use crate::{Configured, InvalidConfiguration, Key, ValueSource, ValueType, key};

/// The file name of a project's configuration.
pub const PROJECT_FILE: &str = "envlock.toml";

/// The depth of tables and lists that the parser accepts.
const RECURSION: usize = 80;

/// Parses an envlock.toml. `file` is the name to show.
///
/// # Errors
/// [`InvalidConfiguration`] has all errors of the file. Unknown keys are errors, unlike in a
/// `.condarc`, which is conda's file.
pub fn parse_project_config(file: &str, text: &str) -> Result<Layer, InvalidConfiguration> {
    let mut reader = Reader { file, text, problems: Problems::default() };
    let mut layer = Layer::default();
    let document = match text.parse::<Document<String>>() {
        Ok(document) => document,
        Err(error) => {
            reader.problems.push(Finding::from(&reader.fault(&error)));
            return reader.problems.finish(layer);
        }
    };
    for (name, item) in document.as_table() {
        let at = document.as_table().key(name).and_then(toml_edit::Key::span);
        let Some(key) = key::by_project_name(name) else {
            reader.unknown(name, at);
            continue;
        };
        if let Some(raw) = reader.raw(name, key, item) {
            layer.values.insert(key.name, LayerValue { raw, is_final: false });
        }
    }
    reader.problems.finish(layer)
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    problems: Problems,
}

impl Reader<'_> {
    fn raw(&mut self, name: &str, key: &Key, item: &Toml) -> Option<RawValue> {
        if let ValueType::List(_) = key.value_type {
            let Some(array) = item.as_array() else {
                self.wrong(name, "a list of texts", item.span());
                return None;
            };
            let mut items = Vec::new();
            for value in array {
                match value.as_str().map(str::trim).filter(|text| !text.is_empty()) {
                    Some(text) => {
                        if *key == key::DENY {
                            self.known(text, value.span());
                        }
                        let text = Configured {
                            value: text.to_owned(),
                            set_by: self.source_at(value.span()),
                        };
                        items.push(ListItem { text, flag: None });
                    }
                    None => self.wrong(&format!("an item of {name}"), "text", value.span()),
                }
            }
            return Some(RawValue::List(items));
        }
        let text = match item.as_value() {
            Some(TomlValue::String(text)) => text.value().clone(),
            Some(TomlValue::Boolean(on)) => on.value().to_string(),
            _ => String::new(),
        };
        match scalar(key.value_type, &text) {
            Ok(value) => {
                Some(RawValue::Scalar(Configured { value, set_by: self.source_at(item.span()) }))
            }
            Err(expected) => {
                self.wrong(name, expected, item.span());
                None
            }
        }
    }

    /// Checks a target of `deny`: a misspelt one would deny nothing.
    fn known(&mut self, word: &str, at: Option<Range<usize>>) {
        if let Err(error) = word.parse::<DenyTarget>() {
            let set_by = self.source_at(at);
            self.problems.add(&set_by, Code::UnknownCode, &error.to_string(), None);
        }
    }

    fn unknown(&mut self, name: &str, at: Option<Range<usize>>) {
        let known: Vec<String> = key::project_keys().map(|(name, _)| name).collect();
        let help = match nearest(name, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("valid keys are {}", known.join(", ")),
        };
        let set_by = self.source_at(at);
        let message = format!("{} has no key `{name}`", self.file);
        self.problems.add(&set_by, Code::UnknownKey, &message, Some(&help));
    }

    fn wrong(&mut self, what: &str, expected: &str, at: Option<Range<usize>>) {
        let set_by = self.source_at(at);
        self.problems.add(&set_by, Code::WrongType, &format!("{what} must be {expected}"), None);
    }

    /// Converts a parse error. The parser distinguishes errors only by their messages.
    fn fault(&self, error: &TomlError) -> ReadError {
        let span = error.span().unwrap_or_default();
        let key = self.text.get(span.clone()).unwrap_or_default();
        let fault = match error.message().trim() {
            "duplicate key" => {
                let is_key = |line: &str| line.trim_start().starts_with(key);
                let first = self.text.lines().position(is_key).unwrap_or_default();
                Fault::DuplicateKey { key: key.to_owned(), first: to_u32(first + 1) }
            }
            "recursion limit" | "cannot recurse further; max recursion depth met" => {
                Fault::TooDeep(RECURSION)
            }
            other => Fault::Syntax { format: "TOML", message: other.to_owned(), tab: false },
        };
        fault.at(self.place(Some(span)))
    }

    fn source_at(&self, span: Option<Range<usize>>) -> ValueSource {
        ValueSource::File(self.place(span))
    }

    fn place(&self, span: Option<Range<usize>>) -> Place {
        let Range { start, end } = span.unwrap_or_default();
        let at = |index: usize| end_position(self.text.get(..index).unwrap_or_default());
        at(start).place(self.file).with_end(at(end))
    }
}
