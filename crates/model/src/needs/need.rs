//! One need.

use std::collections::{BTreeMap, BTreeSet};

use envlock_policy::{ApiRequest, Capability, Engine, LocatorKind, TransitOperation};
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
    /// Which secret of the engine it is.
    #[serde(flatten)]
    pub locator: Locator,
    /// Capabilities in addition to those that the engine requires.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub capabilities: BTreeSet<Capability>,
    /// How the process gets each field, by the field's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Target>,
    /// Whether the work can go on without it.
    #[serde(skip_serializing_if = "Required::is_default")]
    pub required: Required,
    /// How long it must last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Ttl>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How it is verified.
    #[serde(skip_serializing_if = "Verify::is_online")]
    pub verify: Verify,
    /// The place of its name in the file.
    #[serde(skip)]
    pub pos: Pos,
}

impl Need {
    /// The requests that return the secret to a job.
    pub fn consume(&self) -> Vec<ApiRequest> {
        self.engine.consume(&self.mount, self.locator.name(), self.locator.operations())
    }

    /// The requests that show whether the secret exists, and never return a value.
    pub fn existence(&self) -> Vec<ApiRequest> {
        self.engine.existence(&self.mount, self.locator.name())
    }

    /// The mount and the path, role or key, joined by `/`.
    pub fn location(&self) -> String {
        format!("{}/{}", self.mount, self.locator.name())
    }
}

/// Which secret of an engine a need is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locator {
    /// The logical path, without `data/`: kv1, kv2, cubbyhole.
    Path(String),
    /// The role: engines that create credentials.
    Role(String),
    /// The key: transit and totp.
    Key {
        /// Its name.
        name: String,
        /// What a transit key is used for.
        operations: BTreeSet<TransitOperation>,
    },
}

impl Locator {
    /// Which key of a manifest writes it.
    pub const fn kind(&self) -> LocatorKind {
        match self {
            Self::Path(_) => LocatorKind::Path,
            Self::Role(_) => LocatorKind::Role,
            Self::Key { .. } => LocatorKind::Key,
        }
    }

    /// The path, or the name of the role or key.
    pub fn name(&self) -> &str {
        match self {
            Self::Path(name) | Self::Role(name) | Self::Key { name, .. } => name,
        }
    }

    /// The same kind of locator with another path or name.
    #[must_use]
    pub fn with_name(self, to: &str) -> Self {
        match self {
            Self::Path(_) => Self::Path(to.to_owned()),
            Self::Role(_) => Self::Role(to.to_owned()),
            Self::Key { operations, .. } => Self::Key { name: to.to_owned(), operations },
        }
    }

    /// What a key is used for; empty for a path or a role.
    pub fn operations(&self) -> &BTreeSet<TransitOperation> {
        const NONE: &BTreeSet<TransitOperation> = &BTreeSet::new();
        match self {
            Self::Key { operations, .. } => operations,
            Self::Path(_) | Self::Role(_) => NONE,
        }
    }
}

/// As the keys `path`, `role`, or `key` and `operations`.
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

/// How the process gets a field.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Target {
    /// The environment variable.
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]*$"))]
    pub env: String,
    /// What the variable holds.
    #[serde(rename = "as", skip_serializing_if = "VariableContent::is_value")]
    #[schemars(default)]
    pub form: VariableContent,
    /// The place of the field's name in the file.
    #[serde(skip)]
    #[schemars(skip)]
    pub pos: Pos,
}

/// What an environment variable holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VariableContent {
    /// The value.
    #[default]
    #[serde(rename = "env")]
    Value,
    /// The path of a file in memory, mode 0600, that holds the value.
    #[serde(rename = "file")]
    FilePath,
}

impl VariableContent {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_value(&self) -> bool {
        *self == Self::Value
    }
}

/// Whether the work can go on without a credential.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Required {
    /// `true`: it is required; `false`: it is optional.
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

    /// The group that the need belongs to.
    pub fn group(&self) -> Option<&str> {
        match self {
            Self::Flag(_) => None,
            Self::OneOf { one_of: group } | Self::AnyOf { any_of: group } => Some(group),
        }
    }
}

/// How long a leased credential must last.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ttl {
    /// The shortest useful lease: `90s`, `15m`, `1h`, `7d`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default, regex(pattern = r"^[0-9]+[smhd]$"))]
    pub min: Option<String>,
    /// How long the lease is renewed: `until 12h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(default, regex(pattern = r"^until [0-9]+[smhd]$"))]
    pub renew: Option<String>,
}

/// How a need is verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// By the policies and by the server.
    #[default]
    Online,
    /// By the policies alone.
    Offline,
}

impl Verify {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_online(&self) -> bool {
        *self == Self::Online
    }
}
