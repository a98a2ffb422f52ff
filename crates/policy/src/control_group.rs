//! Checks a `control_group`, which only Vault has: its factors need an identity with groups and a
//! number of approvals.
//!
//! Vault decodes it into types that ignore unknown keys and the case of known ones, and in which an
//! object may also be written as labels.

use super::duration;
use super::error::PolicyErrorKind;
use super::hcl_body::{Identifier, Item, Value, ValueKind, integer};
use envlock_text::Pos;

/// An item below a key, with the labels that remain.
#[derive(Clone, Copy)]
struct Part<'a> {
    labels: &'a [Identifier],
    value: &'a Value,
}

type Check<T> = Result<T, (Pos, PolicyErrorKind)>;

/// Checks the items of `control_group` in a block.
///
/// # Errors
/// Returns an error of a type, for which Vault rejects also a block that denies.
pub(crate) fn check_types(items: &[&Item]) -> Check<()> {
    let group = members(items.iter().map(|item| part(item, 1)))?;
    for (_, factor) in factors(&group)? {
        let identity = members(below(&factor, "identity"))?;
        texts(&identity, "group_ids")?;
        texts(&identity, "group_names")?;
        approvals(&identity)?;
        texts(&factor, "controlled_capabilities")?;
    }
    Ok(())
}

/// Checks the content of a group whose types are right, in a block with the capabilities `words`.
///
/// # Errors
/// Returns the error for which Vault rejects a block that doesn't deny.
pub(crate) fn check_content(items: &[&Item], words: &[String]) -> Check<()> {
    let Some(first) = items.first() else { return Ok(()) };
    let group = members(items.iter().map(|item| part(item, 1)))?;
    if let Some(ttl) = below(&group, "ttl").last()
        && duration::nanoseconds(ttl.value).is_none()
    {
        return Err((ttl.value.pos, PolicyErrorKind::BadDuration { key: "ttl" }));
    }
    let factors = factors(&group)?;
    if factors.is_empty() {
        return Err((first.pos(), PolicyErrorKind::NoFactor));
    }
    for (name, factor) in factors {
        let mut identities = below(&factor, "identity").peekable();
        if identities.peek().is_none() {
            return Err((name.pos, PolicyErrorKind::FactorWithoutIdentity(name.text.clone())));
        }
        let identity = members(identities)?;
        let groups = [texts(&identity, "group_ids")?, texts(&identity, "group_names")?].concat();
        if groups.is_empty() || approvals(&identity)?.is_none_or(|number| number <= 0) {
            return Err((name.pos, PolicyErrorKind::FactorWithoutApprovals(name.text.clone())));
        }
        for (word, pos) in texts(&factor, "controlled_capabilities")? {
            if !words.contains(&word) {
                return Err((pos, PolicyErrorKind::ControlledCapability(word)));
            }
        }
    }
    Ok(())
}

fn part(item: &Item, keys: usize) -> Part<'_> {
    Part { labels: &item.keys[keys..], value: &item.value }
}

/// The parts below the key `name`.
fn below<'a>(parts: &[Part<'a>], name: &'static str) -> impl Iterator<Item = Part<'a>> {
    parts.iter().filter_map(move |part| match part.labels {
        [first, rest @ ..] if first.text.eq_ignore_ascii_case(name) => {
            Some(Part { labels: rest, value: part.value })
        }
        _ => None,
    })
}

/// The members of objects: a part with labels is the member that they name.
fn members<'a>(objects: impl Iterator<Item = Part<'a>>) -> Check<Vec<Part<'a>>> {
    let mut members = Vec::new();
    for object in objects {
        match &object.value.kind {
            _ if !object.labels.is_empty() => members.push(object),
            ValueKind::Body(body) => members.extend(body.items.iter().map(|item| part(item, 0))),
            _ => return Err(wrong_type(object.value.pos, "control_group", "a block with factors")),
        }
    }
    Ok(members)
}

/// The factors of a group by name, each with its members.
fn factors<'a>(group: &[Part<'a>]) -> Check<Vec<(&'a Identifier, Vec<Part<'a>>)>> {
    let mut factors: Vec<(&Identifier, Vec<Part<'_>>)> = Vec::new();
    for factor in members(below(group, "factor"))? {
        let [name, rest @ ..] = factor.labels else { continue };
        let content = members(std::iter::once(Part { labels: rest, value: factor.value }))?;
        match factors.iter_mut().find(|(known, _)| known.text == name.text) {
            Some((_, known)) => known.extend(content),
            None => factors.push((name, content)),
        }
    }
    Ok(factors)
}

/// The texts of a list.
fn texts(parts: &[Part<'_>], key: &'static str) -> Check<Vec<(String, Pos)>> {
    let mut texts = Vec::new();
    for part in below(parts, key) {
        let items = part.value.as_list().filter(|_| part.labels.is_empty());
        let Some(items) = items else {
            return Err(wrong_type(part.value.pos, key, "a list of quoted words"));
        };
        for item in items {
            let Some(text) = item.as_text() else {
                return Err(wrong_type(item.pos, key, "a list of quoted words"));
            };
            texts.push((text.to_owned(), item.pos));
        }
    }
    Ok(texts)
}

fn approvals(identity: &[Part<'_>]) -> Check<Option<i64>> {
    let mut approvals = None;
    for part in below(identity, "approvals") {
        approvals = part.value.as_text().filter(|_| part.labels.is_empty()).and_then(integer);
        if approvals.is_none() {
            return Err(wrong_type(part.value.pos, "approvals", "a whole number"));
        }
    }
    Ok(approvals)
}

fn wrong_type(pos: Pos, key: &'static str, expected: &'static str) -> (Pos, PolicyErrorKind) {
    (pos, PolicyErrorKind::WrongType { key, expected })
}
