//! For scripts.

use crate::finding::FindingsDocument;
use crate::{Exit, Finding};

/// What `command` found and how it ends, as a [`FindingsDocument`].
pub fn json(command: &str, findings: &[Finding], exit: Exit) -> String {
    pretty(&FindingsDocument::new(command, findings, exit))
}

pub(super) fn pretty(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.expect("keys are strings and numbers are whole, so that there is nothing to refuse") + "\n"
}
