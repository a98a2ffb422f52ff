//! Writes path blocks.

use super::capability::{Capabilities, Capability};

/// Writes a path block of HCL.
pub fn path_block(path: &str, capabilities: Capabilities) -> String {
    format!("path {} {{\n  capabilities = {}\n}}\n", quoted(path), capabilities.to_hcl())
}

/// Writes the blocks that grant or deny `capabilities` on the secret `below` a mount of kv2: lists
/// are served at `metadata/`, and everything else at `data/`.
pub fn kv2_path_blocks(mount: &str, below: &str, capabilities: Capabilities) -> String {
    let lists: Capabilities = [Capability::List, Capability::Scan].into_iter().collect();
    let data = capabilities.difference(lists);
    let metadata = capabilities.difference(data);
    let metadata = if data.contains_deny() { data } else { metadata };
    [("data", data), ("metadata", metadata)]
        .into_iter()
        .filter(|(_, capabilities)| !capabilities.is_empty())
        .map(|(part, capabilities)| path_block(&format!("{mount}/{part}/{below}"), capabilities))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Quotes a path for HCL. `${` is written as an escape.
fn quoted(path: &str) -> String {
    let path = path.replace('\\', "\\\\").replace('"', "\\\"").replace("${", "\\u0024{");
    format!("\"{path}\"")
}
