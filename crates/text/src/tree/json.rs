//! Parses JSON into the tree.
//!
//! serde_json isn't used, because it keeps only one of two duplicate keys and has no positions.
//! Vault and OpenBao use both of two duplicate keys of a policy.

use super::node::{Entry, Kind, Node, Size};
use super::read::check_size;
use crate::error::{Fault, ReadError};
use crate::limits::Limits;
use crate::place::Pos;

/// Parses a JSON text. Duplicate keys are kept.
///
/// # Errors
/// Returns the place where the text isn't valid JSON or exceeds a limit.
pub(super) fn parse(file: &str, text: &str, limits: &Limits) -> Result<Node, ReadError> {
    check_size(file, text, limits)?;
    let mut reader = Reader::new(file, text, limits);
    let node = reader.value(0)?;
    reader.space();
    if reader.rest.is_empty() { Ok(node) } else { Err(reader.error("the end of the file")) }
}

/// Parses a policy in JSON as Vault and OpenBao do: texts may have control characters, and what follows
/// the first value isn't read. Returns that rest, too.
///
/// # Errors
/// Returns the place where the text can't be read or exceeds a limit.
pub fn parse_policy<'t>(
    file: &str,
    text: &'t str,
    limits: &Limits,
) -> Result<(Node, &'t str), ReadError> {
    check_size(file, text, limits)?;
    let mut reader = Reader { control_characters: true, ..Reader::new(file, text, limits) };
    let node = reader.value(0)?;
    let read = text.len() - reader.rest.len();
    Ok((node, &text[read..]))
}

struct Reader<'a> {
    file: &'a str,
    limits: &'a Limits,
    rest: &'a str,
    pos: Pos,
    values: usize,
    /// Whether a text may have control characters, but for the end of a line and NUL.
    control_characters: bool,
}

/// The size of every node. It isn't used, because JSON has no aliases that copy nodes.
const SIZE: Size = Size { nodes: 1, levels: 1, bytes: 0 };

