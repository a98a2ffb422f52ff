//! Readers of the fields of one mapping. They collect every mistake with its place.

use envlock_text::Pos;
use envlock_text::tree::{Entry, Node};

use crate::shapes::shape_of;
use crate::{Code, Finding, Mistakes, nearest};

/// The fields of a mapping in a YAML or JSON file.
pub struct Fields<'n, 'm> {
    /// The file, as the user named it.
    pub file: &'n str,
    node: &'n Node,
    /// A noun for messages, such as `a need`.
    noun: &'static str,
    /// The collected mistakes.
    pub mistakes: &'m mut Mistakes,
}

impl<'n, 'm> Fields<'n, 'm> {
    /// Starts to read `node`. Adds a mistake unless it is a mapping.
    pub fn new(
        file: &'n str,
        node: &'n Node,
        noun: &'static str,
        mistakes: &'m mut Mistakes,
    ) -> Self {
        let mut fields = Self { file, node, noun, mistakes };
        if node.entries().is_none() {
            fields.add_wrong_type_of(noun, "a mapping", node);
        }
        fields
    }

    /// Adds a mistake for every key that isn't in `keys`, with the nearest valid key.
    pub fn refuse_unknown_keys(&mut self, keys: &[&str]) {
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

    /// Creates the finding for an unknown key. Keys for an address or a value have another code.
    fn unknown(&self, entry: &Entry) -> Finding {
        if matches!(entry.name(), "address" | "addr" | "url" | "host") {
            let message =
                format!("a manifest has no server address; `{}` looks like one", entry.name());
            return self
                .finding(Code::AddressInManifest, message, entry.pos())
                .with_help("remove it; set VAULT_ADDR (or BAO_ADDR) where the program runs");
        }
        if matches!(entry.name(), "default" | "value" | "fallback") {
            let message =
                format!("a need has no `{}`: the value would be a secret in git", entry.name());
            return self
                .finding(Code::ValueInManifest, message, entry.pos())
                .with_help("remove it; write `required: false` if the secret may be missing");
        }
        let message = format!("`{}` isn't a key of {}", entry.name(), self.noun);
        self.finding(Code::UnknownKey, message, entry.pos())
    }

    /// Returns the entries in the order of the file.
    pub fn entries(&self) -> &'n [Entry] {
        self.node.entries().unwrap_or_default()
    }

