//! The parser: makes a body of items from tokens.

use super::lexer::{Lexer, Token};
use crate::body::{Body, Identifier, Item, Value, ValueKind};
use crate::error::{PolicyError, PolicyErrorKind};
use envlock_text::{Pos, limits::MANIFEST};

/// Parses a policy written in HCL.
pub(crate) fn parse(file: &str, text: &str) -> Result<Body, PolicyError> {
    if text.starts_with('\u{feff}') {
        return Err(PolicyErrorKind::ByteOrderMark.at(file, Pos::START));
    }
    let mut parser = Parser { lexer: Lexer::new(text), ahead: None, values: 0 };
    parser.body(None, 0).map_err(|(pos, fault)| fault.at(file, pos))
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    ahead: Option<(Pos, Token)>,
    values: usize,
}

type Parsed<T> = Result<T, (Pos, PolicyErrorKind)>;

impl Parser<'_> {
    fn next(&mut self) -> Parsed<(Pos, Token)> {
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
    fn body(&mut self, opened: Option<Pos>, depth: usize) -> Parsed<Body> {
        let mut items = Vec::new();
        loop {
            let (pos, token) = self.next()?;
            match (&token, opened) {
                (Token::End, None) | (Token::Punctuation('}'), Some(_)) => {
                    return Ok(Body { items });
                }
                (Token::End, Some(opened)) => return Err((opened, PolicyErrorKind::Unclosed('{'))),
                _ => {}
            }
            self.ahead = Some((pos, token));
            items.push(self.item(depth)?);
            match self.next()? {
                (_, Token::Punctuation(',')) => {}
                other => self.ahead = Some(other),
            }
        }
    }

    fn item(&mut self, depth: usize) -> Parsed<Item> {
        let mut keys = Vec::new();
        loop {
            let (pos, token) = self.next()?;
            match token {
                Token::Word(text) | Token::Text(text) => {
                    self.count(pos, depth)?;
                    keys.push(Identifier { text, pos });
                }
                Token::Punctuation('=') if keys.len() == 1 => {
                    let value = self.value(depth + 1)?;
                    return Ok(Item { keys, value });
                }
                Token::Punctuation('=') if keys.len() > 1 => {
                    return Err((pos, PolicyErrorKind::AssignedBlock));
                }
                Token::Punctuation('{') if !keys.is_empty() => {
                    self.count(pos, depth + 1)?;
                    let body = self.body(Some(pos), depth + 1)?;
                    let value = Value { pos, kind: ValueKind::Body(body) };
                    return Ok(Item { keys, value });
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
            Token::Text(text) | Token::Heredoc(text) => ValueKind::Text(text),
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
                Token::Word(word) => return Err((pos, PolicyErrorKind::Unquoted(word))),
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
        let body = parse("p.hcl", text).unwrap();
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
    fn depth_and_number_of_values_are_limited() {
        let deep = "x = ".to_owned() + &"[".repeat(100_000);
        assert_eq!(parse("p.hcl", &deep).unwrap_err().kind, PolicyErrorKind::TooDeep);
        let deep = "a {".repeat(100_000);
        assert_eq!(parse("p.hcl", &deep).unwrap_err().kind, PolicyErrorKind::TooDeep);
    }
}
