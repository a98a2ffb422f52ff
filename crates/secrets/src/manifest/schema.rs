//! The published schema, and the shorthands that the model doesn't show.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::model::{Manifest, ServerDialect, Target};

/// The JSON Schema of a manifest, for editors.
pub fn manifest_schema() -> schemars::Schema {
    let mut schema = schemars::schema_for!(Manifest);
    schema.insert("title".to_owned(), "The secrets manifest of envlock".into());
    schema
}

/// `server: {dialect: …}`.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Server {
    /// Which dialects must allow what is needed.
    dialect: ServerDialect,
}

/// A field: where it goes, or just the variable's name.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it only describes")]
pub(super) enum Field {
    Variable(String),
    Target(Target),
}

/// `true`, `false`, or a group.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it only describes")]
pub(super) enum Requirement {
    Plain(bool),
    OneOf { one_of: String },
    AnyOf { any_of: String },
}

/// Who a profile is, as far as templated policies ask.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Identity {
    /// The entity behind the token.
    #[schemars(default)]
    entity: Option<Entity>,
    /// The groups that it is in.
    #[schemars(default)]
    groups: Vec<Group>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Entity {
    #[schemars(default)]
    id: String,
    #[schemars(default)]
    name: String,
    #[schemars(default)]
    metadata: BTreeMap<String, String>,
    /// Names in the auth methods, by the mount's accessor.
    #[schemars(default)]
    aliases: BTreeMap<String, Alias>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Alias {
    #[schemars(default)]
    id: String,
    #[schemars(default)]
    name: String,
    #[schemars(default)]
    metadata: BTreeMap<String, String>,
    #[schemars(default)]
    custom_metadata: BTreeMap<String, String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Group {
    #[schemars(default)]
    id: String,
    #[schemars(default)]
    name: String,
    /// The id of its namespace; `root` when it isn't given.
    #[schemars(default)]
    namespace: String,
    #[schemars(default)]
    metadata: BTreeMap<String, String>,
}
