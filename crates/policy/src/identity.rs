//! The identity behind a token: entity and groups, for templated policies.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The identity behind a token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// The entity; without one, no template has a value.
    pub entity: Option<Entity>,
    /// The groups of the entity.
    pub groups: Vec<Group>,
}

/// The entity of a token.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entity {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
    /// Its aliases in the auth methods, by the accessor of the mount.
    pub aliases: BTreeMap<String, Alias>,
}

/// The name of an entity in one auth method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alias {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Metadata that the auth method set.
    pub metadata: BTreeMap<String, String>,
    /// Metadata that operators set.
    pub custom_metadata: BTreeMap<String, String>,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The namespace that contains it: `root`, or the path with its final slash.
    pub namespace: String,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
}

impl Identity {
    /// The value of a template; `None` where a server ignores the block. `namespace` is the
    /// policy's: groups are found by name only there.
    pub(crate) fn value(&self, directive: &str, namespace: &str, now: Timestamp) -> Option<String> {
        if let Some(selector) = directive.strip_prefix("identity.entity.") {
            return self.entity.as_ref()?.value(selector);
        }
        if let Some(selector) = directive.strip_prefix("identity.groups.") {
            return self.group_value(selector, namespace);
        }
        time(directive.strip_prefix("time.")?, now)
    }

    fn group_value(&self, selector: &str, namespace: &str) -> Option<String> {
        let mut parts = selector.splitn(3, '.');
        let (by, which, what) = (parts.next()?, parts.next()?, parts.next()?);
        let group = match by {
            "ids" => self.groups.iter().find(|group| group.id == which)?,
            "names" => self
                .groups
                .iter()
                .find(|group| group.namespace == namespace && group.name == which)?,
            _ => return None,
        };
        match what {
            "id" => Some(group.id.clone()),
            "name" => some(&group.name),
            _ => group.metadata.get(what.strip_prefix("metadata.")?).cloned(),
        }
    }
}

impl Entity {
    fn value(&self, selector: &str) -> Option<String> {
        if let Some(alias) = selector.strip_prefix("aliases.") {
            let (accessor, what) = alias.split_once('.')?;
            return self.aliases.get(accessor)?.value(what);
        }
        match selector {
            "id" => some(&self.id),
            "name" => some(&self.name),
            _ => self.metadata.get(selector.strip_prefix("metadata.")?).cloned(),
        }
    }
}

impl Alias {
    fn value(&self, selector: &str) -> Option<String> {
        match selector {
            "id" => some(&self.id),
            "name" => some(&self.name),
            _ => match selector.strip_prefix("metadata.") {
                Some(key) => self.metadata.get(key).cloned(),
                None => {
                    self.custom_metadata.get(selector.strip_prefix("custom_metadata.")?).cloned()
                }
            },
        }
    }
}

/// A name or an id that isn't empty.
fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The value of `now`, `now.plus.1h` or `now.minus.30s`, in seconds since 1970.
pub(crate) fn time(selector: &str, now: Timestamp) -> Option<String> {
    let shifted = match selector.strip_prefix("now")? {
        "" => now,
        shift => {
            let (sign, amount) = match shift.strip_prefix(".plus.") {
                Some(amount) => (1, amount),
                None => (-1, shift.strip_prefix(".minus.")?),
            };
            now.checked_add(SignedDuration::from_secs(sign * super::duration::seconds(amount)?))
                .ok()?
        }
    };
    Some(shifted.as_second().to_string())
}
