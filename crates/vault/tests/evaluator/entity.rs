//! An entity for which templates have values.

use std::collections::BTreeMap;

use envlock_policy::{Entity, Group, Identity};
use envlock_testkit::VaultClient;
use serde_json::{Value, json};

/// Templates with their values: `None` if the entity has no such metadata.
pub(crate) const TEMPLATES: [(&str, Option<&str>); 4] = [
    ("{{identity.entity.metadata.first}}", Some("a")),
    ("{{ identity.entity.metadata.second }}", Some("ab")),
    ("{{identity.groups.names.eng.metadata.first}}", Some("b")),
    ("{{identity.entity.metadata.none}}", None),
];

/// An entity in a group, which can create tokens.
pub(crate) fn new(root: &VaultClient) -> Identity {
    let metadata =
        json!({ "team": "ml", "bad": "a/b", "star": "x*", "first": "a", "second": "ab" });
    let entity = root.post("identity/entity", json!({ "name": "ci-bot", "metadata": metadata }));
    let entity = text(&entity["data"]["id"]);
    let of_group = json!({ "cost": "42", "first": "b" });
    let group = json!({ "name": "eng", "metadata": of_group, "member_entity_ids": [entity] });
    let group = text(&root.post("identity/group", group)["data"]["id"]);
    let accessor = text(&root.get("sys/auth")["data"]["token/"]["accessor"]);
    let alias = json!({ "name": "bot", "canonical_id": entity, "mount_accessor": accessor });
    root.post("identity/entity-alias", alias);
    let role = json!({ "allowed_entity_aliases": ["*"], "orphan": true, "token_type": "batch", "renewable": false });
    root.post("auth/token/roles/bot", role);
    let entity = Entity {
        id: entity,
        name: "ci-bot".to_owned(),
        metadata: strings(&metadata),
        ..Entity::default()
    };
    let group = Group {
        id: group,
        name: "eng".to_owned(),
        namespace: "root".to_owned(),
        metadata: strings(&of_group),
    };
    Identity { entity: Some(entity), groups: vec![group] }
}

/// Creates a token with exactly these policies.
pub(crate) fn token(root: &VaultClient, policies: &[&str]) -> String {
    let options = json!({
        "policies": policies, "no_default_policy": true, "entity_alias": "bot", "ttl": "1h",
    });
    text(&root.post("auth/token/create/bot", options)["auth"]["client_token"])
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn strings(value: &Value) -> BTreeMap<String, String> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), text(value))).collect()
}
