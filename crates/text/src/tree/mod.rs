//! One tree for YAML and JSON. Each value has its position.

mod build;
mod comment;
mod json;
mod node;
mod read;
mod yaml;

pub use comment::Lines;
pub use json::parse_policy as parse_json_policy;
pub use node::{Entry, Kind, Node};
pub use read::{Tree, read, read_yaml};
