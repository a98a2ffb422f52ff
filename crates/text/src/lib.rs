//! Reads text files: decoding, size limits, YAML and JSON trees with positions, and redaction
//! of secrets.
//!
//! This crate is pure: it gets bytes, and opens no file.

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
pub use printable::{excerpt, one_line, printable};
pub use redact::redact;
pub use source::{decode, decode_raw};
