//! envlock.toml, beside environment.yml.

use std::ops::Range;

use envlock_report::{Code, Finding, Place, nearest, sink::Denied};
use envlock_text::{Fault, ReadError, end_of, number};
use toml_edit::{Document, Item as Toml, TomlError, Value as TomlValue};

use crate::given::{Given, Item, Layer, Raw, scalar};
use crate::problem::Problems;
use crate::{Invalid, Key, Set, Setter, Shape, key};

/// The name of a project's own configuration.
pub const PROJECT_FILE: &str = "envlock.toml";

/// How many levels of tables and lists the parser reads.
const RECURSION: usize = 80;

/// Reads an envlock.toml. `file` is the name to show.
///
/// # Errors
/// [`Invalid`] holds everything that is wrong in the file: unlike a `.condarc`, which is
/// conda's, it has no key that envlock doesn't know.
pub fn project(file: &str, text: &str) -> Result<Layer, Invalid> {
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
        let Some(key) = key::of_project(name) else {
            reader.unknown(name, at);
            continue;
        };
        if let Some(raw) = reader.raw(name, key, item) {
            layer.given.insert(key.name, Given { raw, is_final: false });
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
    fn raw(&mut self, name: &str, key: &Key, item: &Toml) -> Option<Raw> {
        if let Shape::List(_) = key.shape {
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
                        let text = Set { value: text.to_owned(), by: self.by(value.span()) };
                        items.push(Item { text, flag: None });
                    }
                    None => self.wrong(&format!("an item of {name}"), "text", value.span()),
                }
            }
            return Some(Raw::Many(items));
        }
        let text = match item.as_value() {
            Some(TomlValue::String(text)) => text.value().clone(),
            Some(TomlValue::Boolean(on)) => on.value().to_string(),
            _ => String::new(),
        };
        match scalar(key.shape, &text) {
            Ok(value) => Some(Raw::One(Set { value, by: self.by(item.span()) })),
            Err(expected) => {
                self.wrong(name, expected, item.span());
                None
            }
        }
    }

    /// What is denied must be known: else a slip would deny nothing.
    fn known(&mut self, word: &str, at: Option<Range<usize>>) {
        if let Err(error) = word.parse::<Denied>() {
            let by = self.by(at);
            self.problems.add(&by, Code::UnknownCode, &error.to_string(), None);
        }
    }

    fn unknown(&mut self, name: &str, at: Option<Range<usize>>) {
        let known: Vec<String> = key::project_keys().map(|(name, _)| name).collect();
        let help = match nearest(name, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it may have {}", known.join(", ")),
        };
        let by = self.by(at);
        let message = format!("{} has no key `{name}`", self.file);
        self.problems.add(&by, Code::UnknownKey, &message, Some(&help));
    }

    fn wrong(&mut self, what: &str, expected: &str, at: Option<Range<usize>>) {
        let by = self.by(at);
        self.problems.add(&by, Code::WrongType, &format!("{what} must be {expected}"), None);
    }

    /// Why the text isn't TOML that is read. The parser names the kind only by its words.
    fn fault(&self, error: &TomlError) -> ReadError {
        let span = error.span().unwrap_or_default();
        let key = self.text.get(span.clone()).unwrap_or_default();
        let fault = match error.message().trim() {
            "duplicate key" => {
                let is_key = |line: &str| line.trim_start().starts_with(key);
                let first = self.text.lines().position(is_key).unwrap_or_default();
                Fault::DuplicateKey { key: key.to_owned(), first: number(first + 1) }
            }
            "recursion limit" | "cannot recurse further; max recursion depth met" => {
                Fault::TooDeep(RECURSION)
            }
            other => Fault::Syntax { format: "TOML", message: other.to_owned(), tab: false },
        };
        fault.at(self.place(Some(span)))
    }

    fn by(&self, span: Option<Range<usize>>) -> Setter {
        Setter::File(self.place(span))
    }

    fn place(&self, span: Option<Range<usize>>) -> Place {
        let Range { start, end } = span.unwrap_or_default();
        let at = |index: usize| end_of(self.text.get(..index).unwrap_or_default());
        at(start).place(self.file).to(at(end))
    }
}
