//! Texts from outside, before it is known what they mean: decoded, bounded, parsed into trees
//! in which every value knows its place, and shown without a secret in them.
//!
//! Pure: nothing here reads a file.

mod error;
pub mod limits;
mod place;
mod printable;
pub mod redact;
mod source;
pub mod tree;

pub use error::{Fault, ReadError};
pub use limits::Limits;
pub use place::{Place, Pos, end_position, to_u32};
pub use printable::{one_line, printable};
pub use redact::redact;
pub use source::{decode, decode_raw};
