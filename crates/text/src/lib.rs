//! Texts from outside, before anybody knows what they mean: decoded, bounded, parsed into
//! trees in which every value knows its place, and shown without a secret in them.
//!
//! Pure: nothing here reads a file.

mod place;
mod printable;
pub mod redact;
pub mod source;
pub mod tree;

pub use place::{Place, Pos, end_of, number};
pub use printable::{one_line, printable};
pub use redact::redact;
pub use source::{ReadError, decode};
