//! The published schema, with the shorthands that the model doesn't have.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::model::{Manifest, TargetServers};

/// The JSON Schema of a manifest, for editors.
pub fn manifest_schema() -> schemars::Schema {
    let mut schema = schemars::schema_for!(Manifest);
    schema.insert("title".to_owned(), "The secrets manifest of envlock".into());
    schema
}

/// `server: {product: …, version: …}` or `server: {dialect: …}`.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the type is used only for the schema")]
pub(super) struct Server {
    /// The dialects that must allow the requests; not together with a product.
    #[schemars(default)]
    dialect: Option<TargetServers>,
    /// The product; without a version, each of its releases must allow the requests.
    #[schemars(default)]
    product: Option<Product>,
    /// The release, such as 1.21 or 1.21.4.
    #[schemars(default, regex(pattern = r"^v?[0-9]+\.[0-9]+(\.[0-9]+([+-].*)?)?$"))]
    version: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "the type is used only for the schema")]
enum Product {
    OpenBao,
    Vault,
}

/// The identity of a profile's token, for templated policies.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the type is used only for the schema")]
pub(super) struct Identity {
    /// The entity behind the token.
    #[schemars(default)]
    entity: Option<Entity>,
    /// The groups of the entity.
    #[schemars(default)]
    groups: Vec<Group>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the type is used only for the schema")]
struct Entity {
    #[schemars(default)]
    id: String,
    #[schemars(default)]
    name: String,
    #[schemars(default)]
    metadata: BTreeMap<String, String>,
    /// The aliases in the auth methods, by the accessor of the mount.
    #[schemars(default)]
    aliases: BTreeMap<String, Alias>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the type is used only for the schema")]
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
#[expect(dead_code, reason = "the type is used only for the schema")]
struct Group {
    #[schemars(default)]
    id: String,
    #[schemars(default)]
    name: String,
    /// The id of its namespace; `root` by default.
    #[schemars(default)]
    namespace: String,
    #[schemars(default)]
    metadata: BTreeMap<String, String>,
}
