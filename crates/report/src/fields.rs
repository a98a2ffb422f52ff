//! The fields of one map of a YAML or JSON text, with every mistake noted where it stands.

use envlock_text::Pos;
use envlock_text::tree::{Entry, Kind, Node};

use crate::{Code, Finding, Mistakes, nearest};

/// A map that is being read.
pub struct Fields<'n, 'm> {
    /// The file, as the user named it.
    pub file: &'n str,
    node: &'n Node,
    /// What the map is, for messages: `a need`, `a profile`.
    what: &'static str,
    /// Where mistakes are collected.
    pub mistakes: &'m mut Mistakes,
}

impl<'n, 'm> Fields<'n, 'm> {
    /// The fields of `node`; anything but a map, and every key that comes twice, is a mistake.
    pub fn new(
        file: &'n str,
        node: &'n Node,
        what: &'static str,
        mistakes: &'m mut Mistakes,
    ) -> Self {
        let mut fields = Self { file, node, what, mistakes };
        match node.entries() {
            Some(entries) => fields.refuse_duplicates(entries),
            None if matches!(node.kind, Kind::Alias) => fields.alias(node.pos),
            None => {
                let message = format!("{what} must be a map, not {}", node.what());
                fields.mistake(Code::WrongShape, message, node.pos);
            }
        }
        fields
    }

    fn refuse_duplicates(&mut self, entries: &[Entry]) {
        let mut seen = std::collections::HashMap::new();
        for entry in entries {
            if let Some(first) = seen.insert(entry.key.as_str(), entry.pos) {
                let message = format!("the key `{}` is there twice in {}", entry.key, self.what);
                let note = format!("the first one is in line {}", first.line);
                let finding = self.finding(Code::DuplicateKey, message, entry.pos);
                self.mistakes.push(finding.with_note(note));
            }
        }
    }

    /// Notes every key that isn't one of `keys`, with the nearest that is.
    pub fn known(&mut self, keys: &[&str]) {
        for entry in self.entries() {
            if keys.contains(&entry.key.as_str()) {
                continue;
            }
            let mut finding = self.unknown(entry);
            if finding.help.is_none() {
                finding.help = match nearest(&entry.key, keys.iter().copied()) {
                    Some(near) => Some(format!("did you mean `{near}`?")),
                    None => Some(format!("the keys are {}", keys.join(", "))),
                };
            }
            self.mistakes.push(finding);
        }
    }

    /// An address gets its own advice: whoever writes one has misunderstood more than a name.
    fn unknown(&self, entry: &Entry) -> Finding {
        if matches!(entry.key.as_str(), "address" | "addr" | "url" | "host") {
            let message =
                format!("a manifest holds no address, and `{}` looks like one", entry.key);
            return self.finding(Code::AddressInManifest, message, entry.pos).with_help(
                "take it out; the address comes from VAULT_ADDR (or BAO_ADDR) where the program runs",
            );
        }
        if matches!(entry.key.as_str(), "default" | "value" | "fallback") {
            let message = format!("a secret has no `{}`: it would be a secret in git", entry.key);
            return self
                .finding(Code::ValueInManifest, message, entry.pos)
                .with_help("take it out; a need that may be absent says `required: false`");
        }
        let message = format!("`{}` isn't a key of {}", entry.key, self.what);
        self.finding(Code::UnknownKey, message, entry.pos)
    }

    /// The entries in the order of the file.
    pub fn entries(&self) -> &'n [Entry] {
        self.node.entries().unwrap_or_default()
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        let node: &'n Node = self.node;
        node.get(key)
    }

    /// The text of `key`.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        if let Some(text) = node.text() {
            return Some(text.to_owned());
        }
        self.shape(key, "a word", node);
        None
    }

    /// The text of `key`, which must be there.
    pub fn required(&mut self, key: &str) -> Option<String> {
        if self.get(key).is_none() {
            self.missing(key);
        }
        self.text(key)
    }

    /// The text of `key`; a mistake unless it matches `pattern`.
    pub fn word(
        &mut self,
        key: &str,
        pattern: fn(&str) -> Result<(), &'static str>,
    ) -> Option<String> {
        let text = self.text(key)?;
        if let Err(expected) = pattern(&text) {
            let pos = self.get(key).map_or(self.pos(key), |node| node.pos);
            self.mistake(Code::WrongWord, format!("`{key}: {text}` must be {expected}"), pos);
        }
        Some(text)
    }

    /// The value of the word at `key`; an unknown word is a mistake that names the nearest known.
    pub fn choice<T: Copy>(&mut self, key: &str, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let pos = self.get(key).map_or(self.pos(key), |node| node.pos);
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let finding =
            self.finding(Code::UnknownWord, format!("`{text}` isn't a known `{key}`"), pos);
        self.mistakes.push(finding.with_help(match nearest(&text, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are {}", names.join(", ")),
        }));
        None
    }

    /// Notes a key of a map that doesn't match `pattern`.
    pub fn name(
        &mut self,
        entry: &Entry,
        what: &str,
        pattern: fn(&str) -> Result<(), &'static str>,
    ) {
        if let Err(expected) = pattern(&entry.key) {
            let message = format!("`{}` can't be {what}: {expected}", entry.key);
            self.mistake(Code::WrongWord, message, entry.pos);
        }
    }

    /// `true` or `false` of `key`.
    pub fn flag(&mut self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        let flag = node.boolean();
        if flag.is_none() {
            self.shape(key, "true or false", node);
        }
        flag
    }

    /// The items of `key`; none when it isn't there.
    pub fn list(&mut self, key: &str) -> &'n [Node] {
        let Some(node) = self.get(key) else { return &[] };
        node.items().unwrap_or_else(|| {
            self.shape(key, "a list", node);
            &[]
        })
    }

    /// The entries of the map `key`; none when it isn't there. Keys that come twice are noted.
    pub fn map(&mut self, key: &str, what: &'static str) -> &'n [Entry] {
        let Some(node) = self.get(key).filter(|node| !node.is_null()) else { return &[] };
        Fields::new(self.file, node, what, self.mistakes).entries()
    }

    /// Where `key` stands, or the map itself.
    pub fn pos(&self, key: &str) -> Pos {
        let entry = self.entries().iter().rev().find(|entry| entry.key == key);
        entry.map_or(self.node.pos, |entry| entry.pos)
    }

    /// Notes that `key` isn't there. Of what isn't a map that has been said already.
    pub fn missing(&mut self, key: &str) {
        if self.node.entries().is_none() {
            return;
        }
        let message = format!("{} needs the key `{key}`", self.what);
        self.mistake(Code::MissingKey, message, self.node.pos);
    }

    /// Notes that the value of `key` is of another shape.
    pub fn shape(&mut self, key: &str, expected: &str, node: &Node) {
        if matches!(node.kind, Kind::Alias) {
            return self.alias(node.pos);
        }
        let message = format!("`{key}` must be {expected}, not {}", node.what());
        self.mistake(Code::WrongShape, message, node.pos);
    }

    fn alias(&mut self, pos: Pos) {
        let message = "an alias (`*name`) isn't read here: write the value out";
        self.mistake(Code::YamlAlias, message, pos);
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, code: Code, message: impl AsRef<str>, pos: Pos) {
        let finding = self.finding(code, message, pos);
        self.mistakes.push(finding);
    }

    /// A mistake to be completed; what looks like a secret isn't in it.
    pub fn finding(&self, code: Code, message: impl AsRef<str>, pos: Pos) -> Finding {
        Finding::new(code, message).at(pos.place(self.file))
    }
}
