//! The parser: makes a body of items from tokens.

use std::collections::HashSet;

use super::lexer::{Lexer, Token};
use crate::error::{PolicyError, PolicyErrorKind};
use crate::hcl_body::{HclBody, Identifier, Item, Value, ValueKind};
use envlock_text::{Pos, limits::MANIFEST};

/// Characters that the servers' scanner rejects anywhere, even in comments.
const FORBIDDEN: [char; 2] = ['\0', '\u{e123}'];

/// Parses a policy written in HCL. Also returns the first attribute that its object assigns twice,
/// in the same spelling, for which newer releases of Vault reject the text.
pub(crate) fn parse(file: &str, text: &str) -> Result<(HclBody, Option<Identifier>), PolicyError> {
    if text.starts_with('\u{feff}') {
        return Err(PolicyErrorKind::ByteOrderMark.at(file, Pos::START));
    }
    let mut lexer = Lexer::new(text);
    if text.contains(FORBIDDEN) {
        let (pos, found) = lexer.find(&FORBIDDEN);
        return Err(PolicyErrorKind::IllegalCharacter(found).at(file, pos));
    }
    let mut parser = Parser { lexer, ahead: None, values: 0, duplicate: None };
    let body = parser.body(None, 0).map_err(|(pos, fault)| fault.at(file, pos))?;
    Ok((body, parser.duplicate))
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    ahead: Option<(Pos, Token<'a>)>,
    values: usize,
    duplicate: Option<Identifier>,
}

type Parsed<T> = Result<T, (Pos, PolicyErrorKind)>;

impl<'a> Parser<'a> {
    fn next(&mut self) -> Parsed<(Pos, Token<'a>)> {
        match self.ahead.take() {
            Some(token) => Ok(token),
            None => self.lexer.next(),
        }
    }

    /// Counts a value, and checks the limits of depth and number.
    fn count(&mut self, pos: Pos, depth: usize) -> Parsed<()> {
        self.values += 1;
        if depth > MANIFEST.depth {
            return Err((pos, PolicyErrorKind::TooDeep));
        }
        if self.values > MANIFEST.values {
            return Err((pos, PolicyErrorKind::TooMany));
        }
        Ok(())
    }

    /// Parses the items up to the `}` that closes the brace at `opened`, or up to the end of the
    /// file.
    fn body(&mut self, opened: Option<Pos>, depth: usize) -> Parsed<HclBody> {
        let (mut items, mut assigned) = (Vec::new(), HashSet::new());
        loop {
            let (pos, token) = self.next()?;
            match (&token, opened) {
                (Token::End, None) | (Token::Punctuation('}'), Some(_)) => {
                    return Ok(HclBody { items });
                }
                (Token::End, Some(opened)) => return Err((opened, PolicyErrorKind::Unclosed('{'))),
                _ => {}
            }
            self.ahead = Some((pos, token));
            let (item, written) = self.item(depth)?;
            if written.is_some_and(|written| !assigned.insert(written)) {
                self.duplicate.get_or_insert_with(|| item.keys[0].clone());
            }
            items.push(item);
            match self.next()? {
                (_, Token::Punctuation(',')) => {}
                other => self.ahead = Some(other),
            }
        }
    }

    /// Parses an item. Also returns its key as it is written, if the item has a `=`.
    fn item(&mut self, depth: usize) -> Parsed<(Item, Option<&'a str>)> {
        let (mut keys, mut written) = (Vec::new(), "");
        loop {
            let (pos, token) = self.next()?;
            match token {
                Token::Word(word) => {
                    self.count(pos, depth)?;
                    written = word;
                    keys.push(Identifier { text: word.to_owned(), pos });
                }
                Token::Text(text, literal) => {
                    self.count(pos, depth)?;
                    written = literal;
                    keys.push(Identifier { text, pos });
                }
                Token::Punctuation('=') if keys.len() == 1 => {
                    // The servers never use a comment of a block.
                    self.lexer.unused = depth > 0 && keys[0].text == "comment";
                    let value = self.value(depth + 1);
                    self.lexer.unused = false;
                    return Ok((Item { keys, value: value? }, Some(written)));
                }
                Token::Punctuation('=') if keys.len() > 1 => {
                    return Err((pos, PolicyErrorKind::AssignedBlock));
                }
                Token::Punctuation('{') if !keys.is_empty() => {
                    self.count(pos, depth + 1)?;
                    let body = self.body(Some(pos), depth + 1)?;
                    let value = Value { pos, kind: ValueKind::Body(body) };
                    return Ok((Item { keys, value }, None));
                }
                other => {
                    let expected = if keys.is_empty() { "a key" } else { "`=` or `{`" };
                    return Err((
                        pos,
                        PolicyErrorKind::Expected { expected, found: other.describe() },
                    ));
                }
            }
        }
    }

    fn value(&mut self, depth: usize) -> Parsed<Value> {
        let (pos, token) = self.next()?;
        self.count(pos, depth)?;
        let kind = match token {
            Token::Text(text, _) | Token::Heredoc(text) => ValueKind::Text(text),
            Token::Number(number) => ValueKind::Number(number),
            Token::Bool(flag) => ValueKind::Bool(flag),
            Token::Punctuation('{') => ValueKind::Body(self.body(Some(pos), depth)?),
            Token::Punctuation('[') => ValueKind::List(self.list(pos, depth)?),
            other => {
                return Err((
                    pos,
                    PolicyErrorKind::Expected { expected: "a value", found: other.describe() },
                ));
            }
        };
        Ok(Value { pos, kind })
    }

    /// Parses a list. A comma follows each item but the last; a final comma is allowed.
    fn list(&mut self, opened: Pos, depth: usize) -> Parsed<Vec<Value>> {
        let mut items: Vec<Value> = Vec::new();
        let mut free = true;
        loop {
            let (pos, token) = self.next()?;
            match token {
                Token::Punctuation(']') => return Ok(items),
                Token::Punctuation(',') => free = true,
                Token::End => return Err((opened, PolicyErrorKind::Unclosed('['))),
                Token::Word(word) => return Err((pos, PolicyErrorKind::Unquoted(word.to_owned()))),
                other if !free => {
                    return Err((
                        pos,
                        PolicyErrorKind::Expected {
                            expected: "`,` or `]`",
                            found: other.describe(),
                        },
                    ));
                }
                other => {
                    self.ahead = Some((pos, other));
                    let item = self.value(depth + 1)?;
                    free = matches!(item.kind, ValueKind::List(_));
                    items.push(item);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        let (body, _) = parse("p.hcl", text).unwrap();
        body.items
            .iter()
            .map(|item| item.keys.iter().map(|key| key.text.as_str()).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn labels_comments_commas_and_line_ends_are_parsed_as_on_the_servers() {
        let text =
            "# a\r\npath \"密钥/a\" { /* b */ x = 1, y = [\"a\", \"b\",] }\r\n// c\npath kv { }";
        assert_eq!(keys(text), ["path 密钥/a", "path kv"]);
        assert_eq!(keys("a = <<EOT\nx\n EOT\nb = 2"), ["a", "b"]);
        assert_eq!(keys("a = [,1,, 2, [3] [4] 5,]"), ["a"]);
    }

    #[test]
    fn syntax_that_the_servers_reject_is_rejected_at_its_position() {
        for (text, line, column) in [
            ("path \"a\" {\n", 1, 10),
            ("x = [\n \"a\" \"b\"]", 2, 6),
            ("x = [read]", 1, 6),
            ("path \"a\" = {}", 1, 10),
            ("\u{feff}x = 1", 1, 1),
            ("x = \"a\ny\"", 1, 5),
            ("path true {}", 1, 6),
            ("/ x", 1, 1),
            ("x = <<EOT\nx\nEOT", 1, 5),
            ("}", 1, 1),
        ] {
            let error = parse("p.hcl", text).unwrap_err();
            assert_eq!((error.place.line, error.place.column), (line, column), "{text}: {error}");
        }
    }

    #[test]
    fn a_duplicate_is_an_attribute_with_equals_signs_in_the_same_spelling() {
        let duplicate = |text| {
            let (_, duplicate) = parse("p.hcl", text).unwrap();
            duplicate.map(|key| (key.text, key.pos.line, key.pos.column))
        };
        assert_eq!(duplicate("a = 1\na = 2"), Some(("a".to_owned(), 2, 1)));
        assert_eq!(
            duplicate("x { a = {\n \"b\" = 1, \"b\" = 2 } }"),
            Some(("b".to_owned(), 2, 11))
        );
        assert_eq!(duplicate("x = [{ a = 1, a = 2 }]"), Some(("a".to_owned(), 1, 15)));
        for text in [
            "a = 1\n\"a\" = 2",
            "\"a\" = 1\n\"\\u0061\" = 2",
            "a { }\na { }",
            "a = 1\na { }",
            "a \"b\" { }\na \"b\" { }",
            "x { a = 1 }\ny { a = 1 }",
        ] {
            assert_eq!(duplicate(text), None, "{text}");
        }
    }

    #[test]
    fn an_escape_that_is_too_large_is_an_error_only_where_the_text_is_used() {
        let with = |key: &str, escape: &str| {
            parse("p.hcl", &format!("path \"a\" {{ {key} = \"{escape}\" }}")).is_ok()
        };
        for escape in [r"\U00110000", r"\400"] {
            assert!(with("comment", escape) && !with("policy", escape), "{escape}");
        }
        assert!(!with("comment", r"\q") && !with("comment", r"\u12"));
        assert!(parse("p.hcl", r#"comment = "\400""#).is_err());
    }

    #[test]
    fn some_characters_are_rejected_anywhere() {
        for (text, line, column) in
            [("x = \"a\0\"", 1, 7), ("# a\n#\0", 2, 2), ("x = \"\u{e123}\"", 1, 6)]
        {
            let error = parse("p.hcl", text).unwrap_err();
            assert_eq!((error.place.line, error.place.column), (line, column), "{text:?}");
        }
    }

    #[test]
    fn a_leading_zero_before_8_or_9_is_read_only_if_no_digit_more_shows_it() {
        for text in ["a = 08", "a = -09", "a = 08.5", "a = 0888e1", "a = 07"] {
            assert!(parse("p.hcl", text).is_ok(), "{text}");
        }
        for text in ["a = 018", "a = 008", "a = 088", "a = -079"] {
            assert!(parse("p.hcl", text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_and_number_of_values_are_limited() {
        let deep = "x = ".to_owned() + &"[".repeat(100_000);
        assert_eq!(parse("p.hcl", &deep).unwrap_err().kind, PolicyErrorKind::TooDeep);
        let deep = "a {".repeat(100_000);
        assert_eq!(parse("p.hcl", &deep).unwrap_err().kind, PolicyErrorKind::TooDeep);
    }
}
