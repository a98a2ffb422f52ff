//! Compares the needs in a lock with those of the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::locked::LockedNeeds;
use super::need::Need;
use super::profile::{LockedProfile, NeedOverride};

/// One difference between the needs of a lock and those of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleNeed {
    /// The need. `None` if the whole block was added or removed.
    pub need: Option<String>,
    /// The profile, if only one profile differs.
    pub profile: Option<String>,
    /// The kind of difference.
    pub kind: StaleNeedKind,
}

/// The kind of difference of a need, or of the whole block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaleNeedKind {
    /// Only the manifest has it.
    Added,
    /// Only the lock has it.
    Removed,
    /// One key has another value.
    Key {
        /// The key.
        key: String,
        /// The value in the lock.
        locked: Option<String>,
        /// The value in the manifest.
        declared: Option<String>,
    },
    /// The profile uses the need differently: skipped, required or optional.
    Use,
    /// The profile has another mount, path, role or key for the need.
    Location,
    /// The profile has other parameters for the need.
    Parameters,
}

impl fmt::Display for StaleNeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(need) = &self.need else {
            return f.write_str(match self.kind {
                StaleNeedKind::Removed => {
                    "the lock records needs, but the project has no secrets manifest"
                }
                _ => "the project has a secrets manifest, but the lock doesn't record its needs",
            });
        };
        write!(f, "need {need}")?;
        if let Some(profile) = &self.profile {
            write!(f, " in profile {profile}")?;
        }
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "absent".to_owned());
        match &self.kind {
            StaleNeedKind::Added => f.write_str(" is in the manifest, but not in the lock"),
            StaleNeedKind::Removed => f.write_str(" is in the lock, but not in the manifest"),
            StaleNeedKind::Key { key, locked, declared } => {
                write!(f, ": {key} was {}, is {}", value(locked), value(declared))
            }
            StaleNeedKind::Use => f.write_str(": its use (skip, required, optional) changed"),
            StaleNeedKind::Location => f.write_str(": its mount, path, role or key changed"),
            StaleNeedKind::Parameters => f.write_str(": its parameters changed"),
        }
    }
}

/// Returns the differences between the needs in a lock and those of the manifest. Empty if the
/// lock is up to date. A different `why` doesn't count.
pub fn changes(locked: Option<&LockedNeeds>, declared: Option<&LockedNeeds>) -> Vec<StaleNeed> {
    let whole = |kind| vec![StaleNeed { need: None, profile: None, kind }];
    match (locked, declared) {
        (None, None) => Vec::new(),
        (None, Some(_)) => whole(StaleNeedKind::Added),
        (Some(_), None) => whole(StaleNeedKind::Removed),
        (Some(locked), Some(declared)) => compare_blocks(locked, declared),
    }
}

fn compare_blocks(locked: &LockedNeeds, declared: &LockedNeeds) -> Vec<StaleNeed> {
    let mut changes = Vec::new();
    compare(&locked.needs, &declared.needs, None, key_changes, &mut changes);
    let none = LockedProfile::default();
    let names: BTreeSet<_> = locked.profiles.keys().chain(declared.profiles.keys()).collect();
    for name in names {
        let old = locked.profiles.get(name).unwrap_or(&none);
        let new = declared.profiles.get(name).unwrap_or(&none);
        compare(&old.needs, &new.needs, Some(name), |_, _| vec![StaleNeedKind::Use], &mut changes);
        let moved = |old: &NeedOverride, new: &NeedOverride| {
            let same = (&old.mount, &old.locator) == (&new.mount, &new.locator);
            vec![if same { StaleNeedKind::Parameters } else { StaleNeedKind::Location }]
        };
        compare(&old.overrides, &new.overrides, Some(name), moved, &mut changes);
    }
    changes
}

fn compare<T: PartialEq>(
    locked: &BTreeMap<String, T>,
    declared: &BTreeMap<String, T>,
    profile: Option<&str>,
    differences: impl Fn(&T, &T) -> Vec<StaleNeedKind>,
    changes: &mut Vec<StaleNeed>,
) {
    let change = |need: &str, kind| StaleNeed {
        need: Some(need.to_owned()),
        profile: profile.map(str::to_owned),
        kind,
    };
    for (name, old) in locked {
        match declared.get(name) {
            None => changes.push(change(name, StaleNeedKind::Removed)),
            Some(new) if old == new => {}
            Some(new) => {
                changes.extend(differences(old, new).into_iter().map(|kind| change(name, kind)));
            }
        }
    }
    let added = declared.keys().filter(|name| !locked.contains_key(*name));
    changes.extend(added.map(|name| change(name, StaleNeedKind::Added)));
}

/// Compares two needs key by key, as the lock writes them.
fn key_changes(old: &Need, new: &Need) -> Vec<StaleNeedKind> {
    let (old, new) = (keys(old), keys(new));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    names
        .into_iter()
        .filter(|key| *key != "why" && old.get(*key) != new.get(*key))
        .map(|key| StaleNeedKind::Key {
            key: key.clone(),
            locked: old.get(key).map(text),
            declared: new.get(key).map(text),
        })
        .collect()
}

fn keys(need: &Need) -> BTreeMap<String, Value> {
    match serde_json::to_value(need) {
        Ok(Value::Object(map)) => map.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}
