//! `$NAME` and `${NAME}` in what was written.

use super::InvalidChannel;

/// The text with every variable replaced by its value.
///
/// # Errors
/// A [`InvalidChannel`] where a variable isn't set, or a `$` has no name behind it.
pub fn expand(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, InvalidChannel> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('$') {
        expanded.push_str(before);
        let (name, tail) = if let Some(inner) = behind.strip_prefix('{') {
            inner.split_once('}').ok_or(InvalidChannel::MalformedVariable)?
        } else {
            behind.split_at(behind.find(|c: char| !is_name(c)).unwrap_or(behind.len()))
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
