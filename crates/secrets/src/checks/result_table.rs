//! The table of results: the requests and the presence of each need, by profile.

use std::collections::HashMap;

use envlock_report::render::Table;
use schemars::JsonSchema;
use serde::Serialize;

use super::checked_profile::CheckedProfile;
use super::evaluation::{PolicyEvaluation, common_permission};
use super::online::OnlineEvaluation;
use crate::verdict::{Permission, PolicyVerdict};

/// A row of the table: a request or the presence of a need, with the answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResultRow {
    /// The need.
    pub need: String,
    /// The profiles with this result.
    pub profiles: Vec<String>,
    /// The subject of the row.
    #[serde(flatten)]
    pub subject: RowSubject,
    /// The result of the policies in the repository: `allowed`, `denied`, `depends` (on the
    /// identity, or on the parameters of the request) or `differs` (by server). `None` if no policies are attached.
    pub policies: Option<&'static str>,
    /// The server's answer: `allowed`, `denied` or `unknown` for a request; `yes`, `deleted`,
    /// `no field x` and others for the presence. `None` if the server wasn't queried.
    pub server: Option<String>,
}

/// The subject of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(tag = "question", rename_all = "kebab-case")]
pub enum RowSubject {
    /// Whether a request is allowed.
    Request {
        /// The path.
        path: String,
        /// The operation.
        operation: &'static str,
    },
    /// Whether the need exists.
    Presence {
        /// The fields whose names the server can list.
        fields: Vec<String>,
    },
}

/// The rows of one profile; none without policies and without a server.
pub(super) fn rows(
    checked: &CheckedProfile<'_>,
    evaluation: Option<&PolicyEvaluation<'_>>,
    online: Option<&OnlineEvaluation<'_>>,
) -> Vec<ResultRow> {
    if evaluation.is_none() && online.is_none() {
        return Vec::new();
    }
    let profiles = vec![checked.profile.name.clone()];
    let requests = checked.need_requests.iter().enumerate().map(|(at, need_request)| {
        let request = &need_request.request;
        let (path, operation) = (request.path.clone(), request.operation.name());
        ResultRow {
            need: need_request.need.clone(),
            profiles: profiles.clone(),
            subject: RowSubject::Request { path, operation },
            policies: evaluation.map(|evaluation| by_policies(&evaluation.verdicts[at])),
            server: online.and_then(|online| online.server_text(at)).map(str::to_owned),
        }
    });
    let presence = online.into_iter().flat_map(OnlineEvaluation::presence_rows).map(
        |(need, fields, server)| ResultRow {
            need: need.to_owned(),
            profiles: profiles.clone(),
            subject: RowSubject::Presence { fields },
            policies: None,
            server,
        },
    );
    requests.chain(presence).collect()
}

fn by_policies(verdicts: &[PolicyVerdict]) -> &'static str {
    match common_permission(verdicts) {
        Some(Permission::Allowed) => "allowed",
        Some(Permission::Denied) => "denied",
        _ if verdicts.iter().all(|v| v.permission != Permission::Denied) => "depends",
        _ if verdicts.iter().any(|v| v.permission == Permission::DependsOnIdentity) => "depends",
        _ => "differs",
    }
}

/// Merges rows that differ only in the profile.
pub(super) fn merge_profiles(rows: Vec<ResultRow>) -> Vec<ResultRow> {
    let mut merged: Vec<ResultRow> = Vec::with_capacity(rows.len());
    let mut known = HashMap::new();
    for row in rows {
        let key = (row.need.clone(), row.subject.clone(), row.policies, row.server.clone());
        if let Some(at) = known.get(&key).copied() {
            let earlier: &mut ResultRow = &mut merged[at];
            earlier.profiles.extend(row.profiles);
        } else {
            known.insert(key, merged.len());
            merged.push(row);
        }
    }
    merged.sort_by(|a, b| (&a.need, &a.subject).cmp(&(&b.need, &b.subject)));
    merged
}

/// Writes the rows as a table. With a server there is one profile, and the table has a column for
/// the policies and one for the server.
pub fn table(rows: &[ResultRow]) -> Table {
    let online = rows.iter().any(|row| row.server.is_some());
    let mut table = Table::new(if online {
        ["NEED", "REQUEST", "POLICIES", "SERVER"]
    } else {
        ["NEED", "REQUEST", "PROFILES", "VERDICT"]
    });
    for row in rows {
        let policies = row.policies.unwrap_or("-").to_owned();
        let (third, fourth) = if online {
            (policies, row.server.clone().unwrap_or_else(|| "-".to_owned()))
        } else {
            (row.profiles.join(", "), policies)
        };
        table.add_row([row.need.clone(), row.subject.describe(), third, fourth]);
    }
    table
}

impl RowSubject {
    fn describe(&self) -> String {
        match self {
            Self::Request { path, operation } => format!("{operation} {path}"),
            Self::Presence { fields } if fields.is_empty() => "exists".to_owned(),
            Self::Presence { fields } => format!("exists, with {}", fields.join(", ")),
        }
    }
}
