//! Lines of which a part may be a secret that has no shape: the value of a key that isn't
//! known, or a value where none belongs. Nobody can tell, so it isn't shown.

use std::collections::BTreeMap;

use super::snippet::marked;
use crate::{Code, Finding, Place};

/// What isn't shown of lines, by file and line: the column from which on, counted from 0, and
/// whether the word there is shown.
#[derive(Default)]
pub(super) struct Hidden<'a>(BTreeMap<(&'a str, u32), (u32, bool)>);

impl<'a> Hidden<'a> {
    pub(super) fn of(findings: &'a [Finding]) -> Self {
        let mut hidden = BTreeMap::new();
        for finding in findings {
            let is_word_shown = match finding.code {
                // The place is that of the key.
                Code::UnknownKey | Code::UnknownField | Code::ValueInManifest => true,
                // The place may be that of the value.
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

    /// The line without what isn't shown; none where all of it is.
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
