//! Replaces variables, `$NAME` and `${NAME}`, in a text.

use super::InvalidChannel;

/// Replaces every variable by its value.
///
/// # Errors
/// Returns an [`InvalidChannel`] if a variable isn't set, or if no name follows a `$`.
pub fn expand(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, InvalidChannel> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let (name, tail) = if let Some(inner) = after.strip_prefix('{') {
            inner.split_once('}').ok_or(InvalidChannel::MalformedVariable)?
        } else {
            after.split_at(after.find(|c: char| !is_name(c)).unwrap_or(after.len()))
        };
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(InvalidChannel::MalformedVariable);
        }
        let value = variable(name).ok_or_else(|| InvalidChannel::UnsetVariable(name.to_owned()))?;
        expanded.push_str(&value);
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
