//! The published schema, and the shorthands that the model doesn't show.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::model::{Manifest, ServerDialect};

/// The JSON Schema of a manifest, for editors.
pub fn manifest_schema() -> schemars::Schema {
    let mut schema = schemars::schema_for!(Manifest);
    schema.insert("title".to_owned(), "The secrets manifest of envlock".into());
    schema
}

/// `server: {dialect: …}`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it only describes")]
pub(super) struct Server {
    /// Which dialects must allow what is needed.
    dialect: ServerDialect,
}

/// Who a profile is, as far as templated policies ask.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it only describes")]
pub(super) struct Identity {
    /// The entity behind the token.
    #[schemars(default)]
    entity: Option<Entity>,
    /// The groups that it is in.
    #[schemars(default)]
    groups: Vec<Group>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it only describes")]
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

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it only describes")]
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

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "it only describes")]
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
