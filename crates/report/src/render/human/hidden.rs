//! Hides values that could be secrets without a known format: the value of an unknown key, and
//! a value in a place where it isn't allowed.

use std::collections::{BTreeMap, btree_map::Entry};

use super::snippet::marked;
use crate::{Code, Finding, Place};

/// The hidden parts of lines, by file and line.
#[derive(Default)]
pub(super) struct HiddenValues<'a>(BTreeMap<(&'a str, u32), Hidden<'a>>);

/// A hidden part of a line. The first one of a line decides.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Hidden<'a> {
    /// The column where it starts.
    column: u32,
    /// Whether the word at this column is shown.
    is_word_shown: bool,
    /// The message of the finding.
    message: &'a str,
}

/// Keys whose values are names of public packages, channels and platforms.
const PUBLIC_KEYS: [&str; 3] = ["`channels`", "`dependencies`", "`platforms`"];

impl<'a> HiddenValues<'a> {
    /// Determines the hidden parts from the codes of the findings.
    pub(super) fn new(findings: &'a [Finding]) -> Self {
        let mut hidden = BTreeMap::new();
        for finding in findings {
            let is_word_shown = match finding.code {
                // The place of the finding is the key.
                Code::UnknownKey | Code::UnknownField | Code::ValueInManifest => true,
                // The place of the finding can be the value.
                Code::PipCredential
                | Code::SecretInFile
                | Code::VariableCredential
                | Code::WrongType => false,
                _ => continue,
            };
            let Some(Place { file, line, column, .. }) = &finding.place else { continue };
            let texts = || [Some(&finding.message), finding.help.as_ref()].into_iter().flatten();
            if PUBLIC_KEYS.iter().any(|key| texts().any(|text| text.contains(key))) {
                continue;
            }
            let (column, message) = (*column, finding.message.as_str());
            let part = Hidden { column, is_word_shown, message };
            match hidden.entry((file.as_str(), *line)) {
                Entry::Vacant(entry) => drop(entry.insert(part)),
                Entry::Occupied(mut entry) if part < *entry.get() => drop(entry.insert(part)),
                Entry::Occupied(_) => {}
            }
        }
        Self(hidden)
    }

    /// Returns the line without its hidden part. `None` if no part of it is hidden.
    pub(super) fn cut(&self, line: &str, place: &Place) -> Option<String> {
        let Hidden { column, is_word_shown, message } =
            self.0.get(&(place.file.as_str(), place.line))?;
        let at = Place { column: *column, end_column: None, ..place.clone() };
        let (from, to) = marked(line, &at);
        let end = if *is_word_shown { to } else { from };
        let rest = line[end..].trim_matches(|c: char| !c.is_alphanumeric());
        // What the message quotes isn't hidden.
        let is_harmless = rest.len() <= 3
            || ["true", "false", "null"].contains(&rest)
            || message.contains(&format!("`{rest}`"));
        (!is_harmless).then(|| format!("{} ***", line[..end].trim_end()))
    }
}
