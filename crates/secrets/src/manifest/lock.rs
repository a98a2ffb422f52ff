//! The needs inside the lock: what is needed, normalised; no policy, no verdict, no address.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{Manifest, Need, NeedUse, Override};
use envlock_text::Pos;

/// The root block `secrets:` of a lock. The same manifest gives the same bytes, whatever its
/// order, comments and shorthands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockedNeeds {
    /// The version of this block: 1.
    pub version: u32,
    /// The needs by name.
    pub needs: BTreeMap<String, Need>,
    /// The profiles that see them differently, everything that they extend included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, LockedProfile>,
}

/// What is different about the needs in a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockedProfile {
    /// Needs that it skips or makes (un)necessary.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub needs: BTreeMap<String, NeedUse>,
    /// Needs that lie elsewhere.
    #[serde(default, rename = "override", skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, Override>,
}

/// A difference between the needs of a lock and those of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// The need.
    pub need: String,
    /// The profile, when the difference is there alone.
    pub profile: Option<String>,
    /// What changed, to go after the need's name.
    pub what: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "need {}", self.need)?;
        if let Some(profile) = &self.profile {
            write!(f, " in profile {profile}")?;
        }
        write!(f, ": {}", self.what)
    }
}

impl Manifest {
    /// The block that a lock carries.
    pub fn locked(&self) -> LockedNeeds {
        let mut profiles = BTreeMap::new();
        for name in self.profiles.keys() {
            let mut profile = LockedProfile::default();
            for ancestor in self.lineage(name) {
                for (need, use_) in &ancestor.needs {
                    profile.needs.entry(need.clone()).or_insert(*use_);
                }
                for (need, change) in &ancestor.overrides {
                    profile.overrides.entry(need.clone()).or_insert_with(|| change.clone());
                }
            }
            if profile != LockedProfile::default() {
                profiles.insert(name.clone(), profile);
            }
        }
        LockedNeeds { version: 1, needs: self.needs.clone(), profiles }.normalised()
    }
}

impl LockedNeeds {
    /// Without what a comparison mustn't see: places in a file.
    fn normalised(mut self) -> Self {
        for need in self.needs.values_mut() {
            need.pos = Pos::default();
            for target in need.fields.values_mut() {
                target.pos = Pos::default();
            }
            need.operations.sort_unstable();
        }
        for change in self.profiles.values_mut().flat_map(|profile| profile.overrides.values_mut())
        {
            change.pos = Pos::default();
        }
        self
    }

    /// The block's YAML, to stand below `secrets:` with its own indentation.
    ///
    /// # Panics
    /// Never: it holds names, words and numbers, which all can be written.
    pub fn to_yaml(&self) -> String {
        let text = serde_yaml::to_string(self);
        text.expect("names, words and numbers are all that it holds")
    }

    /// Reads [`Self::to_yaml`] back.
    ///
    /// # Errors
    /// The reader's own words, with line and column of `text`.
    pub fn from_yaml(text: &str) -> Result<Self, serde_yaml::Error> {
        serde_yaml::from_str(text)
    }

    /// What differs from the needs of `manifest`, need by need; empty is fresh. A reworded
    /// `why` is no difference: it asks for nothing.
    pub fn changes(&self, manifest: &Manifest) -> Vec<Change> {
        let wanted = manifest.locked();
        let mut changes = Vec::new();
        compare(&self.needs, &wanted.needs, None, need_changes, &mut changes);
        let none = LockedProfile::default();
        let names: BTreeSet<_> = self.profiles.keys().chain(wanted.profiles.keys()).collect();
        for name in names {
            let ours = self.profiles.get(name).unwrap_or(&none);
            let theirs = wanted.profiles.get(name).unwrap_or(&none);
            let plain = |_: &NeedUse, _: &NeedUse| vec!["is used differently".to_owned()];
            compare(&ours.needs, &theirs.needs, Some(name), plain, &mut changes);
            let moved = |_: &Override, _: &Override| vec!["lies elsewhere".to_owned()];
            compare(&ours.overrides, &theirs.overrides, Some(name), moved, &mut changes);
        }
        changes
    }
}

fn compare<T: PartialEq>(
    locked: &BTreeMap<String, T>,
    wanted: &BTreeMap<String, T>,
    profile: Option<&str>,
    differences: impl Fn(&T, &T) -> Vec<String>,
    changes: &mut Vec<Change>,
) {
    let mut push = |need: &str, what: String| {
        let profile = profile.map(str::to_owned);
        changes.push(Change { need: need.to_owned(), profile, what });
    };
    for (name, old) in locked {
        match wanted.get(name) {
            None => push(name, "the lock has it, the manifest no longer".to_owned()),
            Some(new) if old == new => {}
            Some(new) => differences(old, new).into_iter().for_each(|what| push(name, what)),
        }
    }
    for name in wanted.keys().filter(|name| !locked.contains_key(*name)) {
        push(name, "the manifest has it, the lock doesn't yet".to_owned());
    }
}

/// Key by key, as the lock writes them.
fn need_changes(old: &Need, new: &Need) -> Vec<String> {
    let (old, new) = (keys(old), keys(new));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let show = |value: Option<&serde_json::Value>| match value {
        None => "not there".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    names
        .into_iter()
        .filter(|key| *key != "why" && old.get(*key) != new.get(*key))
        .map(|key| format!("{key} was {}, is {}", show(old.get(key)), show(new.get(key))))
        .collect()
}

fn keys(need: &Need) -> BTreeMap<String, serde_json::Value> {
    match serde_json::to_value(need) {
        Ok(serde_json::Value::Object(map)) => map.into_iter().collect(),
        _ => BTreeMap::new(),
    }
}
