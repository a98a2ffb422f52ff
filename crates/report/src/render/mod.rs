//! Formats findings for people and for other programs. Every function returns a `String`.

mod github;
mod gitlab;
mod human;
mod json;
mod sarif;
mod source;
mod style;
mod table;

pub use github::github;
pub use gitlab::gitlab;
pub use human::{Layout, human, paragraph, summary_line};
pub use json::json;
pub use sarif::sarif;
pub use source::SourceTexts;
pub use table::Table;

/// The number of columns of text for people, if it isn't printed on a terminal.
pub const WIDTH: usize = 80;
