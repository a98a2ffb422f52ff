//! The fields of one map of a YAML or JSON text, with every mistake noted where it stands.

use envlock_text::Pos;
use envlock_text::tree::{Entry, Node};

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
    /// The fields of `node`; anything but a mapping is a mistake.
    pub fn new(
        file: &'n str,
        node: &'n Node,
        what: &'static str,
        mistakes: &'m mut Mistakes,
    ) -> Self {
        let mut fields = Self { file, node, what, mistakes };
        if node.entries().is_none() {
            fields.wrong_type(what, "a mapping", node);
        }
        fields
    }

    /// Notes every key that isn't one of `keys`, with the nearest that is.
    pub fn known(&mut self, keys: &[&str]) {
        for entry in self.entries() {
            if keys.contains(&entry.name()) {
                continue;
            }
            let mut finding = self.unknown(entry);
            if finding.help.is_none() {
                finding.help = Some(unknown_key_help(entry.name(), keys));
            }
            self.mistakes.push(finding);
        }
    }

    /// An address gets its own advice: whoever writes one has misunderstood more than a name.
    fn unknown(&self, entry: &Entry) -> Finding {
        if matches!(entry.name(), "address" | "addr" | "url" | "host") {
            let message =
                format!("a manifest holds no address, and `{}` looks like one", entry.name());
            return self.finding(Code::AddressInManifest, message, entry.pos()).with_help(
                "take it out; the address comes from VAULT_ADDR (or BAO_ADDR) where the program runs",
            );
        }
        if matches!(entry.name(), "default" | "value" | "fallback") {
            let message =
                format!("a secret has no `{}`: it would be a secret in git", entry.name());
            return self
                .finding(Code::ValueInManifest, message, entry.pos())
                .with_help("take it out; a need that may be absent says `required: false`");
        }
        let message = format!("`{}` isn't a key of {}", entry.name(), self.what);
        self.finding(Code::UnknownKey, message, entry.pos())
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
        self.shape(key, "text", node);
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
            let pos = self.get(key).map_or(self.pos(key), |node| node.start);
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
        let pos = self.get(key).map_or(self.pos(key), |node| node.start);
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
        if let Err(expected) = pattern(entry.name()) {
            let message = format!("`{}` can't be {what}: {expected}", entry.name());
            self.mistake(Code::WrongWord, message, entry.pos());
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

    /// The texts of the list `key`; none when it isn't there.
    pub fn texts(&mut self, key: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for node in self.list(key) {
            match node.text() {
                Some(text) => texts.push(text.to_owned()),
                None => self.wrong_type(&format!("an item of `{key}`"), "text", node),
            }
        }
        texts
    }

    /// The entries of the map `key`; none when it isn't there.
    pub fn map(&mut self, key: &str, what: &'static str) -> &'n [Entry] {
        let Some(node) = self.get(key).filter(|node| !node.is_null()) else { return &[] };
        Fields::new(self.file, node, what, self.mistakes).entries()
    }

    /// Where `key` stands, or the map itself.
    pub fn pos(&self, key: &str) -> Pos {
        let entry = self.entries().iter().rev().find(|entry| entry.name() == key);
        entry.map_or(self.node.start, Entry::pos)
    }

    /// Notes that `key` isn't there. Of what isn't a map that has been said already.
    pub fn missing(&mut self, key: &str) {
        if self.node.entries().is_none() {
            return;
        }
        let message = format!("{} needs the key `{key}`", self.what);
        self.mistake(Code::MissingKey, message, self.node.start);
    }

    /// Notes that the value of `key` has another type.
    pub fn shape(&mut self, key: &str, expected: &str, node: &Node) {
        self.wrong_type(&format!("`{key}`"), expected, node);
    }

    /// Notes that a value has another type; `what` is a noun or a key in backquotes.
    pub fn wrong_type(&mut self, what: &str, expected: &str, node: &Node) {
        let finding = wrong_type(self.file, what, expected, node);
        self.mistakes.push(finding);
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

/// The finding for a value that has another type than `expected`.
pub fn wrong_type(file: &str, what: &str, expected: &str, node: &Node) -> Finding {
    let message = format!("{what} must be {expected}, and this is {}", node.noun());
    Finding::new(Code::WrongType, message).at(node.place(file))
}

/// The help for a key that isn't known: the nearest that is, else all of them.
pub fn unknown_key_help(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the keys are {}", known.join(", ")),
    }
}
