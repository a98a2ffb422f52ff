//! A line of pip, as the lock records it.

use std::fmt;

use envlock_report::{Fields, Mistakes};
use envlock_text::redact;
use envlock_text::tree::Node;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::pip::RequestedPipLine;

/// A line of pip that the lock is made from.
///
/// The line of environment.yml is a text in the lock. A line of another file is a mapping, so that
/// one sees where it comes from: `{line: …, file: requirements.txt}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPipLine {
    /// The text as written, without comment and continuations. Its variables aren't replaced.
    pub text: String,
    /// Whether it only restricts a package.
    pub is_constraint: bool,
    /// The included file that has the line, relative to the project's folder. `None` for a line of
    /// environment.yml. It makes no difference for the lock.
    pub file: Option<String>,
}

impl LockedPipLine {
    /// Whether it has options for all packages. Their order has a meaning.
    pub fn is_option(&self) -> bool {
        let is_editable = ["-e", "--ed"].iter().any(|e| self.text.starts_with(e));
        self.text.starts_with('-') && !is_editable
    }

    /// Reads an item of `pip`.
    pub(super) fn read(file: &str, node: &Node, mistakes: &mut Mistakes) -> Self {
        if let Some(text) = node.text() {
            return Self { text: text.to_owned(), is_constraint: false, file: None };
        }
        let mut fields = Fields::new(file, node, "a line of `pip`", mistakes);
        fields.refuse_unknown_keys(&["line", "constraint", "file"]);
        Self {
            text: fields.required_text("line").unwrap_or_default(),
            is_constraint: fields.boolean("constraint").unwrap_or_default(),
            file: fields.text("file"),
        }
    }
}

impl From<&RequestedPipLine> for LockedPipLine {
    fn from(line: &RequestedPipLine) -> Self {
        let file = line.file.as_ref().map(|file| file.display().to_string());
        Self { text: line.text.clone(), is_constraint: line.is_constraint, file }
    }
}

impl Serialize for LockedPipLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(file) = &self.file else { return serializer.serialize_str(&self.text) };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("line", &self.text)?;
        if self.is_constraint {
            map.serialize_entry("constraint", &true)?;
        }
        map.serialize_entry("file", file)?;
        map.end()
    }
}

impl fmt::Display for LockedPipLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.text))
    }
}
