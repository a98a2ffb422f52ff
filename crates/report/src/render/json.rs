//! For scripts.

use crate::finding::{Asked, FindingsDocument};
use crate::{Exit, Finding};

/// What `command` found, what it was answered and how it ends, as a [`FindingsDocument`].
pub fn json<R: serde::Serialize>(
    command: &str,
    findings: &[Finding],
    asked: Option<Asked>,
    answers: Vec<R>,
    exit: Exit,
) -> String {
    pretty(&FindingsDocument::new(command, findings, asked, answers, exit))
}

pub(super) fn pretty(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.expect("keys are strings and numbers are whole, so that there is nothing to refuse") + "\n"
}
