//! The table: what each need may do, profile by profile, and whether it is there.

use std::collections::HashMap;

use envlock_report::render::Table;
use schemars::JsonSchema;
use serde::Serialize;

use super::checked_profile::CheckedProfile;
use super::evaluation::{PolicyEvaluation, common_permission};
use super::online::OnlineEvaluation;
use crate::verdict::{Permission, PolicyVerdict};

/// One row: a question about a need, and who answers it how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResultRow {
    /// The need.
    pub need: String,
    /// The profiles for which it is so.
    pub profiles: Vec<String>,
    /// What is asked.
    #[serde(flatten)]
    pub subject: RowSubject,
    /// What the policies in the repository say to a request: `allowed`, `denied`, `depends` (on
    /// who asks) or `differs` (by server). Nothing where none are attached.
    pub policies: Option<&'static str>,
    /// What the server says: `allowed`, `denied` or `unknown` to a request; to whether it is
    /// there `yes`, `deleted`, `no field x` and the like. Nothing where it wasn't asked.
    pub server: Option<String>,
}

/// A question about a need.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(tag = "question", rename_all = "kebab-case")]
pub enum RowSubject {
    /// May this be done?
    Request {
        /// Where.
        path: String,
        /// What.
        operation: &'static str,
    },
    /// Is it there?
    Presence {
        /// With these fields, as far as a server can be asked for their names.
        fields: Vec<String>,
    },
}

/// The rows of one profile; none where nobody can say anything.
pub(super) fn rows(
    scope: &CheckedProfile<'_>,
    evaluation: Option<&PolicyEvaluation<'_>>,
    online: Option<&OnlineEvaluation<'_>>,
) -> Vec<ResultRow> {
    if evaluation.is_none() && online.is_none() {
        return Vec::new();
    }
    let profiles = vec![scope.profile.name.clone()];
    let requests = scope.requirements.iter().enumerate().map(|(at, requirement)| {
        let request = &requirement.request;
        let (path, operation) = (request.path.clone(), request.operation.name());
        ResultRow {
            need: requirement.need.clone(),
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
        _ if verdicts.iter().any(|v| v.permission == Permission::DependsOnIdentity) => "depends",
        _ => "differs",
    }
}

/// Rows that differ in the profile alone become one.
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

/// The rows as a table for people. Where a server was asked there is one profile, and both
/// answers stand side by side.
pub fn table(rights: &[ResultRow]) -> Table {
    let online = rights.iter().any(|right| right.server.is_some());
    let mut table = Table::new(if online {
        ["NEED", "REQUEST", "POLICIES", "SERVER"]
    } else {
        ["NEED", "REQUEST", "PROFILES", "VERDICT"]
    });
    for right in rights {
        let policies = right.policies.unwrap_or("-").to_owned();
        let (third, fourth) = if online {
            (policies, right.server.clone().unwrap_or_else(|| "-".to_owned()))
        } else {
            (right.profiles.join(", "), policies)
        };
        table.add_row([right.need.clone(), right.subject.describe(), third, fourth]);
    }
    table
}

impl RowSubject {
    fn describe(&self) -> String {
        match self {
            Self::Request { path, operation } => format!("{operation} {path}"),
            Self::Presence { fields } if fields.is_empty() => "is there".to_owned(),
            Self::Presence { fields } => format!("is there, with {}", fields.join(", ")),
        }
    }
}
