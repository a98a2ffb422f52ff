//! YAML into the tree, with limits instead of trust.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::node::{Entry, Kind, Node};
use crate::place::{Pos, number};
use crate::source::{MAX_DEPTH, MAX_VALUES, ReadError, within_limit};

/// A list or map that isn't finished yet.
enum Open {
    List(Pos, Vec<Node>),
    Map(Pos, Vec<Entry>, Option<(String, Pos)>),
}

/// The first document of `text`; an empty text is null.
pub fn parse(file: &str, text: &str) -> Result<Node, ReadError> {
    within_limit(file, text.len())?;
    let mut open: Vec<Open> = Vec::new();
    let mut values = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| ReadError::Syntax {
            place: marker(error.marker().line(), error.marker().col()).place(file),
            message: format!("this isn't valid YAML: {}", error.info()),
        })?;
        let pos = start(span);
        values += 1;
        if values > MAX_VALUES {
            return Err(ReadError::TooMany(pos.place(file)));
        }
        let done = match event {
            Event::Scalar(text, style, ..) => {
                let quoted = style != ScalarStyle::Plain;
                Node { pos, kind: Kind::Scalar { text: text.into_owned(), quoted } }
            }
            Event::Alias(_) => Node { pos, kind: Kind::Alias },
            Event::SequenceStart(..) => {
                open.push(Open::List(pos, Vec::new()));
                check_depth(file, pos, open.len())?;
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(pos, Vec::new(), None));
                check_depth(file, pos, open.len())?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(pos, items)) => Node { pos, kind: Kind::List(items) },
                Some(Open::Map(pos, entries, _)) => Node { pos, kind: Kind::Map(entries) },
                None => continue,
            },
            Event::DocumentEnd => break,
            _ => continue,
        };
        match open.last_mut() {
            None => return Ok(done),
            Some(parent) => add(file, parent, done)?,
        }
    }
    Ok(Node { pos: Pos::START, kind: Kind::Scalar { text: String::new(), quoted: false } })
}

fn add(file: &str, parent: &mut Open, child: Node) -> Result<(), ReadError> {
    match parent {
        Open::List(_, items) => items.push(child),
        Open::Map(_, entries, key) => match key.take() {
            Some((key, pos)) => entries.push(Entry { key, pos, value: child }),
            None => match child.kind {
                Kind::Scalar { text, .. } => *key = Some((text, child.pos)),
                _ => {
                    return Err(ReadError::Syntax {
                        place: child.pos.place(file),
                        message: "a key must be a word, not a list or a map".to_owned(),
                    });
                }
            },
        },
    }
    Ok(())
}

fn check_depth(file: &str, pos: Pos, depth: usize) -> Result<(), ReadError> {
    if depth > MAX_DEPTH { Err(ReadError::TooDeep(pos.place(file))) } else { Ok(()) }
}

fn start(span: Span) -> Pos {
    marker(span.start.line(), span.start.col())
}

/// The parser counts lines from 1 and columns from 0.
fn marker(line: usize, column: usize) -> Pos {
    Pos { line: number(line.max(1)), column: number(column + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_line_and_column() {
        let root = parse("a.yml", "密钥:\n  - x\n  - {b: 'true'}\n").unwrap();
        let list = root.get("密钥").unwrap().items().unwrap();
        assert_eq!(list[0].pos, Pos { line: 2, column: 5 });
        let b = list[1].get("b").unwrap();
        assert_eq!(
            (b.pos, b.text(), b.boolean()),
            (Pos { line: 3, column: 9 }, Some("true"), None)
        );
    }

    #[test]
    fn deep_nesting_and_aliases_are_bounded() {
        for deep in ["[", "- ", "? "].map(|open| open.repeat(5000)) {
            assert!(parse("a.yml", &deep).is_err());
        }
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
        let root = parse("a.yml", bomb).unwrap();
        assert_eq!(root.get("c").unwrap().items().unwrap()[0].kind, Kind::Alias);
    }
}
