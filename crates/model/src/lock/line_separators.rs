//! Writes YAML in which U+2028 and U+2029 are kept.
//!
//! The library writes these separators of lines as they are into a quoted text and indents what
//! follows, so that it would be read as another text. Here they are escaped, as `\L` and `\P`.

use serde::Serialize;
use serde_yaml::Value;

/// A character that the library always escapes, as `\uFFFE`: no text file may have it.
const MARK: char = '\u{fffe}';
/// The separators, what stands for them while the library writes, and their escapes in YAML.
const SEPARATORS: [(char, &str, &str); 2] =
    [('\u{2028}', "\u{fffe}L", "\\L"), ('\u{2029}', "\u{fffe}P", "\\P")];

/// Writes `document` as YAML.
pub(super) fn to_yaml(document: &impl Serialize) -> Result<String, serde_yaml::Error> {
    let mut value = serde_yaml::to_value(document)?;
    mark(&mut value);
    let mut text = serde_yaml::to_string(&value)?;
    for (_, marked, escape) in SEPARATORS {
        text = text.replace(&marked.replace(MARK, "\\uFFFE"), escape);
    }
    Ok(text)
}

/// Replaces the separators in all texts and keys.
fn mark(value: &mut Value) {
    match value {
        Value::String(text) => {
            for (separator, marked, _) in SEPARATORS {
                if text.contains(separator) {
                    *text = text.replace(separator, marked);
                }
            }
        }
        Value::Sequence(items) => items.iter_mut().for_each(mark),
        Value::Mapping(entries) => {
            let marked = std::mem::take(entries).into_iter().map(|(mut key, mut value)| {
                mark(&mut key);
                mark(&mut value);
                (key, value)
            });
            *entries = marked.collect();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn separators_of_lines_are_read_as_they_were_written() {
        for text in ["a\u{2028}b", "\u{2028}", " \u{2029} ", "a\n\u{2028}b", "\u{2029}环境\u{2028}"]
        {
            let written = to_yaml(&BTreeMap::from([(text, text)])).expect("YAML");
            let read: BTreeMap<String, String> = serde_yaml::from_str(&written).expect("YAML");
            assert_eq!(read, BTreeMap::from([(text.to_owned(), text.to_owned())]), "{written}");
        }
    }
}
