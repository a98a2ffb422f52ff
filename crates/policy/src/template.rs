//! Templates in a pattern: `{{identity.…}}`.

use std::borrow::Cow;

use super::identity::Identity;

/// Characters that a template's value may not put into a pattern, by the server's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ForbiddenInTemplates {
    pub(crate) slash: bool,
    pub(crate) wildcard: bool,
}

/// Checks the braces. `Ok(true)` if the pattern has a template.
pub(crate) fn is_templated(pattern: &str) -> Result<bool, ()> {
    let mut parts = pattern.split("{{");
    if parts.next().is_some_and(|head| head.contains("}}")) {
        return Err(());
    }
    let mut templated = false;
    for part in parts {
        templated = true;
        if part.matches("}}").count() != 1 {
            return Err(());
        }
    }
    Ok(templated)
}

/// Replaces every template by its value. `None` if one has no value: the servers then ignore the
/// whole block for this identity, even if it denies.
pub(crate) fn expand<'a>(
    pattern: &'a str,
    identity: &Identity,
    namespace: &str,
    now: jiff::Timestamp,
    forbidden: ForbiddenInTemplates,
) -> Option<Cow<'a, str>> {
    let mut parts = pattern.split("{{");
    let head = parts.next().unwrap_or_default();
    if head.len() == pattern.len() {
        return Some(Cow::Borrowed(pattern));
    }
    let mut expanded = head.to_owned();
    for part in parts {
        let (directive, rest) = part.split_once("}}")?;
        let value = identity.value(directive.trim(), namespace, now)?;
        if (forbidden.slash && value.contains('/'))
            || (forbidden.wildcard && value.contains(['*', '+']))
        {
            return None;
        }
        expanded.push_str(&value);
        expanded.push_str(rest);
    }
    Some(Cow::Owned(expanded))
}

/// Whether `pattern` could match `path` for some identity. The result may be true too often,
/// never too rarely: every template and wildcard is treated as any text.
pub fn may_match(pattern: &str, path: &str) -> bool {
    let mut literals = Vec::new();
    for part in pattern.split("{{") {
        let text = part.split_once("}}").map_or(part, |(_, rest)| rest);
        literals.push(text);
    }
    let open_end = literals.last().is_some_and(|last| last.ends_with('*'));
    let pieces: Vec<&str> =
        literals.iter().flat_map(|text| text.trim_end_matches('*').split('+')).collect();
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return true };
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    for piece in &pieces[1..pieces.len().max(2) - 1] {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    pieces.len() == 1 || if open_end { rest.contains(last) } else { rest.ends_with(last) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_must_match() {
        assert_eq!(is_templated("a/b"), Ok(false));
        assert_eq!(is_templated("a/{{x}}/{{ y }}"), Ok(true));
        for bad in ["a}}", "a/{{x", "{{a}}}}", "}}{{"] {
            assert_eq!(is_templated(bad), Err(()), "{bad}");
        }
    }

    #[test]
    fn a_template_may_match_a_path_that_has_its_literal_parts() {
        assert!(may_match("secret/data/{{identity.entity.name}}/*", "secret/data/ml/db"));
        assert!(may_match("secret/{{a}}/x{{b}}", "secret/q/xyz"));
        assert!(!may_match("secret/data/{{a}}/db", "secret/data/ml/other"));
        assert!(!may_match("kv/{{a}}/*", "secret/data/ml/db"));
        assert!(may_match("{{a}}", "anything/at/all"));
        assert!(may_match("s/+/{{a}}*", "s/x/y"));
    }
}