    /// Returns the value of `key`.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        let node: &'n Node = self.node;
        node.get(key)
    }

    /// Returns the text of `key`. Adds a mistake if it has another type.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        if let Some(text) = node.text() {
            return Some(text.to_owned());
        }
        self.add_wrong_type(key, "text", node);
        None
    }

    /// Returns the text of `key`. Adds a mistake if the key is missing or has another type.
    pub fn required_text(&mut self, key: &str) -> Option<String> {
        if self.get(key).is_none() {
            self.add_missing_key(key);
        }
        self.text(key)
    }

    /// Returns the text of `key`. Adds a mistake unless it matches `pattern`.
    pub fn text_matching(
        &mut self,
        key: &str,
        pattern: fn(&str) -> Result<(), &'static str>,
    ) -> Option<String> {
        let text = self.text(key)?;
        if let Err(expected) = pattern(&text) {
            let pos = self.get(key).map_or(self.pos(key), |node| node.start);
            self.add_mistake(Code::InvalidText, format!("`{key}: {text}` must be {expected}"), pos);
        }
        Some(text)
    }

    /// Returns the choice that `key` names. An unknown one is a mistake with the nearest choice.
    pub fn choice<T: Copy>(&mut self, key: &str, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let pos = self.get(key).map_or(self.pos(key), |node| node.start);
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let finding =
            self.finding(Code::UnknownValue, format!("`{text}` isn't a known `{key}`"), pos);
        self.mistakes.push(finding.with_help(match nearest(&text, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the values are {}", names.join(", ")),
        }));
        None
    }

    /// Adds a mistake if the key of `entry` doesn't match `pattern`.
    pub fn check_key(
        &mut self,
        entry: &Entry,
        what: &str,
        pattern: fn(&str) -> Result<(), &'static str>,
    ) {
        if let Err(expected) = pattern(entry.name()) {
            let message = format!("`{}` can't be {what}: {expected}", entry.name());
            self.add_mistake(Code::InvalidText, message, entry.pos());
        }
    }

    /// Returns the boolean of `key`. Adds a mistake if it has another type.
    pub fn boolean(&mut self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        let flag = node.boolean();
        if flag.is_none() {
            self.add_wrong_type(key, "true or false", node);
        }
        flag
    }

    /// Returns the items of the list `key`. Empty if the key is missing.
    pub fn items_of(&mut self, key: &str) -> &'n [Node] {
        let Some(node) = self.get(key) else { return &[] };
        node.items().unwrap_or_else(|| {
            self.add_wrong_type(key, "a list", node);
            &[]
        })
    }

    /// Returns the texts of the list `key`. Empty if the key is missing.
    pub fn texts(&mut self, key: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for node in self.items_of(key) {
            match node.text() {
                Some(text) => texts.push(text.to_owned()),
                None => self.add_wrong_type_of(&format!("an item of `{key}`"), "text", node),
            }
        }
        texts
    }

    /// Returns the entries of the mapping `key`. Empty if the key is missing.
    pub fn entries_of(&mut self, key: &str, what: &'static str) -> &'n [Entry] {
        let Some(node) = self.get(key).filter(|node| !node.is_null()) else { return &[] };
        Fields::new(self.file, node, what, self.mistakes).entries()
    }

    /// Returns the position of `key`, or of the mapping if the key is missing.
    pub fn pos(&self, key: &str) -> Pos {
        let entry = self.entries().iter().rev().find(|entry| entry.name() == key);
        entry.map_or(self.node.start, Entry::pos)
    }

    /// Adds a mistake for a missing key, unless the node isn't a mapping, which is reported
    /// already.
    pub fn add_missing_key(&mut self, key: &str) {
        if self.node.entries().is_none() {
            return;
        }
        let message = format!("{} needs the key `{key}`", self.noun);
        self.add_mistake(Code::MissingKey, message, self.node.start);
    }

    /// Adds a mistake: the value of `key` has another type.
    pub fn add_wrong_type(&mut self, key: &str, expected: &str, node: &Node) {
        self.add_wrong_type_of(&format!("`{key}`"), expected, node);
    }

    /// Adds a mistake: a value has another type. `what` is a noun or a key in backquotes.
    pub fn add_wrong_type_of(&mut self, what: &str, expected: &str, node: &Node) {
        let finding = wrong_type(self.file, what, expected, node);
        self.mistakes.push(finding);
    }

    /// Adds a mistake.
    pub fn add_mistake(&mut self, code: Code, message: impl AsRef<str>, pos: Pos) {
        let finding = self.finding(code, message, pos);
        self.mistakes.push(finding);
    }

    /// Creates a finding at `pos`. Texts that look like secrets are redacted.
    pub fn finding(&self, code: Code, message: impl AsRef<str>, pos: Pos) -> Finding {
        Finding::new(code, message).at(pos.place(self.file))
    }
}

/// Creates the finding for a value whose type isn't `expected`.
pub fn wrong_type(file: &str, what: &str, expected: &str, node: &Node) -> Finding {
    let message = format!("{what} must be {expected}, and this is {}", node.type_name());
    let finding = Finding::new(Code::WrongType, message).at(node.place(file));
    match shape_of(what) {
        Some(shape) => finding.with_help(format!("write {shape}")),
        None => finding,
    }
}

/// Creates the help for an unknown key: the nearest valid key, or all keys.
pub fn unknown_key_help(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the keys are {}", known.join(", ")),
    }
}
