//! The one place that writes to a terminal: standard output is data, standard error is talk.

mod answer;
mod progress;
mod sources;
mod usage;
mod words;
mod write;

pub(crate) use answer::Answer;
pub(crate) use progress::Progress;
pub(crate) use usage::usage;
pub(crate) use words::shell_word;
pub(crate) use write::{Ui, interrupted};
