//! Findings as text for people: wrapped to a width, with the source lines that they are about.

mod finding;
mod hidden;
mod snippet;
mod wrap;

pub use finding::{Layout, human, sum};
pub use wrap::paragraph;
