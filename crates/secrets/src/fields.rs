//! The fields of one map of a YAML or JSON text, with every mistake noted where it stands.

use envlock_report::{Code, Finding, nearest};

use crate::mistakes::Mistakes;
use envlock_text::Pos;
use envlock_text::redact;
use envlock_text::tree::{Entry, Kind, Node};

/// A map that is being read.
pub(crate) struct Fields<'n, 'm> {
    pub(crate) file: &'n str,
    node: &'n Node,
    /// What the map is, for messages: `a need`, `a profile`.
    what: &'static str,
    pub(crate) mistakes: &'m mut Mistakes,
}

impl<'n, 'm> Fields<'n, 'm> {
    /// The fields of `node`; anything but a map, and every key that comes twice, is a mistake.
    pub(crate) fn new(
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
                let diagnostic = self.diagnostic(Code::DuplicateKey, message, entry.pos);
                self.mistakes.push(diagnostic.with_note(note));
            }
        }
    }

    /// Notes every key that isn't one of `keys`, with the nearest that is.
    pub(crate) fn known(&mut self, keys: &[&str]) {
        for entry in self.entries() {
            if keys.contains(&entry.key.as_str()) {
                continue;
            }
            let mut diagnostic = self.unknown(entry);
            if diagnostic.help.is_none() {
                diagnostic.help = match nearest(&entry.key, keys.iter().copied()) {
                    Some(near) => Some(format!("did you mean `{near}`?")),
                    None => Some(format!("the keys are {}", keys.join(", "))),
                };
            }
            self.mistakes.push(diagnostic);
        }
    }

    /// An address gets its own advice: whoever writes one has misunderstood more than a name.
    fn unknown(&self, entry: &Entry) -> Finding {
        if matches!(entry.key.as_str(), "address" | "addr" | "url" | "host") {
            let message =
                format!("a manifest holds no address, and `{}` looks like one", entry.key);
            return self.diagnostic(Code::AddressInManifest, message, entry.pos).with_help(
                "take it out; the address comes from VAULT_ADDR (or BAO_ADDR) where the program runs",
            );
        }
        if matches!(entry.key.as_str(), "default" | "value" | "fallback") {
            let message = format!("a secret has no `{}`: it would be a secret in git", entry.key);
            return self
                .diagnostic(Code::ValueInManifest, message, entry.pos)
                .with_help("take it out; a need that may be absent says `required: false`");
        }
        let message = format!("`{}` isn't a key of {}", entry.key, self.what);
        self.diagnostic(Code::UnknownKey, message, entry.pos)
    }

    /// The entries in the order of the file.
    pub(crate) fn entries(&self) -> &'n [Entry] {
        self.node.entries().unwrap_or_default()
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        let node: &'n Node = self.node;
        node.get(key)
    }

    /// The text of `key`.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        if let Some(text) = node.text() {
            return Some(text.to_owned());
        }
        self.shape(key, "a word", node);
        None
    }

    /// The text of `key`, which must be there.
    pub(crate) fn required(&mut self, key: &str) -> Option<String> {
        if self.get(key).is_none() {
            self.missing(key);
        }
        self.text(key)
    }

    /// `true` or `false` of `key`.
    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        let flag = node.boolean();
        if flag.is_none() {
            self.shape(key, "true or false", node);
        }
        flag
    }

    /// The items of `key`; none when it isn't there.
    pub(crate) fn list(&mut self, key: &str) -> &'n [Node] {
        let Some(node) = self.get(key) else { return &[] };
        node.items().unwrap_or_else(|| {
            self.shape(key, "a list", node);
            &[]
        })
    }

    /// The entries of the map `key`; none when it isn't there. Keys that come twice are noted.
    pub(crate) fn map(&mut self, key: &str, what: &'static str) -> &'n [Entry] {
        let Some(node) = self.get(key).filter(|node| !node.is_null()) else { return &[] };
        Fields::new(self.file, node, what, self.mistakes).entries()
    }

    /// Where `key` stands, or the map itself.
    pub(crate) fn pos(&self, key: &str) -> Pos {
        let entry = self.entries().iter().rev().find(|entry| entry.key == key);
        entry.map_or(self.node.pos, |entry| entry.pos)
    }

    /// Notes that `key` isn't there. Of what isn't a map that has been said already.
    pub(crate) fn missing(&mut self, key: &str) {
        if self.node.entries().is_none() {
            return;
        }
        let message = format!("{} needs the key `{key}`", self.what);
        self.mistake(Code::MissingKey, message, self.node.pos);
    }

    /// Notes that the value of `key` is of another shape.
    pub(crate) fn shape(&mut self, key: &str, expected: &str, node: &Node) {
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
    pub(crate) fn mistake(&mut self, code: Code, message: impl AsRef<str>, pos: Pos) {
        let diagnostic = self.diagnostic(code, message, pos);
        self.mistakes.push(diagnostic);
    }

    /// A mistake to be completed; what looks like a secret isn't in it.
    pub(crate) fn diagnostic(&self, code: Code, message: impl AsRef<str>, pos: Pos) -> Finding {
        Finding::new(code, redact(message.as_ref())).at(pos.place(self.file))
    }
}