impl<'a> Reader<'a> {
    fn new(file: &'a str, text: &'a str, limits: &'a Limits) -> Self {
        Self { file, limits, rest: text, pos: Pos::START, values: 0, control_characters: false }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.pos = Pos { line: self.pos.line + 1, column: 1 };
        } else {
            self.pos.column += 1;
        }
        Some(c)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.next();
        }
    }

    fn error(&self, expected: &str) -> ReadError {
        let found = match self.peek() {
            None => "the file ends".to_owned(),
            Some(c) => format!("found {c:?}"),
        };
        self.syntax(self.pos, format!("expected {expected}, but {found}"))
    }

    fn syntax(&self, at: Pos, message: String) -> ReadError {
        Fault::Syntax { format: "JSON", message, tab: false }.at(at.place(self.file))
    }

    fn value(&mut self, depth: usize) -> Result<Node, ReadError> {
        self.space();
        let pos = self.pos;
        self.values += 1;
        if self.values > self.limits.values {
            return Err(Fault::TooMany(self.limits.values).at(pos.place(self.file)));
        }
        if depth > self.limits.depth {
            return Err(Fault::TooDeep(self.limits.depth).at(pos.place(self.file)));
        }
        let kind = match self.peek() {
            Some('{') => Kind::Map(self.map(depth)?),
            Some('[') => Kind::List(self.list(depth)?),
            Some('"') => Kind::Scalar { text: self.string()?, plain: false },
            Some(_) => Kind::Scalar { text: self.word()?, plain: true },
            None => return Err(self.error("a value")),
        };
        Ok(Node { start: pos, end: self.pos, kind, size: SIZE })
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Entry>, ReadError> {
        self.next();
        let mut entries = Vec::new();
        self.space();
        if self.peek() == Some('}') {
            self.next();
            return Ok(entries);
        }
        loop {
            self.space();
            let pos = self.pos;
            if self.peek() != Some('"') {
                return Err(self.error("a quoted key"));
            }
            let text = self.string()?;
            let key = Node::scalar(pos, self.pos, text, false);
            self.space();
            if self.peek() != Some(':') {
                return Err(self.error("`:`"));
            }
            self.next();
            entries.push(Entry { key, value: self.value(depth + 1)? });
            if self.ends('}')? {
                return Ok(entries);
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, ReadError> {
        self.next();
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(']') {
            self.next();
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.ends(']')? {
                return Ok(items);
            }
        }
    }

    /// Reads what follows an item: `true` for the closing bracket, `false` for a comma.
    fn ends(&mut self, close: char) -> Result<bool, ReadError> {
        self.space();
        match self.peek() {
            Some(',') => {
                self.next();
                Ok(false)
            }
            Some(c) if c == close => {
                self.next();
                Ok(true)
            }
            _ => Err(self.error(&format!("`,` or `{close}`"))),
        }
    }

    fn string(&mut self) -> Result<String, ReadError> {
        let (start, before) = (self.pos, self.rest);
        self.next();
        loop {
            match self.next() {
                Some('"') => break,
                Some('\\') if self.next().is_some() => {}
                Some(c) if c >= ' ' => {}
                Some(c) if self.control_characters && !matches!(c, '\n' | '\0') => {}
                _ => {
                    return Err(self.syntax(start, "the text doesn't end on its line".to_owned()));
                }
            }
        }
        let literal = &before[..before.len() - self.rest.len()];
        let escape = |c: char| if c < ' ' { format!("\\u{:04x}", u32::from(c)) } else { c.into() };
        let escaped = literal.contains(|c: char| c < ' ');
        let escaped = escaped.then(|| literal.chars().map(escape).collect::<String>());
        serde_json::from_str(escaped.as_deref().unwrap_or(literal)).map_err(|_| {
            self.syntax(start, "the text has an escape that JSON doesn't allow".to_owned())
        })
    }

    /// Reads `true`, `false`, `null` or a number.
    fn word(&mut self) -> Result<String, ReadError> {
        let length = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')))
            .unwrap_or(self.rest.len());
        let word = self.rest[..length].to_owned();
        if serde_json::from_str::<serde_json::Value>(&word).is_err() {
            return Err(self.error("a value"));
        }
        for _ in 0..length {
            self.next();
        }
        Ok(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MANIFEST;

    #[test]
    fn duplicate_keys_are_kept_and_escapes_are_decoded() {
        let root =
            parse("p.json", "{\"a\": [1, true],\n \"a\": \"\\ud83d\\ude00\"}", &MANIFEST).unwrap();
        let entries = root.entries().unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1].pos(), Pos { line: 2, column: 2 });
        assert_eq!(entries[1].value.text(), Some("😀"));
        assert_eq!(entries[0].value.to_json(), serde_json::json!([1, true]));
    }

    #[test]
    fn a_policy_may_have_control_characters_and_what_follows_its_value_is_not_read() {
        let text = "{\"a\tb\": \"\u{1}\r\"} } \"";
        let (root, rest) = parse_policy("p.json", text, &MANIFEST).unwrap();
        let entries = root.entries().unwrap();
        assert_eq!((entries[0].name(), entries[0].value.text()), ("a\tb", Some("\u{1}\r")));
        assert_eq!(rest, " } \"");
        for refused in ["\"a\nb\"", "\"a\0b\"", "{"] {
            assert!(parse_policy("p.json", refused, &MANIFEST).is_err(), "{refused:?}");
        }
        assert!(parse("p.json", "\"\t\"", &MANIFEST).is_err());
    }

    #[test]
    fn invalid_json_is_an_error_with_its_place() {
        for text in
            ["{", "{\"a\" 1}", "{\"a\": }", "[1,]", "{\"a\": 01}", "\"a\nb\"", "{} x", "nul"]
        {
            assert!(parse("p.json", text, &MANIFEST).is_err(), "{text}");
        }
        let deep = parse("p.json", &"[".repeat(100_000), &MANIFEST).unwrap_err();
        assert_eq!(deep.fault, Fault::TooDeep(64));
    }
}
