//! Checks the parameters of a request against those of a rule.

use serde_json::{Map, Value};

use super::block::Parameters;
use super::decide::DecisionReason;
use super::dialect::Dialect;
use super::rule::Rule;

/// Returns why the parameters are denied. The order is the servers': required parameters first;
/// a request without parameters is then allowed.
pub(super) fn check_parameters(
    rule: &Rule,
    data: &Map<String, Value>,
    dialect: Dialect,
) -> Option<DecisionReason> {
    let missing = rule.required.iter().find(|name| !data.contains_key(&name.to_lowercase()));
    if let Some(name) = missing {
        return Some(DecisionReason::ParameterMissing(name.clone()));
    }
    if data.is_empty() {
        return None;
    }
    let denied = rule.denied.as_ref().and_then(|denied| check_denied(denied, data, dialect));
    denied.or_else(|| check_allowed(rule.allowed.as_ref()?, data, dialect))
}

fn check_denied(
    denied: &Parameters,
    data: &Map<String, Value>,
    dialect: Dialect,
) -> Option<DecisionReason> {
    for (name, value) in data {
        let key = name.to_lowercase();
        let hit = denied.get(&key).is_some_and(|list| listed(value, list, true, &key, dialect));
        if hit || denied.contains_key("*") {
            return Some(DecisionReason::ParameterDenied(name.clone()));
        }
    }
    None
}

fn check_allowed(
    allowed: &Parameters,
    data: &Map<String, Value>,
    dialect: Dialect,
) -> Option<DecisionReason> {
    let anything = allowed.contains_key("*");
    if allowed.is_empty() || (anything && allowed.len() == 1) {
        return None;
    }
    for (name, value) in data {
        let key = name.to_lowercase();
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
    // Current Vault folds the case of policy names before it compares them.
    let folded = (dialect == Dialect::Vault && matches!(key, "policies" | "token_policies"))
        .then(|| lowercase(value));
    let value = folded.as_ref().unwrap_or(value);
    let one = |value: &Value| list.iter().any(|item| same(item, value));
    if one(value) {
        return true;
    }
    if !dialect.is_vault() {
        return false;
    }
    // Vault compares element by element, and reads a text with commas as a list.
    let elements: Vec<Value> = match value {
        Value::Array(items) => items.clone(),
        Value::String(text) => text.split(',').map(|part| Value::from(part.trim())).collect(),
        _ => return false,
    };
    if denied { elements.iter().any(one) } else { elements.iter().all(one) }
}

fn lowercase(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.to_lowercase()),
        Value::Array(items) => items.iter().map(lowercase_text).collect(),
        other => other.clone(),
    }
}

fn lowercase_text(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| Value::String(text.to_lowercase()))
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
}
