//! Checks the parameters of a request against those of a rule.

use serde_json::{Map, Value};

use super::block::Parameters;
use super::decide::DecisionReason;
use super::dialect::Dialect;
use super::lowercase::lowered;
use super::rule::Rule;

/// Returns why the parameters are denied. The order is the servers': required parameters first;
/// a request without parameters is then allowed.
pub(super) fn check_parameters(
    rule: &Rule,
    data: &Map<String, Value>,
    dialect: Dialect,
) -> Option<DecisionReason> {
    let missing = rule.required.iter().find(|name| !data.contains_key(&lowered(name)));
    if let Some(name) = missing {
        return Some(DecisionReason::ParameterMissing(name.clone()));
    }
    if data.is_empty() {
        return None;
    }
    let is_random = |name: &String| rule.colliding.contains(&lowered(name));
    let random = data.keys().find(|name| is_random(name));
    let certain = data.iter().filter(|(name, _)| !is_random(name));
    let denied = rule.denied.as_ref().and_then(|denied| {
        let every = denied.contains_key("*").then(|| data.keys().next()).flatten();
        let every = every.map(|name| DecisionReason::ParameterDenied(name.clone()));
        every.or_else(|| check_denied(denied, certain.clone(), dialect))
    });
    denied
        .or_else(|| check_allowed(rule.allowed.as_ref()?, certain, dialect))
        .or_else(|| random.map(|name| DecisionReason::ParameterSpellings(name.clone())))
}

fn check_denied<'d>(
    denied: &Parameters,
    mut data: impl Iterator<Item = (&'d String, &'d Value)>,
    dialect: Dialect,
) -> Option<DecisionReason> {
    let hit = data.find(|(name, value)| {
        let key = lowered(name);
        denied.get(&key).is_some_and(|list| listed(value, list, true, &key, dialect))
    });
    hit.map(|(name, _)| DecisionReason::ParameterDenied(name.clone()))
}

fn check_allowed<'d>(
    allowed: &Parameters,
    data: impl Iterator<Item = (&'d String, &'d Value)>,
    dialect: Dialect,
) -> Option<DecisionReason> {
    let anything = allowed.contains_key("*");
    if allowed.is_empty() || (anything && allowed.len() == 1) {
        return None;
    }
    for (name, value) in data {
        let key = lowered(name);
        match allowed.get(&key) {
            None if !anything => return Some(DecisionReason::ParameterNotAllowed(name.clone())),
            Some(list) if !listed(value, list, false, &key, dialect) => {
                return Some(DecisionReason::ValueNotAllowed(name.clone()));
            }
            _ => {}
        }
    }
    None
}

/// Whether `value` is in `list`. An empty list contains every value.
pub(super) fn listed(
    value: &Value,
    list: &[Value],
    denied: bool,
    key: &str,
    dialect: Dialect,
) -> bool {
    if list.is_empty() {
        return true;
    }
    let folded = (dialect.folds_policy_names() && matches!(key, "policies" | "token_policies"))
        .then(|| lowercase(value));
    let value = folded.as_ref().unwrap_or(value);
    let one = |value: &Value| list.iter().any(|item| same(item, value));
    if one(value) {
        return true;
    }
    if !dialect.compares_elements() {
        return false;
    }
    // A text with commas is a list, and the empty text is a list without elements: it passes
    // every list of allowed values, and is in no list of denied ones.
    let elements: Vec<Value> = match value {
        Value::Array(items) => items.clone(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => text.split(',').map(|part| Value::from(part.trim())).collect(),
        _ => return false,
    };
    if denied { elements.iter().any(one) } else { elements.iter().all(one) }
}

fn lowercase(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(lowered(text)),
        Value::Array(items) => items.iter().map(lowercase_text).collect(),
        other => other.clone(),
    }
}

fn lowercase_text(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| Value::String(lowered(text)))
}

fn same(item: &Value, value: &Value) -> bool {
    match (item, value) {
        (Value::String(pattern), Value::String(text)) => glob(pattern, text),
        _ => item == value && is_comparable(item),
    }
}

/// Whether the servers can find the value equal to another one. To them a number of a policy and
/// one of a request have different types, and so has an object inside another object: a value
/// that contains one of them equals nothing.
fn is_comparable(item: &Value) -> bool {
    match item {
        Value::Number(_) => false,
        Value::Array(items) => items.iter().all(is_comparable),
        Value::Object(members) => {
            members.values().all(|member| !member.is_object() && is_comparable(member))
        }
        _ => true,
    }
}

/// Matches a star at the start or the end. A star alone is an ordinary character.
fn glob(pattern: &str, text: &str) -> bool {
    if pattern.len() < 2 {
        return pattern == text;
    }
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(rest), Some(_)) => text.contains(&rest[..rest.len() - 1]),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_star_alone_is_a_character_and_two_stars_match_any_text() {
        assert!(glob("*", "*") && !glob("*", "x"));
        assert!(glob("**", "") && glob("**", "x"));
        assert!(glob("*b", "ab") && glob("a*", "ab") && glob("*b*", "abc") && !glob("a*c", "abc"));
    }

    #[test]
    fn types_count() {
        let list = [serde_json::json!(1), serde_json::json!(true), serde_json::json!([2])];
        let is_listed = |value| listed(&value, &list, false, "n", Dialect::OpenBao);
        assert!(is_listed(true.into()) && !is_listed("true".into()) && !is_listed("1".into()));
        assert!(!is_listed(1.into()) && !is_listed(serde_json::json!([2])));
        assert!(!listed(&Value::Null, &list, false, "n", Dialect::Vault));
    }

    #[test]
    fn newer_releases_of_vault_compare_elements_and_the_empty_text_has_none() {
        let list = [serde_json::json!("a"), serde_json::json!("b")];
        let is_listed = |value: &str, denied| {
            Dialect::ALL.map(|dialect| listed(&value.into(), &list, denied, "n", dialect))
        };
        let newer =
            Dialect::ALL.map(|dialect| matches!(dialect, Dialect::Vault | Dialect::Vault121));
        assert_eq!(is_listed("", false), newer);
        assert_eq!(is_listed("a, b", false), newer);
        assert_eq!(is_listed("a,c", true), newer);
        assert_eq!(is_listed("", true), [false; 6]);
        assert_eq!(is_listed("a,c", false), [false; 6]);
        assert_eq!(is_listed(",", false), [false; 6]);
    }

    #[test]
    fn only_the_newest_vault_folds_policy_names() {
        let list = [serde_json::json!("dev")];
        let folds = Dialect::ALL
            .map(|dialect| listed(&"DEV".into(), &list, true, "token_policies", dialect));
        assert_eq!(folds, Dialect::ALL.map(|dialect| dialect == Dialect::Vault));
    }
}
