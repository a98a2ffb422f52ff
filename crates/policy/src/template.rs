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

/// The texts between the braces of `pattern`.
pub(crate) fn directives(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split("{{").skip(1).filter_map(|part| Some(part.split_once("}}")?.0))
}

/// Whether some identity gives `directive` a value. Without one, the servers always ignore the
/// block.
pub(crate) fn has_value(directive: &str) -> bool {
    let named = |text: &str| text == "id" || text == "name";
    let keyed = |text: &str, map: &str| {
        text.strip_prefix(map)
            .and_then(|key| key.strip_prefix('.'))
            .is_some_and(|key| !key.is_empty())
    };
    if let Some(selector) = directive.strip_prefix("identity.entity.") {
        return match selector.strip_prefix("aliases.") {
            Some(alias) => alias.split_once('.').is_some_and(|(accessor, what)| {
                let metadata = keyed(what, "metadata") || keyed(what, "custom_metadata");
                !accessor.is_empty() && (named(what) || metadata)
            }),
            None => named(selector) || keyed(selector, "metadata"),
        };
    }
    if let Some(selector) = directive.strip_prefix("identity.groups.") {
        let parts: Vec<&str> = selector.splitn(3, '.').collect();
        let [by @ ("ids" | "names"), which, what] = parts.as_slice() else { return false };
        return !by.is_empty() && !which.is_empty() && (named(what) || keyed(what, "metadata"));
    }
    directive
        .strip_prefix("time.")
        .is_some_and(|time| super::identity::time(time, jiff::Timestamp::UNIX_EPOCH).is_some())
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
    fn a_directive_has_a_value_if_an_identity_can_give_it_one() {
        use crate::identity::{Alias, Entity, Group};
        let metadata = std::collections::BTreeMap::from([("team".to_owned(), "ml".to_owned())]);
        let alias = Alias {
            id: "i".into(),
            name: "n".into(),
            metadata: metadata.clone(),
            custom_metadata: metadata.clone(),
        };
        let entity = Entity {
            id: "i".into(),
            name: "n".into(),
            metadata: metadata.clone(),
            aliases: [("acc".to_owned(), alias)].into(),
        };
        let group = Group { id: "g".into(), name: "g".into(), namespace: "root".into(), metadata };
        let identity = Identity { entity: Some(entity), groups: vec![group] };
        let words = [
            "identity",
            "entity",
            "groups",
            "ids",
            "names",
            "g",
            "aliases",
            "alias",
            "acc",
            "id",
            "name",
            "metadata",
            "custom_metadata",
            "team",
            "time",
            "now",
            "plus",
            "1h",
        ];
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut texts: Vec<String> = words.iter().map(ToString::to_string).collect();
        let mut level = texts.clone();
        for _ in 0..2 {
            let longer = level
                .iter()
                .flat_map(|text| words.iter().map(move |word| format!("{text}.{word}")));
            level = longer.collect();
            texts.extend(level.iter().cloned());
        }
        for start in ["identity.entity", "identity.groups", "identity.entity.aliases"] {
            texts.extend(level.iter().map(|text| format!("{start}.{text}")));
        }
        let mut valued = 0;
        for text in &texts {
            let value = identity.value(text, "root", now).is_some();
            // Another identity has other groups, accessors and keys.
            assert!(!value || has_value(text), "{text}");
            valued += usize::from(value);
        }
        assert!(valued > 10);
        for none in [
            "identity.entity.metadata",
            "identity.entity.alias.acc.name",
            ".Namespace",
            "identity.entity",
            "identity.groups.names.g",
            "identity.entity.aliases.acc",
            "x",
        ] {
            assert!(!has_value(none), "{none}");
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
