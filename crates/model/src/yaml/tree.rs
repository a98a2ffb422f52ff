//! YAML as a small tree in which every node knows its place.

use envlock_report::Code;
use std::collections::HashMap;

use super::Lines;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

/// Deeper than any file of ours, shallow enough for every recursive walk.
const MAX_DEPTH: usize = 32;
/// A file of this many nodes was written by nobody: it is aliases of aliases of aliases.
const MAX_NODES: usize = 20_000;

/// Looking for a comment reads its line once for each value on it.
const MAX_LINE: usize = 10_000;

/// A point in the text: line and column count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The line.
    pub line: u32,
    /// The column in characters.
    pub column: u32,
}

impl From<&Marker> for Point {
    fn from(marker: &Marker) -> Self {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { line: number(marker.line()), column: number(marker.col() + 1) }
    }
}

/// One value of the file.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its first character.
    pub start: Point,
    /// Just behind the last character.
    pub end: Point,
    size: Size,
}

/// What an alias of a node adds to the tree.
#[derive(Debug, Clone, Copy)]
struct Size {
    nodes: usize,
    levels: usize,
}

const ONE: Size = Size { nodes: 1, levels: 1 };

/// What a value is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Text, a number, a boolean or nothing.
    Scalar {
        /// As written, without quotes.
        text: String,
        /// Written without quotes, so that `1.10` is a number and `yes` may be a boolean.
        plain: bool,
    },
    /// `- …` or `[…]`.
    List(Vec<Node>),
    /// `key: …` or `{…}`, in the order of the file.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The text of a scalar that is text for YAML too, or `None`.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, plain } if !plain || is_text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of any scalar but null, as it stands in the file: `1.10` stays `1.10`.
    pub fn as_written(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, plain } if !plain || !is_null(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is nothing at all.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if is_null(text))
    }

    /// What this is, in the words of somebody who writes YAML.
    pub fn noun(&self) -> &'static str {
        match &self.kind {
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
            Kind::Scalar { text, plain: true } if is_null(text) => "nothing",
            Kind::Scalar { text, plain: true } if is_boolean(text) => "a boolean",
            Kind::Scalar { text, plain: true } if is_number(text) => "a number",
            Kind::Scalar { .. } => "text",
        }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn is_boolean(text: &str) -> bool {
    matches!(text, "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.contains(|c: char| c.is_ascii_digit())
        && text.parse::<f64>().is_ok()
}

fn is_text(text: &str) -> bool {
    !is_null(text) && !is_boolean(text) && !is_number(text)
}

/// Why a text is no YAML that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// The parser's own words.
    #[error("this isn't valid YAML: {0}")]
    Syntax(String),
    /// `---` a second time.
    #[error("a second YAML document starts here, and a file is one document")]
    SecondDocument,
    /// One key, twice in one mapping.
    #[error("the key `{key}` is here twice; it was first on line {first}")]
    DuplicateKey {
        /// The key.
        key: String,
        /// The line that has it first.
        first: u32,
    },
    /// A list or a mapping as a key, or nothing.
    #[error("a key must be text, and this one is {0}")]
    KeyNotText(&'static str),
    /// `<<: *base`.
    #[error("a merge key (`<<`) isn't read here")]
    MergeKey,
    /// `*name` without a complete `&name` above it.
    #[error("the alias `*` stands for nothing that is complete above it")]
    UnknownAlias,
    /// `!name`.
    #[error("the tag `{0}` means nothing here")]
    UnknownTag(String),
    /// Lists in lists in lists.
    #[error("this is nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// Too many values.
    #[error("this is more than {MAX_NODES} values, its aliases included")]
    TooLarge,
    /// A line that nobody wrote by hand.
    #[error("this line has more than {MAX_LINE} bytes")]
    LongLine,
}

impl YamlError {
    /// A stable name for a diagnostic.
    pub fn code(&self) -> Code {
        match self {
            Self::Syntax(_) => Code::YamlSyntax,
            Self::SecondDocument => Code::SecondDocument,
            Self::DuplicateKey { .. } => Code::DuplicateKey,
            Self::KeyNotText(_) => Code::WrongType,
            Self::MergeKey => Code::MergeKey,
            Self::UnknownAlias => Code::UnknownAlias,
            Self::UnknownTag(_) => Code::UnknownTag,
            Self::TooDeep | Self::TooLarge | Self::LongLine => Code::TooLarge,
        }
    }

    /// What to do, where that isn't obvious.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Syntax(_) | Self::UnknownAlias | Self::TooLarge => None,
            Self::SecondDocument => Some("put each document into a file of its own"),
            Self::DuplicateKey { .. } => {
                Some("keep one of the two, or put both parts under one key")
            }
            Self::KeyNotText(_) => Some("put the key into quotes"),
            Self::MergeKey => Some("write the keys out"),
            Self::UnknownTag(_) => Some("leave the tag away; quotes make a value text"),
            Self::TooDeep => Some("four levels are enough for everything that is read here"),
            Self::LongLine => Some("put each value on a line of its own"),
        }
    }
}

/// What was found in a text: a tree, unless it is empty or broken, and everything wrong with it.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The document's value.
    pub root: Option<Node>,
    /// What is wrong, and where.
    pub errors: Vec<(Point, YamlError)>,
}

