//! The lexer: splits HCL into tokens.

use super::quoted::{self, BadEscape};
use crate::error::PolicyErrorKind;
use envlock_text::Pos;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    /// A quoted string with its escapes resolved, and as it is written.
    Text(String, &'a str),
    Heredoc(String),
    Number(String),
    Bool(bool),
    Word(&'a str),
    /// One of `{ } [ ] = ,`.
    Punctuation(char),
    /// Punctuation of HCL that policies never use: `+ - .`.
    UnsupportedPunctuation(char),
    End,
}

impl Token<'_> {
    /// Names the token for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Text(..) | Self::Heredoc(_) => "a text".to_owned(),
            Self::Number(_) => "a number".to_owned(),
            Self::Bool(flag) => format!("`{flag}`"),
            Self::Word(word) => format!("the word `{word}`"),
            Self::Punctuation(sign) | Self::UnsupportedPunctuation(sign) => format!("`{sign}`"),
            Self::End => "the end of the file".to_owned(),
        }
    }
}

/// The remaining text and its position.
pub(super) struct Lexer<'a> {
    rest: &'a str,
    pub(super) pos: Pos,
    /// Whether the servers don't use the texts that come next, as those of a comment. A text that can't
    /// be resolved is then empty.
    pub(super) unused: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, pos: Pos::START, unused: false }
    }

    /// Goes to the first of `wanted`, which the text contains, and returns its position.
    pub(super) fn find(&mut self, wanted: &[char]) -> (Pos, char) {
        self.take(|c| !wanted.contains(&c));
        (self.pos, self.peek().unwrap_or_default())
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn peek_second(&self) -> Option<char> {
        self.rest.chars().nth(1)
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.pos = Pos { line: self.pos.line + 1, column: 1 };
        } else {
            self.pos.column += 1;
        }
        Some(c)
    }

    /// Advances by a number of bytes.
    fn skip(&mut self, bytes: usize) {
        let after = self.rest.len() - bytes;
        while self.rest.len() > after {
            self.bump();
        }
    }

    /// Reads characters while `wanted` is true, and returns them.
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let before = self.rest;
        while self.peek().is_some_and(&wanted) {
            self.bump();
        }
        &before[..before.len() - self.rest.len()]
    }

    /// Reads the next token with its position. Skips comments and white space.
    pub(super) fn next(&mut self) -> Result<(Pos, Token<'a>), (Pos, PolicyErrorKind)> {
        loop {
            self.take(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
            match self.peek() {
                Some('#') => self.line_comment(),
                Some('/') => self.slash_comment()?,
                _ => break,
            }
        }
        let pos = self.pos;
        let token = self.token().map_err(|fault| (pos, fault))?;
        Ok((pos, token))
    }

    fn line_comment(&mut self) {
        self.take(|c| c != '\n');
    }

    fn slash_comment(&mut self) -> Result<(), (Pos, PolicyErrorKind)> {
        let start = self.pos;
        match self.peek_second() {
            Some('/') => self.line_comment(),
            Some('*') => {
                let Some(end) = self.rest[2..].find("*/") else {
                    return Err((start, PolicyErrorKind::Unterminated("comment")));
                };
                self.skip(2 + end + 2);
            }
            _ => return Err((start, PolicyErrorKind::IllegalCharacter('/'))),
        }
        Ok(())
    }

    fn token(&mut self) -> Result<Token<'a>, PolicyErrorKind> {
        let Some(first) = self.peek() else { return Ok(Token::End) };
        match first {
            '{' | '}' | '[' | ']' | '=' | ',' => {
                self.bump();
                Ok(Token::Punctuation(first))
            }
            '"' => {
                let length = quoted::length(self.rest)?;
                let literal = &self.rest[..length];
                let value = match quoted::unquote(&literal[1..length - 1]) {
                    Ok(value) => value,
                    Err(BadEscape::OutOfRange) if self.unused => String::new(),
                    Err(_) => return Err(PolicyErrorKind::BadEscape),
                };
                self.skip(length);
                Ok(Token::Text(value, literal))
            }
            '<' => self.heredoc().map(Token::Heredoc),
            '0'..='9' => self.number().map(Token::Number),
            '-' | '.' if self.peek_second().is_some_and(|c| c.is_ascii_digit()) => {
                self.number().map(Token::Number)
            }
            '-' | '.' | '+' => {
                self.bump();
                Ok(Token::UnsupportedPunctuation(first))
            }
            _ if is_letter(first) => {
                let word = self.take(|c| is_letter(c) || is_digit(c) || matches!(c, '-' | '.'));
                Ok(match word {
                    "true" => Token::Bool(true),
                    "false" => Token::Bool(false),
                    _ => Token::Word(word),
                })
            }
            _ => Err(PolicyErrorKind::IllegalCharacter(first)),
        }
    }

    /// Reads an integer (decimal, `0x…`, octal) or a float. The servers overlook an 8 or 9 that
    /// comes first in an octal number, and can't read the number later.
    fn number(&mut self) -> Result<String, PolicyErrorKind> {
        let before = self.rest;
        if self.peek() == Some('-') {
            self.bump();
        }
        if self.peek() == Some('0') && matches!(self.peek_second(), Some('x' | 'X')) {
            self.bump();
            self.bump();
            if self.take(|c| c.is_ascii_hexdigit()).is_empty() {
                return Err(PolicyErrorKind::BadNumber);
            }
            return Ok(before[..before.len() - self.rest.len()].to_owned());
        }
        let whole = self.take(|c| c.is_ascii_digit());
        let mut float = false;
        if self.peek() == Some('.') {
            float = true;
            self.bump();
            self.take(|c| c.is_ascii_digit());
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            float = true;
            self.bump();
            if matches!(self.peek(), Some('+' | '-')) {
                self.bump();
            }
            self.take(|c| c.is_ascii_digit());
        }
        let octal = !float && whole.len() > 2 && whole.starts_with('0');
        if octal && whole[2..].contains(['8', '9']) {
            return Err(PolicyErrorKind::BadNumber);
        }
        Ok(before[..before.len() - self.rest.len()].to_owned())
    }

    /// Reads a heredoc: `<<TAG` or `<<-TAG`, lines, and `TAG` alone on a line.
    fn heredoc(&mut self) -> Result<String, PolicyErrorKind> {
        self.bump();
        if self.bump() != Some('<') {
            return Err(PolicyErrorKind::IllegalCharacter('<'));
        }
        let indented = self.peek() == Some('-');
        if indented {
            self.bump();
        }
        let tag = self.take(|c| is_letter(c) || is_digit(c));
        if self.peek() == Some('\r') {
            self.bump();
        }
        if tag.is_empty() || self.bump() != Some('\n') {
            return Err(PolicyErrorKind::Heredoc);
        }
        let body = self.rest;
        let mut length = 0;
        for line in body.split_inclusive('\n') {
            let Some(bare) = line.strip_suffix('\n') else { break };
            if bare.trim_start().trim_end_matches('\r') == tag {
                self.skip(length + bare.len());
                return Ok(if indented {
                    unindent(&body[..length])
                } else {
                    body[..length].to_owned()
                });
            }
            length += line.len();
        }
        Err(PolicyErrorKind::Unterminated("heredoc"))
    }
}

/// Removes the white space that all lines start with.
fn unindent(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let common = text.lines().map(indent).min().unwrap_or(0);
    text.split_inclusive('\n').map(|line| &line[common.min(line.len())..]).collect()
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || (!c.is_ascii() && c.is_alphabetic())
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric())
}
