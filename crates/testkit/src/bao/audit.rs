//! Parses the audit log of a server.

use serde_json::Value;

/// An entry of the server's audit log. Values are hashed in it; paths and names aren't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Whether the entry is for the request or for the response.
    pub kind: AuditKind,
    /// The operation: `read`, `list`, `update`, `create`, `delete`, `patch`.
    pub operation: String,
    /// The path after `/v1/`, without the query.
    pub path: String,
    /// The namespace, such as `team/`; empty for the root namespace.
    pub namespace: String,
    /// The type of the mount, such as `kv` or `system`; empty without one.
    pub mount_type: String,
    /// The display name of the token, such as `approle` or `root`; empty without one.
    pub display_name: String,
    /// The policies of the token.
    pub policies: Vec<String>,
    /// The address of the client, without the port.
    pub remote_address: String,
    /// The error.
    pub error: Option<String>,
}

/// The kind of an audit entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditKind {
    /// Written before the request is processed.
    Request,
    /// Written after the request was processed.
    Response,
}

/// The complete lines of a log.
pub(super) fn read(log: &str) -> Vec<AuditEntry> {
    log.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .map(|line| entry(&line))
        .collect()
}

fn entry(line: &Value) -> AuditEntry {
    let (auth, request) = (&line["auth"], &line["request"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let policies = auth["policies"].as_array();
    AuditEntry {
        kind: if line["type"] == "response" { AuditKind::Response } else { AuditKind::Request },
        operation: text(&request["operation"]),
        path: text(&request["path"]),
        namespace: text(&request["namespace"]["path"]),
        mount_type: text(&request["mount_type"]),
        display_name: text(&auth["display_name"]),
        policies: policies.into_iter().flatten().map(text).collect(),
        remote_address: text(&request["remote_address"]),
        error: line["error"].as_str().map(str::to_owned),
    }
}