/// Reads one document. A syntax error ends the reading; everything else is collected.
pub fn load(text: &str, lines: &Lines<'_>) -> Loaded {
    let mut builder = Builder {
        lines,
        loaded: Loaded::default(),
        open: Vec::new(),
        anchors: HashMap::new(),
        documents: 0,
        nodes: 0,
    };
    if let Some((_, line)) = text.lines().zip(1..).find(|(line, _)| line.len() > MAX_LINE) {
        let start = Point { line, column: 1 };
        builder.loaded.errors.push((start, YamlError::LongLine));
        return builder.loaded;
    }
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let step =
            event.map_err(|e| syntax(&e)).and_then(|(event, span)| builder.take(event, span));
        match step {
            Ok(Step::More) => {}
            Ok(Step::End) => break,
            Err(error) => {
                builder.loaded.errors.push(error);
                builder.loaded.root = None;
                break;
            }
        }
    }
    builder.loaded
}

fn syntax(error: &ScanError) -> (Point, YamlError) {
    (error.marker().into(), YamlError::Syntax(error.info().to_owned()))
}

enum Step {
    More,
    End,
}

/// A collection whose end hasn't come yet.
struct Open {
    kind: Kind,
    key: Option<Node>,
    start: Point,
    anchor: usize,
    size: Size,
}

struct Builder<'l> {
    lines: &'l Lines<'l>,
    loaded: Loaded,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    documents: usize,
    nodes: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<Step, (Point, YamlError)> {
        let start = Point::from(&span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
            Event::StreamEnd => return Ok(Step::End),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    // What follows is another file's content: nothing of it is worth a message.
                    self.loaded.errors.push((start, YamlError::SecondDocument));
                    return Ok(Step::End);
                }
            }
            Event::Alias(id) => {
                let mut node =
                    self.anchors.get(&id).cloned().ok_or((start, YamlError::UnknownAlias))?;
                node.start = start;
                node.end = Point::from(&span.end);
                self.count(node.size, start)?;
                self.place(node, 0);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.as_deref(), start);
                let plain = style == ScalarStyle::Plain && tag.is_none();
                // The comment of a block scalar stands behind its `|`, a line above its start;
                // what looks like one behind its end is its text.
                let end = Point::from(&span.end);
                let end = match style {
                    ScalarStyle::Literal | ScalarStyle::Folded => {
                        Point { line: start.line.saturating_sub(1).max(1), column: 1 }
                    }
                    ScalarStyle::SingleQuoted => self.lines.closing_quote(start, end, '\''),
                    ScalarStyle::DoubleQuoted => self.lines.closing_quote(start, end, '"'),
                    ScalarStyle::Plain => end,
                };
                let kind = Kind::Scalar { text: text.into_owned(), plain };
                self.count(ONE, start)?;
                self.place(Node { kind, start, end, size: ONE }, anchor);
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(Kind::List(Vec::new()), start, anchor, tag.as_deref())?;
            }
            Event::MappingStart(anchor, tag) => {
                self.open(Kind::Map(Vec::new()), start, anchor, tag.as_deref())?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { kind, start, anchor, size, .. }) = self.open.pop() {
                    self.place(Node { kind, start, end: Point::from(&span.end), size }, anchor);
                }
            }
        }
        Ok(Step::More)
    }

    fn open(
        &mut self,
        kind: Kind,
        start: Point,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), (Point, YamlError)> {
        self.check_tag(tag, start);
        self.count(ONE, start)?;
        self.open.push(Open { kind, key: None, start, anchor, size: ONE });
        Ok(())
    }

    /// Bounds the tree before it grows, so that aliases of aliases cost nothing.
    fn count(&mut self, size: Size, at: Point) -> Result<(), (Point, YamlError)> {
        self.nodes += size.nodes;
        if self.nodes > MAX_NODES {
            return Err((at, YamlError::TooLarge));
        }
        if self.open.len() + size.levels > MAX_DEPTH {
            return Err((at, YamlError::TooDeep));
        }
        Ok(())
    }

    fn check_tag(&mut self, tag: Option<&Tag>, at: Point) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            self.loaded.errors.push((at, YamlError::UnknownTag(tag.to_string())));
        }
    }

    /// Puts a complete node where it belongs: into the innermost open collection, or at the root.
    fn place(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.loaded.root = Some(node);
            return;
        };
        open.size.nodes += node.size.nodes;
        open.size.levels = open.size.levels.max(node.size.levels + 1);
        match (&mut open.kind, open.key.take()) {
            (Kind::List(items), _) => items.push(node),
            (Kind::Map(_), None) => open.key = Some(node),
            (Kind::Map(entries), Some(key)) => match check_key(entries, &key) {
                Ok(()) => entries.push((key, node)),
                Err(error) => self.loaded.errors.push((key.start, error)),
            },
            (Kind::Scalar { .. }, _) => unreachable!("only collections are opened"),
        }
    }
}

fn check_key(entries: &[(Node, Node)], key: &Node) -> Result<(), YamlError> {
    let text = key.as_written().ok_or_else(|| YamlError::KeyNotText(key.noun()))?;
    if text == "<<" {
        return Err(YamlError::MergeKey);
    }
    match entries.iter().find(|(known, _)| known.as_written() == Some(text)) {
        Some((first, _)) => {
            Err(YamlError::DuplicateKey { key: text.to_owned(), first: first.start.line })
        }
        None => Ok(()),
    }
}
