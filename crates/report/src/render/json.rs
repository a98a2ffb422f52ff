//! For scripts.

/// One JSON document as it is printed.
pub fn json(document: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(document);
    text.expect("keys are strings and numbers are whole, so that there is nothing to refuse") + "\n"
}
