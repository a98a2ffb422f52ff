//! Findings as text for people and for other programs. Pure: every function gives a `String`.

mod github;
mod gitlab;
mod human;
mod json;
mod sarif;
mod table;

pub use github::github;
pub use gitlab::gitlab;
pub use human::{human, sentence};
pub use json::json;
pub use sarif::sarif;
pub use table::Table;

/// The columns that text for people is held to.
pub const WIDTH: usize = 80;
