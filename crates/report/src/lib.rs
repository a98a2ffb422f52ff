//! Findings with their codes, exit codes, and the JSON documents of all commands.
//!
//! This crate doesn't print, and reads no files. A library crate returns [`Finding`]s or a type
//! that implements [`AsFindings`]. [`render`] formats findings, and the CLI prints them.

mod code;
pub mod connection;
mod count;
pub mod document;
mod exit;
mod fields;
mod finding;
mod mistakes;
mod nearest;
pub mod outcome;
pub mod output;
mod read_error;
pub mod render;
pub mod secret_scan;
mod shapes;
mod size;

pub use code::{Code, UnknownCode};
pub use count::count;
pub use envlock_text::{Place, Pos, one_line, printable};
pub use exit::Exit;
pub use fields::{Fields, unknown_key_help, wrong_type};
pub use finding::{AsFindings, Finding, Level, Related, sort_and_merge};
pub use mistakes::Mistakes;
pub use nearest::nearest;
pub use size::format_size;
