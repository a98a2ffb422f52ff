//! Texts with references to environment variables, which pip replaces by their values.

use std::fmt;
use std::ops::Range;

use envlock_text::redact;

/// A text that can refer to variables as `${NAME}`.
///
/// The value of a variable can be a credential, so the text is kept as written and goes into the
/// lock like that. [`expand`](Self::expand) gives the text to use.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableText(String);

/// A text with the values of its variables. It isn't shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Expanded(String);

/// A variable that is unset or empty. pip would use the text `${NAME}` itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the variable {name} isn't set")]
pub struct UnsetVariable {
    /// The name of the variable.
    pub name: String,
}

impl VariableText {
    /// Creates a text as it is written.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the names of the variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        references(&self.0).filter(|found| found.is_expanded).map(|found| found.name)
    }

    /// Replaces each `${NAME}` by its value.
    ///
    /// # Errors
    /// Returns the first variable that has no value.
    pub fn expand(
        &self,
        value: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Expanded, UnsetVariable> {
        let mut expanded = String::new();
        let mut from = 0;
        for found in references(&self.0).filter(|found| found.is_expanded) {
            let value = value(found.name).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| UnsetVariable { name: found.name.to_owned() })?;
            expanded.push_str(&self.0[from..found.range.start]);
            expanded.push_str(&value);
            from = found.range.end;
        }
        expanded.push_str(&self.0[from..]);
        Ok(Expanded(expanded))
    }
}

impl Expanded {
    /// Returns the text. It can have a credential.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VariableText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.0))
    }
}

impl fmt::Debug for VariableText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", redact(&self.0))
    }
}

impl fmt::Debug for Expanded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expanded(***)")
    }
}

/// Compares with a text as written.
impl PartialEq<&str> for VariableText {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// A reference to a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    pub(super) range: Range<usize>,
    pub(super) name: &'a str,
    /// Whether pip replaces it: only `${NAME}` of upper-case letters, digits and `_`.
    pub(super) is_expanded: bool,
}

/// Finds what a person can mean as a reference to a variable: `${NAME}`, `${name}` and `$NAME`.
pub(super) fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    text.match_indices('$').filter_map(|(at, _)| {
        let rest = &text[at + 1..];
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, length) = if let Some(inner) = rest.strip_prefix('{') {
            let end = inner.find(|c| !is_word(c))?;
            inner[end..].starts_with('}').then_some((&inner[..end], end + 3))?
        } else {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            (&rest[..end], end + 1)
        };
        let is_upper = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let is_expanded = rest.starts_with('{') && name.chars().all(is_upper);
        (!name.is_empty()).then(|| Reference { range: at..at + length, name, is_expanded })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_upper_case_names_in_braces_are_replaced() {
        let value = |name: &str| (name == "A_1").then(|| "geheim".to_owned());
        for (text, expanded) in [
            ("https://${A_1}@h/${A_1}", Some("https://geheim@h/geheim")),
            ("$A_1 ${a} ${A-1} ${} $", Some("$A_1 ${a} ${A-1} ${} $")),
            ("x", Some("x")),
            ("${B}", None),
        ] {
            let text = VariableText::new(text);
            let found = text.expand(&value);
            assert_eq!(found.as_ref().ok().map(Expanded::expose), expanded, "{text}");
            assert!(!format!("{text} {text:?} {found:?}").contains("geheim"));
        }
        assert!(VariableText::new("${A}").expand(&|_| Some(String::new())).is_err());
    }
}
