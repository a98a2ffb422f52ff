//! For scripts.

/// Formats one JSON document as it is printed.
///
/// # Panics
/// Never: the documents have text keys and whole numbers, which JSON can hold.
pub fn json(document: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(document);
    text.expect("keys are strings and numbers are whole, so that there is nothing to refuse") + "\n"
}
