//! Reads text files: decoding, size limits, YAML and JSON trees with positions, and redaction
//! of secrets.
//!
//! This crate is pure: it gets bytes, and opens no file.

mod decode;
mod error;
pub mod limits;
mod place;
mod printable;
pub mod redact;
pub mod tree;

pub use decode::{decode, decode_raw};
pub use error::{Fault, ReadError};
pub use limits::Limits;
pub use place::{Place, Pos, end_position, to_u32};
pub use printable::{excerpt, one_line, printable};
pub use redact::redact;
