//! Parses YAML into the tree, within limits on size and depth.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use super::build::{Keys, add_error};
use super::comment::Lines;
use super::node::{Entry, Kind, Node, Size};
use super::read::{Tree, check_size};
use crate::error::{Fault, ReadError};
use crate::limits::{Limits, OPEN_BRACKETS, REPEATED_BYTES, REPEATED_VALUES};
use crate::place::{Pos, end_position, to_u32};

/// Parses one document. It stops at a syntax error or a limit, and collects all other errors.
pub(super) fn read(file: &str, text: &str, limits: &Limits) -> Tree {
    let checked = check_size(file, text, limits)
        .and_then(|()| check_characters(file, text))
        .and_then(|()| check_open_brackets(file, text, limits));
    if let Err(error) = checked {
        return Tree::broken(error);
    }
    let lines = Lines::new(text);
    let mut builder = Builder {
        file,
        limits,
        lines: &lines,
        tree: Tree::default(),
        open: Vec::new(),
        anchors: HashMap::new(),
        documents: 0,
        nodes: 0,
        repeated: (0, 0),
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let step = match event {
            Ok((event, span)) => builder.add(event, span),
            Err(error) => Err(builder.syntax(&error)),
        };
        match step {
            Ok(Step::More) => {}
            Ok(Step::End) => break,
            Err(error) => {
                builder.tree.root = None;
                add_error(&mut builder.tree.errors, error);
                break;
            }
        }
    }
    builder.tree
}

/// Checks that all characters are allowed in YAML (YAML 1.2.2, section 5.1). The parser doesn't
/// check this, and treats a NUL as the end of the text.
fn check_characters(file: &str, text: &str) -> Result<(), ReadError> {
    let is_allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | '\u{85}') || !(c.is_control() || is_not_a_character(c))
    };
    // Every character that isn't allowed starts with one of these bytes.
    let suspect = |byte: u8| byte < 0x20 || matches!(byte, 0x7f | 0xc2 | 0xef);
    let is_line_end = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r');
    if !text.bytes().any(|byte| suspect(byte) && !is_line_end(byte)) {
        return Ok(());
    }
    match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        Some((at, c)) => Err(Fault::ControlCharacter(c).at(end_position(&text[..at]).place(file))),
        None => Ok(()),
    }
}

/// Rejects a line that opens many brackets and doesn't close them. The parser reads such a line to
/// its end before it reports the first bracket, and its time grows with the square of their number.
fn check_open_brackets(file: &str, text: &str, limits: &Limits) -> Result<(), ReadError> {
    let (mut line, mut line_start, mut open) = (1, 0, 0_usize);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => (line, line_start, open) = (line + 1, at + 1, 0),
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        if open > OPEN_BRACKETS {
            let column = to_u32(text[line_start..at].chars().count() + 1);
            return Err(Fault::TooDeep(limits.depth).at(Pos { line, column }.place(file)));
        }
    }
    Ok(())
}

fn is_not_a_character(c: char) -> bool {
    matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Converts the parser's position, in which columns count from 0.
fn pos(marker: &Marker) -> Pos {
    Pos { line: to_u32(marker.line().max(1)), column: to_u32(marker.col() + 1) }
}

enum Step {
    More,
    End,
}

/// A list or mapping whose end hasn't been parsed yet.
struct Open {
    kind: Kind,
    keys: Keys,
    key: Option<Node>,
    start: Pos,
    anchor: usize,
    size: Size,
}

struct Builder<'a> {
    file: &'a str,
    limits: &'a Limits,
    lines: &'a Lines<'a>,
    tree: Tree,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    documents: usize,
    nodes: usize,
    /// The numbers of values and bytes that anchors and aliases have copied.
    repeated: (usize, usize),
}

const COLLECTION: Size = Size { nodes: 1, levels: 1, bytes: 0 };

