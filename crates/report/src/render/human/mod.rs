//! Formats findings as text for people: wrapped to a width, with the source lines.

mod finding;
mod hidden;
mod snippet;
mod wrap;

pub use finding::{Layout, human, summary_line};
pub use wrap::paragraph;
