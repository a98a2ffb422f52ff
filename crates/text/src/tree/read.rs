//! A text as a tree, in the format that it is written in.

use super::build;
use super::node::Node;
use super::{json, yaml};
use crate::error::{Fault, ReadError};
use crate::limits::Limits;
use crate::place::Pos;

/// What a text holds, and everything that is wrong with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    /// The document's value; none where the text is empty or broken.
    pub root: Option<Node>,
    /// What is wrong, in the order of the text; at most a hundred.
    pub errors: Vec<ReadError>,
}

impl Tree {
    pub(super) fn broken(error: ReadError) -> Self {
        Self { root: None, errors: vec![error] }
    }
}

/// Reads a text that is JSON or YAML.
///
/// A text that starts with `{` is JSON if JSON's rules allow it, because YAML reads almost all
/// of JSON, but not its `\ud83d\ude00` escapes.
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

/// Reads a text that is YAML.
pub fn read_yaml(file: &str, text: &str, limits: &Limits) -> Tree {
    yaml::read(file, text, limits)
}

/// Refuses a text that is over the limits before anything of it is read.
pub(super) fn within(file: &str, text: &str, limits: &Limits) -> Result<(), ReadError> {
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
    fn what_looks_like_json_and_is_yaml_is_read_as_yaml() {
        for text in ["{a: 1}", "{\"a\": 1 # one\n}", "{\"a\": yes}", "{'a': 1}", "{}"] {
            let tree = read("a", text, &MANIFEST);
            assert!(tree.root.is_some() && tree.errors.is_empty(), "{text}: {tree:?}");
        }
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_in_json_and_yaml_with_the_same_words() {
        let said = ["{\"a\": 1,\n\"a\": 2}", "a: 1\na: 2\n"]
            .map(|text| read("f", text, &MANIFEST).errors[0].to_string());
        assert_eq!(said[0], said[1]);
        assert_eq!(said[0], "the key `a` is here twice; it was first on line 1");
    }
}
