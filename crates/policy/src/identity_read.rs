//! Reads an identity from YAML or JSON.

use std::collections::BTreeMap;

use envlock_text::tree::Node;

use super::identity::{Alias, Entity, Group, Identity};

impl Identity {
    /// Reads an identity with the keys of the servers' API (`Entity`, `MountAccessor`), or in snake
    /// case. Unknown keys are ignored.
    pub fn read(node: &Node) -> Self {
        let groups = either(node, "Groups", "groups").and_then(Node::items).unwrap_or_default();
        Self {
            entity: either(node, "Entity", "entity").filter(|node| !node.is_null()).map(entity),
            groups: groups.iter().map(group).collect(),
        }
    }
}

fn either<'n>(node: &'n Node, ours: &str, theirs: &str) -> Option<&'n Node> {
    node.get(ours).or_else(|| node.get(theirs))
}

fn word(node: &Node, ours: &str, theirs: &str) -> String {
    either(node, ours, theirs).and_then(Node::text).unwrap_or_default().to_owned()
}

fn words(node: Option<&Node>) -> BTreeMap<String, String> {
    let entries = node.and_then(Node::entries).unwrap_or_default();
    entries
        .iter()
        .map(|entry| (entry.name().to_owned(), entry.value.text().unwrap_or_default().to_owned()))
        .collect()
}

fn entity(node: &Node) -> Entity {
    let mut aliases = BTreeMap::new();
    match either(node, "Aliases", "aliases") {
        Some(list) if list.items().is_some() => {
            for node in list.items().unwrap_or_default() {
                let accessor = word(node, "MountAccessor", "mount_accessor");
                aliases.entry(accessor).or_insert_with(|| alias(node));
            }
        }
        Some(map) => {
            for entry in map.entries().unwrap_or_default() {
                aliases.insert(entry.name().to_owned(), alias(&entry.value));
            }
        }
        None => {}
    }
    Entity {
        id: word(node, "ID", "id"),
        name: word(node, "Name", "name"),
        metadata: words(either(node, "Metadata", "metadata")),
        aliases,
    }
}

fn alias(node: &Node) -> Alias {
    Alias {
        id: word(node, "ID", "id"),
        name: word(node, "Name", "name"),
        metadata: words(either(node, "Metadata", "metadata")),
        custom_metadata: words(either(node, "CustomMetadata", "custom_metadata")),
    }
}

fn group(node: &Node) -> Group {
    Group {
        id: word(node, "ID", "id"),
        name: word(node, "Name", "name"),
        namespace: word(node, "NamespaceID", "namespace"),
        metadata: words(either(node, "Metadata", "metadata")),
    }
}
