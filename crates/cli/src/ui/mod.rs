//! Output: results on standard output, findings and progress on standard error. Only this module
//! writes to a terminal.

mod answer;
mod print;
mod progress;
mod sources;
mod usage;
mod words;

pub(crate) use answer::Answer;
pub(crate) use print::{Ui, interrupted};
pub(crate) use progress::Progress;
pub(crate) use usage::usage;
pub(crate) use words::shell_word;
