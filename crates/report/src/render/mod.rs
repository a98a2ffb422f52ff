//! Findings as text for people and for other programs. Pure: every function gives a `String`.

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
pub use human::{Layout, human, paragraph, sum};
pub use json::json;
pub use sarif::sarif;
pub use source::SourceTexts;
pub use table::Table;

/// The columns of text for people where no terminal says otherwise.
pub const WIDTH: usize = 80;
