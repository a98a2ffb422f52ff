//! What the program says: diagnostics, exit codes, and the JSON of every command.
//!
//! Nothing here prints, reads a file or knows a terminal. A library crate returns a
//! [`Diagnostic`] (or a type that is [`Explain`]); the CLI renders it.

mod count;
mod diagnostic;
mod exit;
pub mod human;
mod nearest;
pub mod output;

pub use count::count;
pub use diagnostic::{Diagnostic, Explain, Place, Severity};
pub use exit::Exit;
pub use nearest::nearest;
