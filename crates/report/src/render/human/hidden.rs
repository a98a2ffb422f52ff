//! Hides values that could be secrets without a known format: the value of an unknown key, and
//! a value in a place where it isn't allowed.

use std::collections::BTreeMap;

use super::snippet::marked;
use crate::{Code, Finding, Place};

/// The hidden parts of lines, by file and line: the column where the hidden part starts, and
/// whether the word at this column is shown.
#[derive(Default)]
pub(super) struct HiddenValues<'a>(BTreeMap<(&'a str, u32), (u32, bool)>);

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
            let from = (*column, is_word_shown);
            let known = hidden.entry((file.as_str(), *line)).or_insert(from);
            *known = from.min(*known);
        }
        Self(hidden)
    }

    /// Returns the line without its hidden part. `None` if no part of it is hidden.
    pub(super) fn cut(&self, line: &str, place: &Place) -> Option<String> {
        let (column, is_word_shown) = self.0.get(&(place.file.as_str(), place.line))?;
        let at = Place { column: *column, end_column: None, ..place.clone() };
        let (from, to) = marked(line, &at);
        let end = if *is_word_shown { to } else { from };
        let rest = line[end..].trim_matches(|c: char| !c.is_alphanumeric());
        let is_harmless = rest.len() <= 3 || ["true", "false", "null"].contains(&rest);
        (!is_harmless).then(|| format!("{} ***", line[..end].trim_end()))
    }
}
