//! JSON for scripts.

/// Formats a JSON document.
///
/// # Panics
/// Never: all documents have text keys and integers, which JSON supports.
pub fn json(document: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(document);
    text.expect("documents have text keys and integers, which JSON supports") + "\n"
}
