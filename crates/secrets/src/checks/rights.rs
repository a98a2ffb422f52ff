//! The table: what each need may do, profile by profile, and whether it is there.

use std::collections::HashMap;

use envlock_report::render::Table;
use schemars::JsonSchema;
use serde::Serialize;

use super::evaluation::{PolicyEvaluation, agreed};
use super::online::OnlineEvaluation;
use super::scope::ProfileScope;
use crate::evidence::{Answer, Verdict};

/// One row: a question about a need, and who answers it how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Right {
    /// The need.
    pub need: String,
    /// The profiles for which it is so.
    pub profiles: Vec<String>,
    /// What is asked.
    #[serde(flatten)]
    pub question: Question,
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
pub enum Question {
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
pub(super) fn of(
    scope: &ProfileScope<'_>,
    evaluation: Option<&PolicyEvaluation<'_>>,
    online: Option<&OnlineEvaluation<'_>>,
) -> Vec<Right> {
    if evaluation.is_none() && online.is_none() {
        return Vec::new();
    }
    let profiles = vec![scope.profile.name.clone()];
    let requests = scope.requirements.iter().enumerate().map(|(at, requirement)| {
        let access = &requirement.access;
        let (path, operation) = (access.path.clone(), access.operation.name());
        Right {
            need: requirement.need.clone(),
            profiles: profiles.clone(),
            question: Question::Request { path, operation },
            policies: evaluation.map(|evaluation| by_policies(&evaluation.verdicts[at])),
            server: online.and_then(|online| online.verdict_word(at)).map(str::to_owned),
        }
    });
    let presence =
        online.into_iter().flat_map(OnlineEvaluation::presences).map(|(need, fields, server)| {
            Right {
                need: need.to_owned(),
                profiles: profiles.clone(),
                question: Question::Presence { fields },
                policies: None,
                server,
            }
        });
    requests.chain(presence).collect()
}

fn by_policies(verdicts: &[Verdict]) -> &'static str {
    match agreed(verdicts) {
        Some(Answer::Allowed) => "allowed",
        Some(Answer::Denied) => "denied",
        _ if verdicts.iter().any(|v| v.answer == Answer::DependsOnIdentity) => "depends",
        _ => "differs",
    }
}

/// Rows that differ in the profile alone become one.
pub(super) fn merged(rows: Vec<Right>) -> Vec<Right> {
    let mut merged: Vec<Right> = Vec::with_capacity(rows.len());
    let mut known = HashMap::new();
    for row in rows {
        let key = (row.need.clone(), row.question.clone(), row.policies, row.server.clone());
        if let Some(at) = known.get(&key).copied() {
            let earlier: &mut Right = &mut merged[at];
            earlier.profiles.extend(row.profiles);
        } else {
            known.insert(key, merged.len());
            merged.push(row);
        }
    }
    merged.sort_by(|a, b| (&a.need, &a.question).cmp(&(&b.need, &b.question)));
    merged
}

/// The rows as a table for people. Where a server was asked there is one profile, and both
/// answers stand side by side.
pub fn table(rights: &[Right]) -> Table {
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
        table.row([right.need.clone(), right.question.describe(), third, fourth]);
    }
    table
}

impl Question {
    fn describe(&self) -> String {
        match self {
            Self::Request { path, operation } => format!("{operation} {path}"),
            Self::Presence { fields } if fields.is_empty() => "is there".to_owned(),
            Self::Presence { fields } => format!("is there, with {}", fields.join(", ")),
        }
    }
}
