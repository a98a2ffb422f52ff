//! Parses the audit log of a server.

use serde_json::Value;

/// An entry of the server's audit log. Values are hashed in it; paths and names aren't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Whether it was written before the request was done, or after it.
    pub kind: AuditKind,
    /// The server's word: `read`, `list`, `update`, `create`, `delete`, `patch`.
    pub operation: String,
    /// What follows `/v1/` in the address, without the query.
    pub path: String,
    /// As `team/`; empty for the root.
    pub namespace: String,
    /// Of the mount that is asked, as `kv` or `system`; empty where there is none.
    pub mount_type: String,
    /// Of the token, as `approle`, or `root`; empty without one.
    pub display_name: String,
    /// Of the token.
    pub policies: Vec<String>,
    /// Where the request came from, without the port.
    pub remote_address: String,
    /// What went wrong.
    pub error: Option<String>,
}

/// When a line of the audit log was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditKind {
    /// Before the request was done.
    Request,
    /// After it.
    Response,
}

/// The lines of a log that are whole.
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
