//! The source lines that findings show, without secrets.
//!
//! A line that is shown never has a token, a password of a URL, a part of a private key, or the
//! value of a key with a name that means a secret.

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use envlock_text::redact::{self, redact};

use crate::Place;

/// The texts of files, by the file names of places. Lines of other files aren't shown.
#[derive(Clone, Default)]
pub struct SourceTexts {
    files: BTreeMap<String, Source>,
}

#[derive(Clone)]
struct Source {
    text: String,
    /// The parts that look like secrets. A private key has many lines.
    secrets: Vec<Range<usize>>,
}

/// A line of a file without secrets.
pub(super) struct RedactedLine<'a> {
    /// The text without its line end.
    pub(super) text: Cow<'a, str>,
    /// Whether something was redacted. Then columns of the file don't apply to the text.
    pub(super) is_redacted: bool,
}

impl SourceTexts {
    /// Adds a file.
    pub fn insert(&mut self, file: &str, text: String) {
        let secrets = redact::find_secrets(&text).into_iter().map(|(range, _)| range).collect();
        self.files.insert(file.to_owned(), Source { text, secrets });
    }

    /// Returns the line of a place. `None` if the line is unknown or blank.
    pub(super) fn line(&self, place: &Place) -> Option<RedactedLine<'_>> {
        let source = self.files.get(&place.file)?;
        let index = usize::try_from(place.line).ok()?.checked_sub(1)?;
        let mut start = 0;
        let line = source.text.split_inclusive('\n').nth(index).inspect(|line| {
            start = line.as_ptr() as usize - source.text.as_ptr() as usize;
        })?;
        let line = line.trim_end_matches(['\n', '\r']);
        let line = if index == 0 { line.trim_start_matches('\u{feff}') } else { line };
        if line.trim().is_empty() {
            return None;
        }
        let range = start..start + line.len();
        let spans_lines = |secret: &Range<usize>| {
            secret.start < range.end
                && range.start < secret.end
                && source.text[secret.clone()].contains('\n')
        };
        if source.secrets.iter().any(spans_lines) {
            return Some(RedactedLine {
                text: Cow::Borrowed("[not shown: a key]"),
                is_redacted: true,
            });
        }
        let shown = without_values(&without_logins(&redact(line)));
        let is_redacted = shown != line;
        let text = if is_redacted { Cow::Owned(shown) } else { Cow::Borrowed(line) };
        Some(RedactedLine { text, is_redacted })
    }
}

/// Redacts what is a login or a token if a URL is mistyped, as in `me:password@host` and
/// `https//host/t/token/`, which [`redact`] doesn't recognise as a URL.
fn without_logins(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for word in line.split_inclusive([' ', '\t', '"', '\'', '`']) {
        match hidden_in(word) {
            Some(hidden) => shown.extend([&word[..hidden.start], "***", &word[hidden.end..]]),
            None => shown.push_str(word),
        }
    }
    shown
}

fn hidden_in(word: &str) -> Option<Range<usize>> {
    let is_scheme = |at: usize| word[at..].starts_with("://");
    let colon = word.match_indices(':').map(|(at, _)| at).find(|at| !is_scheme(*at));
    if let (Some(colon), Some(at)) = (colon, word.rfind('@'))
        && colon < at
    {
        return Some(colon + 1..at);
    }
    // `https://user:password` without `@host`: the password is no port.
    if let Some(colon) = colon.filter(|_| word.contains("://")) {
        let after = &word[colon + 1..];
        let end = after.find(|c: char| !c.is_alphanumeric()).unwrap_or(after.len());
        if after[..end].contains(|c: char| !c.is_ascii_digit()) {
            return Some(colon + 1..colon + 1 + end);
        }
    }
    let (before, token, _) = redact::split_path_token(word)?;
    let start = before.len() + "t/".len();
    Some(start..start + token.trim_end_matches([' ', '\t', '"', '\'', '`']).len())
}

/// Parts of the names of keys whose values are redacted.
const SECRET_WORDS: [&str; 10] = [
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "private",
    "credential",
    "value",
];

