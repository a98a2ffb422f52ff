//! envlock.toml, beside environment.yml.

use envlock_report::{Code, Place, nearest, sink::Denied};
use toml_edit::{Document, Item as Toml, Value as TomlValue};

use crate::given::{Given, Item, Layer, Raw, scalar};
use crate::problem::Problems;
use crate::{Invalid, Key, Set, Setter, Shape, key};

/// The name of a project's own configuration.
pub const PROJECT_FILE: &str = "envlock.toml";

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
            let by = reader.by(error.span());
            let message = format!("this isn't valid TOML: {}", error.message().trim());
            reader.problems.add(&by, Code::TomlSyntax, &message, None);
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
    fn known(&mut self, word: &str, at: Option<std::ops::Range<usize>>) {
        if let Err(error) = word.parse::<Denied>() {
            let by = self.by(at);
            self.problems.add(&by, Code::UnknownCode, &error.to_string(), None);
        }
    }

    fn unknown(&mut self, name: &str, at: Option<std::ops::Range<usize>>) {
        let known: Vec<String> = key::project_keys().map(|(name, _)| name).collect();
        let help = match nearest(name, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("it may have {}", known.join(", ")),
        };
        let by = self.by(at);
        let message = format!("{} has no key `{name}`", self.file);
        self.problems.add(&by, Code::UnknownKey, &message, Some(&help));
    }

    fn wrong(&mut self, what: &str, expected: &str, at: Option<std::ops::Range<usize>>) {
        let by = self.by(at);
        self.problems.add(&by, Code::WrongType, &format!("{what} must be {expected}"), None);
    }

    fn by(&self, span: Option<std::ops::Range<usize>>) -> Setter {
        let before = &self.text[..span.map_or(0, |span| span.start)];
        let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
        let line = before.matches('\n').count();
        let column = before.chars().rev().take_while(|c| *c != '\n').count();
        Setter::File(Place::new(self.file, number(line), number(column)))
    }
}
