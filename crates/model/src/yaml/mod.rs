//! YAML with the place of everything in it, comments included: what environment.yml and
//! `.condarc` are read with.

mod comment;
mod tree;

pub use comment::Lines;
pub use tree::{Kind, Loaded, Node, Point, YamlError, load};
