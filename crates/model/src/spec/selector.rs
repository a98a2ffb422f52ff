//! Selectors: the platforms that a line applies to, as in `# [linux and not aarch64]` or
//! `sel(win):`.

use std::fmt;

use envlock_report::nearest;
use rattler_conda_types::Subdir;

/// The maximum number of words and parentheses of a selector.
const MAX_TOKENS: usize = 64;

/// A function that decides whether a word applies to a platform.
type Matches = fn(Subdir) -> bool;

/// The words in addition to the names of subdirs, with the meaning that they have in conda-build.
const WORDS: [(&str, Matches); 16] = [
    ("linux", |s| s.as_str().starts_with("linux-")),
    ("osx", |s| s.as_str().starts_with("osx-")),
    ("win", |s| s.as_str().starts_with("win-")),
    ("unix", |s| ["linux-", "osx-", "emscripten-"].iter().any(|os| s.as_str().starts_with(os))),
    ("linux32", |s| s == Subdir::Linux32),
    ("linux64", |s| s == Subdir::Linux64),
    ("osx64", |s| s == Subdir::Osx64),
    ("win32", |s| s == Subdir::Win32),
    ("win64", |s| s == Subdir::Win64),
    ("x86", |s| s.as_str().ends_with("-32") || s.as_str().ends_with("-64")),
    ("x86_64", |s| s.as_str().ends_with("-64")),
    ("arm64", |s| s.as_str().ends_with("-arm64")),
    ("aarch64", |s| s.as_str().ends_with("-aarch64")),
    ("armv7l", |s| s == Subdir::LinuxArmV7l),
    ("ppc64le", |s| s.as_str().ends_with("-ppc64le")),
    ("s390x", |s| s == Subdir::LinuxS390X),
];

/// A condition on the platform. Its `Display` is the canonical text, without brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector(Condition);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Word(String),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

/// Why a text isn't a valid selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SelectorError {
    #[error("the selector `[{selector}]` has the word `{word}`, which isn't a platform")]
    UnknownWord { selector: String, word: String, nearest: Option<String> },
    #[error("the selector `[{0}]` can't be read")]
    Malformed(String),
}

impl SelectorError {
    pub(super) fn help(&self) -> String {
        match self {
            Self::UnknownWord { nearest: Some(word), .. } => format!("did you mean `{word}`?"),
            Self::UnknownWord { nearest: None, .. } | Self::Malformed(_) => {
                "write it like `[linux]`, `[not win]`, `[osx and arm64]` or `[linux-64]`; don't \
                 begin other comments with `[`"
                    .to_owned()
            }
        }
    }
}

impl Selector {
    /// Whether a line with this selector applies to a platform.
    pub fn matches(&self, subdir: Subdir) -> bool {
        self.0.matches(subdir)
    }

    /// Parses the text between the brackets or in `sel(…)`.
    pub(super) fn parse(text: &str) -> Result<Self, SelectorError> {
        let tokens = tokens(text);
        let malformed = || SelectorError::Malformed(text.to_owned());
        let words = tokens.iter().filter(|t| !is_grammar(t));
        if let Some(word) = words.clone().find(|word| is_identifier(word) && !is_known(word)) {
            let nearest = nearest(&word.to_ascii_lowercase(), known_words()).map(str::to_owned);
            let (selector, word) = (text.to_owned(), (*word).to_owned());
            return Err(SelectorError::UnknownWord { selector, word, nearest });
        }
        if tokens.len() > MAX_TOKENS {
            return Err(malformed());
        }
        let mut rest = tokens.as_slice();
        match parse_or(&mut rest) {
            Some(condition) if rest.is_empty() => Ok(Self(condition)),
            _ => Err(malformed()),
        }
    }