/// Replaces the values of keys with secret names by `***`, as in `password: x` and
/// `API_TOKEN = "x"`. A value that is a list, a mapping or a reference isn't replaced.
fn without_values(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find([':', '=']) {
        let (key, value) = (&rest[..at], &rest[at + 1..]);
        shown.push_str(&rest[..=at]);
        rest = value;
        let blank = value.len() - value.trim_start().len();
        let begins = value[blank..].chars().next();
        let is_value = begins.is_some_and(|c| !"{[#&*|>:/".contains(c));
        if !is_value
            || !is_secret(key)
            || (line[..line.len() - value.len()].ends_with(':') && blank == 0)
        {
            continue;
        }
        let end = end_of_value(&value[blank..]);
        shown.push_str(&value[..blank]);
        shown.push_str("***");
        rest = &value[blank + end..];
    }
    shown.push_str(rest);
    shown
}

/// Whether the last word of `before` is a name that means a secret.
fn is_secret(before: &str) -> bool {
    let before = before.trim_end_matches([' ', '"', '\'', ':', '=', '+', '-']);
    let start = before.rfind(|c: char| !(c.is_alphanumeric() || "_-.".contains(c)));
    let word = before[start.map_or(0, |at| at + 1)..].to_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|secret| word.contains(secret))
}

/// Returns the end of a value: after its closing quote, or before the end of a list's item.
fn end_of_value(value: &str) -> usize {
    let quote = value.chars().next().filter(|c| "\"'".contains(*c));
    let inside = |quote| value[1..].find(quote).map(|at| at + 2);
    let plain = || value.find([',', '}', ']']).unwrap_or(value.len());
    match quote {
        Some(quote) => inside(quote).unwrap_or(value.len()),
        None => plain(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, line: u32) -> Option<String> {
        let mut sources = SourceTexts::default();
        sources.insert("a.yml", text.to_owned());
        sources.line(&Place::new("a.yml", line, 1)).map(|line| line.text.into_owned())
    }

    #[test]
    fn a_line_that_the_file_does_not_have_is_not_shown() {
        for (text, line) in [("a\n", 2), ("a", 0), ("", 1), ("\n  \n", 2)] {
            assert_eq!(shown(text, line), None, "{text:?}");
        }
        assert!(SourceTexts::default().line(&Place::new("a.yml", 1, 1)).is_none());
        assert_eq!(shown("a\r\nb", 1).as_deref(), Some("a"));
    }

    #[test]
    fn no_secret_of_a_line_is_shown() {
        for line in [
            "token: CANARY",
            "  - DB_PASSWORD: \"CANARY, CANARY\"",
            "needs: {db: {password: CANARY, host: x}}",
            "apiKey = 'CANARY'",
            "api-key: CANARY",
            "my_secret:  CANARY",
            "client_secret=CANARY",
            "x: hvs.CANARYcanary0123456789",
            "- https://user:CANARY@host/channel",
            "- https://host/t/CANARY/channel",
            "mirrors = ['me:CANARY@mirror.example']",
            "mirrors = [\"https://conda.anaconda.org/=htps//me:CANARY@mirror.example/x\"]",
            "- https://me:1/CANARY@host/channel",
            "- https//host/t/CANARY/channel",
            "- https//host/t/CANARY",
            "mirrors = ['https://conda.anaconda.org/=https://me:CANARY']",
            "  - --index-url=https://u:CANARY@host/simple?x=CANARY",
        ] {
            let shown = shown(line, 1).unwrap();
            assert!(!shown.contains("CANARY"), "{shown}");
        }
    }

    #[test]
    fn no_line_of_a_private_key_is_shown() {
        let key = "a: |\n  -----BEGIN PRIVATE KEY-----\n  CANARY1\n  CANARY2\n  -----END PRIVATE KEY-----\nb: 1\n";
        for line in 2..=5 {
            let shown = shown(key, line).unwrap();
            assert!(!shown.contains("CANARY") && shown.contains("not shown"), "{shown}");
        }
        assert_eq!(shown(key, 6).as_deref(), Some("b: 1"));
    }

    #[test]
    fn ordinary_lines_are_not_changed() {
        for line in [
            "dependencies:",
            "  - python >=3.10",
            "path \"secret/data/app\" { capabilities = [\"read\"] }",
            "    mount: secret",
            "    password: {env: DB_PASSWORD}",
            "channels: [https://conda.anaconda.org/conda-forge]",
            "secrets:",
            "channel: secret::x",
            "channels: [http://127.0.0.1:8000/x]",
            "- https://$HOST:$PORT/x::y",
        ] {
            assert_eq!(shown(line, 1).as_deref(), Some(line));
        }
    }
}