impl Builder<'_> {
    fn add(&mut self, event: Event<'_>, span: Span) -> Result<Step, ReadError> {
        let start = pos(&span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::DocumentEnd => {}
            Event::StreamEnd => return Ok(Step::End),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    // Errors in the second document aren't reported.
                    let error = self.at(start, Fault::SecondDocument);
                    add_error(&mut self.tree.errors, error);
                    return Ok(Step::End);
                }
            }
            Event::Alias(id) => {
                let known = self.anchors.get(&id).map(|node| node.size);
                let size = known.ok_or_else(|| self.at(start, Fault::UnknownAlias))?;
                self.count(size, start)?;
                self.repeat(size, start)?;
                if let Some(mut node) = self.anchors.get(&id).cloned() {
                    (node.start, node.end) = (start, pos(&span.end));
                    self.place(node, 0)?;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.check_tag(tag.as_deref(), start);
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let end = self.end(style, start, pos(&span.end));
                let node = Node::scalar(start, end, text.into_owned(), plain);
                self.count(node.size, start)?;
                self.place(node, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(Kind::List(Vec::new()), start, anchor, tag.as_deref())?;
            }
            Event::MappingStart(anchor, tag) => {
                self.open(Kind::Map(Vec::new()), start, anchor, tag.as_deref())?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { kind, start, anchor, size, .. }) = self.open.pop() {
                    self.place(Node { kind, start, end: pos(&span.end), size }, anchor)?;
                }
            }
        }
        Ok(Step::More)
    }

    /// Returns the position after which a scalar's comment is searched. The comment of a block
    /// scalar is after its `|`, on the line above its start; a `#` after its text isn't one.
    fn end(&self, style: ScalarStyle, start: Pos, end: Pos) -> Pos {
        match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                Pos { line: start.line.saturating_sub(1).max(1), column: 1 }
            }
            ScalarStyle::SingleQuoted => self.lines.closing_quote(start, end, '\''),
            ScalarStyle::DoubleQuoted => self.lines.closing_quote(start, end, '"'),
            ScalarStyle::Plain => end,
        }
    }

    fn open(
        &mut self,
        kind: Kind,
        start: Pos,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), ReadError> {
        self.check_tag(tag, start);
        self.count(COLLECTION, start)?;
        let keys = Keys::default();
        self.open.push(Open { kind, keys, key: None, start, anchor, size: COLLECTION });
        Ok(())
    }

    /// Checks the limits before the tree grows, so that aliases of aliases cost nothing.
    fn count(&mut self, size: Size, at: Pos) -> Result<(), ReadError> {
        self.nodes += size.nodes as usize;
        if self.nodes > self.limits.values {
            return Err(self.at(at, Fault::TooMany(self.limits.values)));
        }
        if self.open.len() + size.levels as usize > self.limits.depth {
            return Err(self.at(at, Fault::TooDeep(self.limits.depth)));
        }
        Ok(())
    }

    /// Checks the limits on copies: one for each anchor, because it may be used, and one for
    /// each alias.
    fn repeat(&mut self, size: Size, at: Pos) -> Result<(), ReadError> {
        let (values, bytes) = &mut self.repeated;
        *values += size.nodes as usize;
        *bytes += size.bytes as usize;
        if *values > REPEATED_VALUES {
            return Err(self.at(at, Fault::Repeated(REPEATED_VALUES, "values")));
        }
        if *bytes > REPEATED_BYTES {
            return Err(self.at(at, Fault::Repeated(REPEATED_BYTES, "bytes")));
        }
        Ok(())
    }

    fn check_tag(&mut self, tag: Option<&Tag>, at: Pos) {
        if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
            let error = self.at(at, Fault::UnknownTag(tag.to_string()));
            add_error(&mut self.tree.errors, error);
        }
    }

    /// Adds a complete node to the innermost open collection, or makes it the root.
    fn place(&mut self, node: Node, anchor: usize) -> Result<(), ReadError> {
        if anchor != 0 {
            self.repeat(node.size, node.start)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.tree.root = Some(node);
            return Ok(());
        };
        open.size.nodes = open.size.nodes.saturating_add(node.size.nodes);
        open.size.bytes = open.size.bytes.saturating_add(node.size.bytes);
        open.size.levels = open.size.levels.max(node.size.levels + 1);
        match (&mut open.kind, open.key.take()) {
            (Kind::List(items), _) => items.push(node),
            (Kind::Map(_), None) => open.key = Some(node),
            (Kind::Map(entries), Some(key)) => {
                let checked = match key.text() {
                    Some("<<") => Err(Fault::MergeKey),
                    _ => open.keys.check(entries, &key),
                };
                match checked {
                    Ok(()) => entries.push(Entry { key, value: node }),
                    Err(fault) => {
                        add_error(&mut self.tree.errors, fault.at(key.place(self.file)));
                    }
                }
            }
            (Kind::Scalar { .. }, _) => unreachable!("only collections are opened"),
        }
        Ok(())
    }

    fn at(&self, at: Pos, fault: Fault) -> ReadError {
        fault.at(at.place(self.file))
    }

    fn syntax(&self, error: &ScanError) -> ReadError {
        let at = pos(error.marker());
        // The parser reads ahead of the tree, and has its own limit.
        if error.info() == "recursion limit exceeded" {
            return self.at(at, Fault::TooDeep(self.limits.depth));
        }
        let (format, message) = ("YAML", error.info().to_owned());
        self.at(at, Fault::Syntax { format, message, tab: self.lines.has_tab(at) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{ENVIRONMENT, LOCK, MANIFEST};

    fn fault(text: &str) -> Fault {
        read("a.yml", text, &MANIFEST).errors.remove(0).fault
    }

    #[test]
    fn every_value_has_its_start_and_end() {
        let text = "密钥:\n  - x  # c\n  - {b: 'true' , c: \"a\\\"b\"}\n";
        let root = read("a.yml", text, &MANIFEST).root.unwrap();
        let list = root.get("密钥").unwrap().items().unwrap();
        let ends = |node: &Node| (node.start.line, node.start.column, node.end.column);
        assert_eq!(ends(&list[0]), (2, 5, 6));
        let b = list[1].get("b").unwrap();
        assert_eq!((ends(b), b.text(), b.boolean()), ((3, 9, 15), Some("true"), None));
        assert_eq!(ends(list[1].get("c").unwrap()), (3, 21, 27));
        assert_eq!(list[1].place("f").end_column, Some(28));
        assert_eq!(root.place("f").end_column, None);
        assert_eq!(ends(&root.entries().unwrap()[0].key), (1, 1, 3));
    }

    #[test]
    fn deep_nesting_is_an_error() {
        for deep in ["[", "- ", "? ", "{a: "].map(|open| open.repeat(5000)) {
            assert_eq!(fault(&deep), Fault::TooDeep(64), "{deep:.9}");
        }
    }

    #[test]
    fn an_alias_is_a_copy_and_copies_are_limited() {
        let tree = read("a.yml", "a: &a [x, x]\nb: [*a, *a]\n", &MANIFEST);
        let b = tree.root.unwrap().get("b").unwrap().to_json();
        assert_eq!(b, serde_json::json!([["x", "x"], ["x", "x"]]));
        let mut bomb = String::from("a0: &a0 [x, x]\n");
        for level in 1..40 {
            let last = level - 1;
            bomb.push_str(&format!("a{level}: &a{level} [*a{last}, *a{last}, *a{last}]\n"));
        }
        let faults = [ENVIRONMENT, MANIFEST, LOCK].map(|limits| {
            let tree = read("a.yml", &bomb, &limits);
            assert!(tree.root.is_none());
            tree.errors[0].clone()
        });
        assert_eq!(faults[0].fault, Fault::Repeated(REPEATED_VALUES, "values"));
        assert!(faults.iter().all(|fault| *fault == faults[0]), "{faults:?}");
        let long = format!("a: &a '{}'\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(1000));
        assert_eq!(fault(&long), Fault::Repeated(REPEATED_BYTES, "bytes"));
        // Each anchor counts as a copy of its value, even if it isn't used.
        let anchors = "&a [".repeat(50);
        let nested = format!("{anchors}{}{}", "x, ".repeat(1000), "]".repeat(50));
        assert_eq!(fault(&nested), Fault::Repeated(REPEATED_VALUES, "values"));
        assert_eq!(fault("a: &a [*a]\n"), Fault::UnknownAlias);
    }

    #[test]
    fn a_forbidden_character_is_an_error_with_its_place() {
        for (text, c) in [("a: b\nc: d\0e\n", '\0'), ("a: 密\u{7f}\n", '\u{7f}')] {
            let error = read("a.yml", text, &MANIFEST).errors.remove(0);
            assert_eq!(error.fault, Fault::ControlCharacter(c));
            assert_eq!(error.place.column, 5);
        }
        let tree = read("a.yml", "a: é\u{ef}\u{85}\r\n\tx\n", &MANIFEST);
        assert!(!tree.errors.iter().any(|e| matches!(e.fault, Fault::ControlCharacter(_))));
    }

    #[test]
    fn errors_in_the_structure_are_collected_and_the_rest_is_read() {
        let text = "a: 1\na: 2\n<<: {x: y}\n[k]: v\nb: !secret c\n---\nd: e\n";
        let tree = read("a.yml", text, &MANIFEST);
        let faults: Vec<_> = tree.errors.into_iter().map(|error| error.fault).collect();
        assert_eq!(
            faults,
            [
                Fault::DuplicateKey { key: "a".to_owned(), first: 1 },
                Fault::MergeKey,
                Fault::KeyNotText("a list"),
                Fault::UnknownTag("!secret".to_owned()),
                Fault::SecondDocument,
            ]
        );
        assert_eq!(tree.root.unwrap().to_json(), serde_json::json!({"a": 1, "b": "c"}));
    }

    #[test]
    fn a_hundred_thousand_keys_and_as_many_duplicates_are_read_in_order() {
        let keys = |from: u32| (0..50_000).map(move |at| format!("k{}: 1\n", from + at));
        let text: String = keys(0).chain(keys(25_000)).collect();
        let tree = read("a.yml", &text, &MANIFEST);
        assert_eq!(tree.root.unwrap().entries().unwrap().len(), 75_000);
        assert_eq!(tree.errors.len(), 100);
    }
}
