//! What the program says: diagnostics, findings, exit codes, and the JSON of every command.
//!
//! Nothing here prints, reads a file or knows a terminal. A library crate returns a
//! [`Diagnostic`], [`Finding`]s or a type that is [`Explain`]; [`render`] makes text of
//! findings, and the CLI prints it.

pub mod connection;
mod count;
mod diagnostic;
mod exit;
mod finding;
pub mod human;
mod nearest;
pub mod output;
mod printable;
pub mod render;

pub use count::count;
pub use diagnostic::{Diagnostic, Explain, Place, Severity};
pub use exit::Exit;
pub use finding::{
    Asked, Finding, FindingEntry, FindingsDocument, Related, Summary, arrange, exit_of,
};
pub use nearest::nearest;
pub use printable::{one_line, printable};
