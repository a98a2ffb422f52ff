//! What differs between the needs of a lock and those of the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::locked::LockedNeeds;
use super::need::Need;
use super::profile::LockedProfile;

/// One difference between the needs of a lock and those of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedChange {
    /// The need; none where the whole block was added or removed.
    pub need: Option<String>,
    /// The profile, when the difference exists only there.
    pub profile: Option<String>,
    /// What changed.
    pub kind: ChangeKind,
}

/// What changed about a need, or about all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// The manifest has it and the lock doesn't.
    Added,
    /// The lock has it and the manifest doesn't.
    Removed,
    /// One key has another value.
    Key {
        /// The key.
        key: String,
        /// Its value in the lock.
        locked: Option<String>,
        /// Its value in the manifest.
        wanted: Option<String>,
    },
    /// The profile skips, requires or makes it optional differently.
    Use,
    /// The profile has another mount, path, role or key for it.
    Location,
}

impl fmt::Display for NeedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(need) = &self.need else {
            return f.write_str(match self.kind {
                ChangeKind::Removed => {
                    "the lock records needs of secrets, and the project has no secrets manifest"
                }
                _ => "the project has a secrets manifest, and the lock doesn't record its needs",
            });
        };
        write!(f, "need {need}")?;
        if let Some(profile) = &self.profile {
            write!(f, " in profile {profile}")?;
        }
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "absent".to_owned());
        match &self.kind {
            ChangeKind::Added => f.write_str(": is in the manifest and not in the lock"),
            ChangeKind::Removed => f.write_str(": is in the lock and no longer in the manifest"),
            ChangeKind::Key { key, locked, wanted } => {
                write!(f, ": {key} was {}, is {}", value(locked), value(wanted))
            }
            ChangeKind::Use => f.write_str(": is skipped, required or optional differently"),
            ChangeKind::Location => f.write_str(": has another mount, path, role or key"),
        }
    }
}

/// What differs between the needs of a lock and those of the manifest; empty when the lock is
/// up to date. Another `why` is no difference: it asks for nothing.
pub fn changes(locked: Option<&LockedNeeds>, wanted: Option<&LockedNeeds>) -> Vec<NeedChange> {
    let whole = |kind| vec![NeedChange { need: None, profile: None, kind }];
    match (locked, wanted) {
        (None, None) => Vec::new(),
        (None, Some(_)) => whole(ChangeKind::Added),
        (Some(_), None) => whole(ChangeKind::Removed),
        (Some(locked), Some(wanted)) => between(locked, wanted),
    }
}

fn between(locked: &LockedNeeds, wanted: &LockedNeeds) -> Vec<NeedChange> {
    let mut changes = Vec::new();
    compare(&locked.needs, &wanted.needs, None, key_changes, &mut changes);
    let none = LockedProfile::default();
    let names: BTreeSet<_> = locked.profiles.keys().chain(wanted.profiles.keys()).collect();
    for name in names {
        let old = locked.profiles.get(name).unwrap_or(&none);
        let new = wanted.profiles.get(name).unwrap_or(&none);
        compare(&old.needs, &new.needs, Some(name), |_, _| vec![ChangeKind::Use], &mut changes);
        let moved = |_: &_, _: &_| vec![ChangeKind::Location];
        compare(&old.overrides, &new.overrides, Some(name), moved, &mut changes);
    }
    changes
}

fn compare<T: PartialEq>(
    locked: &BTreeMap<String, T>,
    wanted: &BTreeMap<String, T>,
    profile: Option<&str>,
    differences: impl Fn(&T, &T) -> Vec<ChangeKind>,
    changes: &mut Vec<NeedChange>,
) {
    let change = |need: &str, kind| NeedChange {
        need: Some(need.to_owned()),
        profile: profile.map(str::to_owned),
        kind,
    };
    for (name, old) in locked {
        match wanted.get(name) {
            None => changes.push(change(name, ChangeKind::Removed)),
            Some(new) if old == new => {}
            Some(new) => {
                changes.extend(differences(old, new).into_iter().map(|kind| change(name, kind)));
            }
        }
    }
    let added = wanted.keys().filter(|name| !locked.contains_key(*name));
    changes.extend(added.map(|name| change(name, ChangeKind::Added)));
}

/// Key by key, as the lock writes them.
fn key_changes(old: &Need, new: &Need) -> Vec<ChangeKind> {
    let (old, new) = (keys(old), keys(new));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    names
        .into_iter()
        .filter(|key| *key != "why" && old.get(*key) != new.get(*key))
        .map(|key| ChangeKind::Key {
            key: key.clone(),
            locked: old.get(key).map(text),
            wanted: new.get(key).map(text),
        })
        .collect()
}

fn keys(need: &Need) -> BTreeMap<String, Value> {
    match serde_json::to_value(need) {
        Ok(Value::Object(map)) => map.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}
