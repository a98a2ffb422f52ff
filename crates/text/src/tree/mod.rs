//! YAML and JSON as one tree whose every value knows its place.

mod json;
mod node;
mod yaml;

pub use json::parse as parse_json;
pub use node::{Entry, Kind, Node};
pub use yaml::parse as parse_yaml;

use crate::source::ReadError;

/// The tree of a text that is JSON when it starts with `{`, and YAML otherwise.
///
/// YAML reads almost all of JSON, but not its `\ud83d\ude00` escapes.
pub fn parse(file: &str, text: &str) -> Result<Node, ReadError> {
    if text.trim_start().starts_with('{') { parse_json(file, text) } else { parse_yaml(file, text) }
}
