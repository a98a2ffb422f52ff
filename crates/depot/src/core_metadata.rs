//! The metadata of a Python distribution: `METADATA` of a wheel and `PKG-INFO` of an sdist.

use crate::simple_index::Release;

/// Fields in the order in which they are written, and a description.
#[derive(Debug, Clone)]
pub(crate) struct CoreMetadata {
    fields: Vec<(String, String)>,
    description: String,
}

impl CoreMetadata {
    pub(crate) fn new(metadata_version: &str, name: &str, version: &str) -> Self {
        let fields = [("Metadata-Version", metadata_version), ("Name", name), ("Version", version)];
        let fields = fields.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self { fields: fields.into(), description: String::new() }
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, key: &str, value: impl Into<String>) {
        self.fields.push((key.to_owned(), value.into()));
    }

    /// Replaces all lines of this field with one, at the place of the first.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<String>) {
        let at = self.fields.iter().position(|(field, _)| field == key);
        self.fields.retain(|(field, _)| field != key);
        let at = at.unwrap_or(self.fields.len());
        self.fields.insert(at, (key.to_owned(), value.into()));
    }

    pub(crate) fn set_description(&mut self, text: impl Into<String>) {
        self.description = text.into();
    }

    /// Returns what an index takes from it.
    pub(crate) fn release(&self) -> Release<'_> {
        Release {
            project: self.get("Name").unwrap_or_default(),
            version: self.get("Version").unwrap_or_default(),
            requires_python: self.get("Requires-Python"),
        }
    }

    /// Returns the first value of a field.
    fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == key).map(|(_, value)| value.as_str())
    }

    /// Returns the metadata without these fields, which it calls dynamic instead.
    pub(crate) fn with_dynamic(&self, keys: &[String]) -> Self {
        let mut metadata = self.clone();
        metadata.fields.retain(|(field, _)| !keys.contains(field));
        for key in keys {
            metadata.add("Dynamic", key.as_str());
        }
        metadata
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (key, value) in &self.fields {
            text.push_str(&format!("{key}: {value}\n"));
        }
        if !self.description.is_empty() {
            text.push('\n');
            text.push_str(&self.description);
        }
        text
    }
}
