//! Parses a text into a tree, as JSON or YAML.

use super::build;
use super::node::Node;
use super::{json, yaml};
use crate::error::{Fault, ReadError};
use crate::limits::Limits;
use crate::place::Pos;

/// A parsed text, with its errors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    /// The document's value. `None` if the text is empty or its syntax is wrong.
    pub root: Option<Node>,
    /// The errors in the order of the text, at most a hundred.
    pub errors: Vec<ReadError>,
}

impl Tree {
    pub(super) fn broken(error: ReadError) -> Self {
        Self { root: None, errors: vec![error] }
    }
}

/// Parses a text that is JSON or YAML.
///
/// A text that starts with `{` is parsed as JSON if it is valid JSON. A YAML parser accepts
/// almost all of JSON, but not surrogate pairs such as `\ud83d\ude00`.
pub fn read(file: &str, text: &str, limits: &Limits) -> Tree {
    let start = text.trim_start();
    let is_json = start.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'));
    if !is_json {
        return yaml::read(file, text, limits);
    }
    match json::parse(file, text, limits) {
        Ok(root) => {
            let mut errors = Vec::new();
            let root = build::without_duplicates(file, root, &mut errors);
            Tree { root: Some(root), errors }
        }
        Err(ReadError { fault: Fault::Syntax { .. }, .. }) => yaml::read(file, text, limits),
        Err(error) => Tree::broken(error),
    }
}

/// Parses a text as YAML.
pub fn read_yaml(file: &str, text: &str, limits: &Limits) -> Tree {
    yaml::read(file, text, limits)
}

/// Checks the limits on bytes and lines before the text is parsed.
pub(super) fn check_size(file: &str, text: &str, limits: &Limits) -> Result<(), ReadError> {
    let (bytes, limit) = (text.len(), limits.bytes);
    if bytes > limit {
        return Err(Fault::TooLarge { bytes, limit }.at(Pos::START.place(file)));
    }
    if limits.line >= limits.bytes {
        return Ok(());
    }
    match text.lines().zip(1..).find(|(line, _)| line.len() > limits.line) {
        Some((_, line)) => {
            Err(Fault::LongLine(limits.line).at(Pos { line, column: 1 }.place(file)))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MANIFEST;

    #[test]
    fn json_and_yaml_give_the_same_tree() {
        let json = read("a", "{\"a\": [1, \"x\"], \"b\": null}", &MANIFEST).root.unwrap();
        let yaml = read("a", "a: [1, 'x']\nb:\n", &MANIFEST).root.unwrap();
        assert_eq!(json.to_json(), yaml.to_json());
    }

    #[test]
    fn yaml_that_starts_like_json_is_read_as_yaml() {
        for text in ["{a: 1}", "{\"a\": 1 # one\n}", "{\"a\": yes}", "{'a': 1}", "{}"] {
            let tree = read("a", text, &MANIFEST);
            assert!(tree.root.is_some() && tree.errors.is_empty(), "{text}: {tree:?}");
        }
    }

    #[test]
    fn a_duplicate_key_has_the_same_message_in_json_and_yaml() {
        let messages = ["{\"a\": 1,\n\"a\": 2}", "a: 1\na: 2\n"]
            .map(|text| read("f", text, &MANIFEST).errors[0].to_string());
        assert_eq!(messages[0], messages[1]);
        assert_eq!(messages[0], "the key `a` is a duplicate; the first one is on line 1");
    }
}
