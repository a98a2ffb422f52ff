//! A need: one credential that an environment uses.

use std::collections::{BTreeMap, BTreeSet};

use envlock_policy::{
    ApiRequest, Capability, DeclaredParameters, Engine, LocatorKind, Operation, TransitOperation,
};
use envlock_text::Pos;
use schemars::JsonSchema;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// One credential that an environment needs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Need {
    /// The secrets engine.
    pub engine: Engine,
    /// The path that the engine is mounted at; may contain `/`.
    pub mount: String,
    /// The path, role or key below the mount.
    #[serde(flatten)]
    pub locator: Locator,
    /// The operation of the request, for engines that take either. `None` is the engine's usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<ReadOrUpdate>,
    /// Capabilities in addition to those that the engine requires.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub capabilities: BTreeSet<Capability>,
    /// The parameters that the job's requests have besides the mandatory ones, each with its value if
    /// that is known. `None` if they aren't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<DeclaredParameters>,
    /// The TTL with which the job asks for a wrapped response: `90s`, `15m`, `1h`, `7d`. `None` if it
    /// doesn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_ttl: Option<String>,
    /// The variables that the fields are passed in, by the field's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, TargetVariable>,
    /// Whether the environment requires it.
    #[serde(skip_serializing_if = "Required::is_default")]
    pub required: Required,
    /// The required lifetime of its lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Ttl>,
    /// Its purpose, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How it is verified.
    #[serde(rename = "verify", skip_serializing_if = "CheckMode::is_online")]
    pub check: CheckMode,
    /// The place of its name in the file.
    #[serde(skip)]
    pub pos: Pos,
    /// The place of its mount in the file.
    #[serde(skip)]
    pub mount_pos: Pos,
    /// The place of its path, role or key in the file.
    #[serde(skip)]
    pub locator_pos: Pos,
    /// The place of its parameters in the file.
    #[serde(skip)]
    pub parameters_pos: Pos,
}

impl Need {
    /// Removes the places in the file, which a lock doesn't have.
    pub(super) fn remove_places(&mut self) {
        (self.pos, self.mount_pos) = (Pos::default(), Pos::default());
        (self.locator_pos, self.parameters_pos) = (Pos::default(), Pos::default());
        for target in self.fields.values_mut() {
            target.pos = Pos::default();
        }
    }

    /// Returns the requests with which a job gets the secret.
    pub fn secret_requests(&self) -> Vec<ApiRequest> {
        let (name, operations) = (self.locator.name(), self.locator.operations());
        let mut requests = self.engine.secret_requests(&self.mount, name, operations);
        if let Some(operation) = self.operation {
            for request in &mut requests {
                request.operation = operation.into();
            }
        }
        requests
    }

    /// Returns the requests that show whether the secret exists. They never return a value.
    pub fn existence_requests(&self) -> Vec<ApiRequest> {
        self.engine.existence_requests(&self.mount, self.locator.name())
    }

    /// Returns the mount and the path, role or key, joined by `/`.
    pub fn location(&self) -> String {
        format!("{}/{}", self.mount, self.locator.name())
    }
}

/// The operation of a request, for engines that take either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReadOrUpdate {
    /// A read, as by GET.
    Read,
    /// An update, as by POST.
    Update,
}

impl From<ReadOrUpdate> for Operation {
    fn from(operation: ReadOrUpdate) -> Self {
        match operation {
            ReadOrUpdate::Read => Self::Read,
            ReadOrUpdate::Update => Self::Update,
        }
    }
}

/// The position of a need's secret below the mount of its engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locator {
    /// The logical path, without `data/`, for kv1, kv2 and cubbyhole.
    Path(String),
    /// The role, for engines that create credentials.
    Role(String),
    /// The key, for transit and totp.
    Key {
        /// The key's name.
        name: String,
        /// The operations that a transit key is used for.
        operations: BTreeSet<TransitOperation>,
    },
}

impl Locator {
    /// Returns the kind, which is also the key in a manifest.
    pub const fn kind(&self) -> LocatorKind {
        match self {
            Self::Path(_) => LocatorKind::Path,
            Self::Role(_) => LocatorKind::Role,
            Self::Key { .. } => LocatorKind::Key,
        }
    }

    /// Returns the path, or the name of the role or key.
    pub fn name(&self) -> &str {
        match self {
            Self::Path(name) | Self::Role(name) | Self::Key { name, .. } => name,
        }
    }

    /// Returns a locator of the same kind with another path or name.
    #[must_use]
    pub fn with_name(self, to: &str) -> Self {
        match self {
            Self::Path(_) => Self::Path(to.to_owned()),
            Self::Role(_) => Self::Role(to.to_owned()),
            Self::Key { operations, .. } => Self::Key { name: to.to_owned(), operations },
        }
    }

    /// Returns the operations of a key. Empty for a path or a role.
    pub fn operations(&self) -> &BTreeSet<TransitOperation> {
        const NONE: &BTreeSet<TransitOperation> = &BTreeSet::new();
        match self {
            Self::Key { operations, .. } => operations,
            Self::Path(_) | Self::Role(_) => NONE,
        }
    }
}

/// Serializes the locator as the key `path` or `role`, or as the keys `key` and `operations`.
impl Serialize for Locator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.kind().key(), self.name())?;
        if !self.operations().is_empty() {
            map.serialize_entry("operations", self.operations())?;
        }
        map.end()
    }
}

/// The variable that a field of a secret is passed in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TargetVariable {
    /// The environment variable.
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub env: String,
    /// What the variable contains.
    #[serde(rename = "as", skip_serializing_if = "VariableContent::is_value")]
    #[schemars(default)]
    pub content: VariableContent,
    /// The place of the field's name in the file.
    #[serde(skip)]
    #[schemars(skip)]
    pub pos: Pos,
}

/// What an environment variable contains.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VariableContent {
    /// The value.
    #[default]
    #[serde(rename = "env")]
    Value,
    /// The path of a file in memory, with mode 0600, that contains the value.
    #[serde(rename = "file")]
    FilePath,
}

impl VariableContent {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_value(&self) -> bool {
        *self == Self::Value
    }
}

/// Whether an environment requires a credential.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Required {
    /// `true` if it is required, `false` if it is optional.
    Flag(bool),
    /// Exactly one need of the group must exist.
    OneOf {
        /// The group.
        one_of: String,
    },
    /// At least one need of the group must exist.
    AnyOf {
        /// The group.
        any_of: String,
    },
}

impl Default for Required {
    fn default() -> Self {
        Self::Flag(true)
    }
}

impl Required {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the group of the need.
    pub fn group(&self) -> Option<&str> {
        match self {
            Self::Flag(_) => None,
            Self::OneOf { one_of: group } | Self::AnyOf { any_of: group } => Some(group),
        }
    }
}

/// The required lifetime of a leased credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ttl {
    /// The minimum duration of the lease: `90s`, `15m`, `1h`, `7d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default, regex(pattern = r"^[0-9]+[smhd]$"))]
    pub min: Option<String>,
    /// The time until which the lease is renewed: `until 12h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default, regex(pattern = r"^until [0-9]+[smhd]$"))]
    pub renew: Option<String>,
}

/// How a need is verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckMode {
    /// It is checked against the policies and the server.
    #[default]
    Online,
    /// It is checked against the policies only.
    Offline,
}

impl CheckMode {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_online(&self) -> bool {
        *self == Self::Online
    }
}