    /// Parses the selector at the start of a comment (with its `#`). `None` if there is none.
    ///
    /// A misspelled selector is an error: if it were ignored, the package would be installed
    /// everywhere, and if it were applied, nowhere. A comment that only begins with a bracket
    /// (`# [1]`, `# [see docs](https://…)`) isn't a selector.
    pub(super) fn in_comment(comment: &str) -> Result<Option<Self>, SelectorError> {
        let text = comment.trim_start_matches('#').trim_start();
        let Some(inner) = text.strip_prefix('[') else {
            return Ok(None);
        };
        let (inner, closed) = match inner.split_once(']') {
            Some((_, after)) if after.starts_with('(') => return Ok(None),
            Some((inner, _)) => (inner.trim(), true),
            None => (inner.trim(), false),
        };
        match Self::parse(inner) {
            Ok(selector) if closed => Ok(Some(selector)),
            Ok(_) => Err(SelectorError::Malformed(inner.to_owned())),
            Err(error) if looks_like_selector(inner) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Finds a selector that isn't at the start of a comment. conda-build applies it, and envlock
    /// doesn't: `# fails on [win]` means the opposite.
    pub(super) fn later_in_comment(comment: &str) -> Option<Self> {
        let (_, inner) = comment.split_once('[')?;
        let (inner, after) = inner.split_once(']')?;
        Self::parse(inner.trim()).ok().filter(|_| !after.starts_with('('))
    }

    /// Finds a text in brackets at the start of a comment that has the syntax of a selector, but
    /// whose words aren't platforms, such as `# [cuda]`.
    pub(super) fn unknown_in_comment(comment: &str) -> Option<&str> {
        let text = comment.trim_start_matches('#').trim_start();
        let (inner, after) = text.strip_prefix('[')?.split_once(']')?;
        let inner = inner.trim();
        let words = tokens(inner);
        let is_word = |token: &&str| is_grammar(token) || is_identifier(token);
        if after.starts_with('(') || words.len() > MAX_TOKENS || !words.iter().all(is_word) {
            return None;
        }
        let known = |token| if is_grammar(token) { token } else { WORDS[0].0 };
        let tokens: Vec<_> = words.into_iter().map(known).collect();
        let mut rest = tokens.as_slice();
        (parse_or(&mut rest).is_some() && rest.is_empty()).then_some(inner)
    }

    /// Combines two selectors: both must match.
    pub(super) fn and(self, other: Self) -> Self {
        Self(Condition::And(Box::new(self.0), Box::new(other.0)))
    }
}

/// Whether a text in brackets looks like a misspelled selector.
fn looks_like_selector(text: &str) -> bool {
    let tokens = tokens(text);
    let mut words = tokens.iter().filter(|token| !is_grammar(token));
    let only_words = tokens.iter().all(|t| is_grammar(t) || is_identifier(t));
    words.any(|word| {
        is_known(word)
            || (only_words && nearest(&word.to_ascii_lowercase(), known_words()).is_some())
    })
}

fn known_words() -> impl Iterator<Item = &'static str> {
    let subdirs = Subdir::all().filter(|s| *s != Subdir::NoArch).map(Subdir::as_str);
    WORDS.iter().map(|(word, _)| *word).chain(subdirs)
}

fn is_known(word: &str) -> bool {
    known_words().any(|known| known == word)
}

fn is_grammar(token: &str) -> bool {
    matches!(token, "and" | "or" | "not" | "(" | ")")
}

fn is_identifier(token: &str) -> bool {
    token.starts_with(char::is_alphabetic)
        && token.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')']) {
            tokens.extend([&rest[..at], &rest[at..=at]].into_iter().filter(|t| !t.is_empty()));
            rest = &rest[at + 1..];
        }
        if !rest.is_empty() {
            tokens.push(rest);
        }
    }
    tokens
}

/// Parses `a or b or c`, which has the lowest precedence, as in Python.
fn parse_or(rest: &mut &[&str]) -> Option<Condition> {
    let mut left = parse_and(rest)?;
    while skip(rest, "or") {
        left = Condition::Or(Box::new(left), Box::new(parse_and(rest)?));
    }
    Some(left)
}

fn parse_and(rest: &mut &[&str]) -> Option<Condition> {
    let mut left = parse_not(rest)?;
    while skip(rest, "and") {
        left = Condition::And(Box::new(left), Box::new(parse_not(rest)?));
    }
    Some(left)
}

fn parse_not(rest: &mut &[&str]) -> Option<Condition> {
    if skip(rest, "not") {
        return Some(Condition::Not(Box::new(parse_not(rest)?)));
    }
    if skip(rest, "(") {
        let inner = parse_or(rest)?;
        return skip(rest, ")").then_some(inner);
    }
    let (word, after) = rest.split_first().filter(|(word, _)| is_known(word))?;
    *rest = after;
    Some(Condition::Word((*word).to_owned()))
}

fn skip(rest: &mut &[&str], token: &str) -> bool {
    let found = rest.first() == Some(&token);
    if found {
        *rest = &rest[1..];
    }
    found
}

impl Condition {
    fn matches(&self, subdir: Subdir) -> bool {
        match self {
            Self::Word(word) => WORDS
                .iter()
                .find(|(known, _)| known == word)
                .map_or(subdir.as_str() == word, |(_, matches)| matches(subdir)),
            Self::Not(inner) => !inner.matches(subdir),
            Self::And(a, b) => a.matches(subdir) && b.matches(subdir),
            Self::Or(a, b) => a.matches(subdir) || b.matches(subdir),
        }
    }

    /// Returns the precedence. An inner condition with a lower precedence needs parentheses.
    fn precedence(&self) -> u8 {
        match self {
            Self::Or(..) => 0,
            Self::And(..) => 1,
            Self::Not(_) => 2,
            Self::Word(_) => 3,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        if self.precedence() < least {
            f.write_str("(")?;
            self.write(f, 0)?;
            return f.write_str(")");
        }
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Not(inner) => {
                f.write_str("not ")?;
                inner.write(f, 2)
            }
            Self::And(a, b) => {
                a.write(f, 1)?;
                f.write_str(" and ")?;
                b.write(f, 2)
            }
            Self::Or(a, b) => {
                a.write(f, 0)?;
                f.write_str(" or ")?;
                b.write(f, 1)
            }
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, 0)
    }
}

#[cfg(test)]
mod tests;
