//! What the program says: findings with their codes, exit codes, and the JSON of every
//! command.
//!
//! Nothing here prints, reads a file or knows a terminal. A library crate returns
//! [`Finding`]s or a type that is [`Explain`]; [`render`] makes text of findings, and the CLI
//! prints it.

mod code;
pub mod connection;
mod count;
pub mod document;
mod exit;
pub mod exposed;
mod fields;
mod finding;
mod mistakes;
mod nearest;
pub mod output;
mod reading;
pub mod render;
pub mod sink;
mod size;

pub use code::{Code, UnknownCode};
pub use count::count;
pub use envlock_text::{Place, Pos, one_line, printable};
pub use exit::Exit;
pub use fields::{Fields, unknown_key_help, wrong_type};
pub use finding::{Explain, Finding, Level, Related, arrange};
pub use mistakes::Mistakes;
pub use nearest::nearest;
pub use size::size;
