//! The changes that a profile makes to needs.

use std::collections::BTreeMap;

use envlock_policy::{DeclaredParameters, LocatorKind};
use envlock_text::Pos;
use schemars::JsonSchema;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Whether a profile uses a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NeedUse {
    /// The profile doesn't use it.
    Skip,
    /// It must exist.
    Required,
    /// It may be missing.
    Optional,
}

/// Another mount, path, role or key, or other parameters, for a need in one profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct NeedOverride {
    /// Another mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount: Option<String>,
    /// Another path, role or key.
    #[serde(flatten)]
    pub locator: Option<LocatorOverride>,
    /// The parameters of the requests, instead of the need's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<DeclaredParameters>,
    /// The place of the need's name in the override.
    #[serde(skip)]
    pub pos: Pos,
    /// The place of the mount.
    #[serde(skip)]
    pub mount_pos: Pos,
    /// The place of the path, role or key.
    #[serde(skip)]
    pub locator_pos: Pos,
    /// The place of the parameters.
    #[serde(skip)]
    pub parameters_pos: Pos,
}

impl NeedOverride {
    /// Removes the places in the file, which a lock doesn't have.
    pub(super) fn remove_places(&mut self) {
        (self.pos, self.mount_pos) = (Pos::default(), Pos::default());
        (self.locator_pos, self.parameters_pos) = (Pos::default(), Pos::default());
    }
}

/// Another path, role or key for a need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatorOverride {
    /// The kind, which must be that of the need's engine.
    pub kind: LocatorKind,
    /// The path, or the name of the role or key.
    pub name: String,
}

impl Serialize for LocatorOverride {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(self.kind.key(), &self.name)?;
        map.end()
    }
}

/// The changes that a profile in a lock makes to the needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct LockedProfile {
    /// Needs that the profile skips, requires or makes optional.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub needs: BTreeMap<String, NeedUse>,
    /// Needs with another mount, path, role or key, or with other parameters.
    #[serde(rename = "override", skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, NeedOverride>,
}
