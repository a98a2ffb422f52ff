//! Output: results on standard output, findings and progress on standard error. Only this module
//! writes to a terminal.

mod command_output;
mod print;
mod progress;
mod shell_quote;
mod source_lines;
mod usage;

pub(crate) use command_output::CommandOutput;
pub(crate) use print::{Ui, interrupted};
pub(crate) use progress::Progress;
pub(crate) use shell_quote::shell_word;
pub(crate) use usage::usage;
