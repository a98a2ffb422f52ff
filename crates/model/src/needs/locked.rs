//! The needs in a lock: the top-level block `secrets:`.

use std::collections::BTreeMap;

use envlock_report::{Code, Fields, Finding, Mistakes};
use envlock_text::tree::Node;
use envlock_text::{Place, Pos};
use serde::ser::{Serialize, Serializer};

use super::need::Need;
use super::profile::LockedProfile;
use super::{read, validate};

/// The top-level block `secrets:` of a lock: the needs in normal form. It has no policy, no
/// result of a check and no server address. Order, comments and shorthands of the manifest don't
/// change its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedNeeds {
    /// The needs by name.
    pub needs: BTreeMap<String, Need>,
    /// The profiles that change the needs. What they extend is included in each.
    pub profiles: BTreeMap<String, LockedProfile>,
}

/// Why the block can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeedsError {
    /// The block has another version.
    Version {
        /// The version's place.
        place: Place,
        /// The version in the file.
        found: u64,
    },
    /// The block has mistakes, each with its place.
    Mistakes(Vec<Finding>),
}

impl LockedNeeds {
    /// The version of the block that is written and read.
    pub const VERSION: u64 = 1;

    /// Creates the block. The places of the needs in their file are removed.
    pub fn new(
        mut needs: BTreeMap<String, Need>,
        mut profiles: BTreeMap<String, LockedProfile>,
    ) -> Self {
        for need in needs.values_mut() {
            need.remove_places();
        }
        for profile in profiles.values_mut() {
            for change in profile.overrides.values_mut() {
                change.remove_places();
            }
        }
        Self { needs, profiles }
    }

    /// Reads the block. `node` is the value of `secrets:` in `file`.
    pub fn read(file: &str, node: &Node) -> Result<Self, NeedsError> {
        let mut mistakes = Mistakes::default();
        let mut fields = Fields::new(file, node, "the block `secrets`", &mut mistakes);
        if let Some(version) = fields.get("version") {
            match version.to_json().as_u64() {
                Some(Self::VERSION) => {}
                Some(found) => {
                    return Err(NeedsError::Version { place: version.place(file), found });
                }
                None => fields.add_wrong_type("version", "a number", version),
            }
        } else {
            fields.add_missing_key("version");
        }
        fields.refuse_unknown_keys(&["version", "needs", "profiles"]);
        let mut needs = BTreeMap::new();
        for entry in fields.entries_of("needs", "`needs`") {
            fields.check_key(entry, "the name of a need", validate::name);
            needs.insert(entry.name().to_owned(), read::read_need(file, entry, fields.mistakes));
        }
        if fields.get("needs").is_none() {
            fields.add_missing_key("needs");
        }
        let mut profiles = BTreeMap::new();
        for entry in fields.entries_of("profiles", "`profiles`") {
            fields.check_key(entry, "the name of a profile", validate::name);
            let mut profile = Fields::new(file, &entry.value, "a profile", fields.mistakes);
            profile.refuse_unknown_keys(&["needs", "override"]);
            let read = LockedProfile {
                needs: read::read_uses(&mut profile),
                overrides: read::read_overrides(&mut profile, &needs),
            };
            refuse_unknown(&needs, &read, &mut profile, entry.pos());
            profiles.insert(entry.name().to_owned(), read);
        }
        if mistakes.is_empty() {
            Ok(Self::new(needs, profiles))
        } else {
            Err(NeedsError::Mistakes(mistakes.into_findings()))
        }
    }
}

/// Adds a mistake for each need of a profile that the block doesn't have, and for each override
/// with the wrong kind of locator.
fn refuse_unknown(
    needs: &BTreeMap<String, Need>,
    profile: &LockedProfile,
    fields: &mut Fields<'_, '_>,
    pos: Pos,
) {
    for name in profile.needs.keys().filter(|name| !needs.contains_key(*name)) {
        fields.add_mistake(Code::UnknownName, format!("there is no need `{name}`"), pos);
    }
    for (name, change) in &profile.overrides {
        let Some(need) = needs.get(name) else {
            fields.add_mistake(Code::UnknownName, format!("there is no need `{name}`"), change.pos);
            continue;
        };
        let right = need.locator.kind();
        if let Some(locator) = change.locator.as_ref().filter(|locator| locator.kind != right) {
            let (right, wrong) = (right.key(), locator.kind.key());
            let message = format!("the need `{name}` has `{right}`, not `{wrong}`");
            fields.add_mistake(Code::KeyNotOfEngine, message, change.pos);
        }
    }
}

impl Serialize for LockedNeeds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Block<'a> {
            version: u64,
            needs: &'a BTreeMap<String, Need>,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            profiles: &'a BTreeMap<String, LockedProfile>,
        }
        let Self { needs, profiles } = self;
        Block { version: Self::VERSION, needs, profiles }.serialize(serializer)
    }
}
