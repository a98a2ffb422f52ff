//! The table: what each need may do, profile by profile.

use envlock_report::render::Table;
use schemars::JsonSchema;
use serde::Serialize;

use super::case::Case;
use crate::evidence::Answer;

/// One row: a request of a need, and what the servers say to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Right {
    /// The need.
    pub need: String,
    /// The profiles for which it is so.
    pub profiles: Vec<String>,
    /// What is done.
    pub operation: &'static str,
    /// The path.
    pub path: String,
    /// `allowed`, `denied`, `depends` (on who asks) or `differs` (by server).
    pub verdict: &'static str,
}

/// The rows of one profile.
pub(super) fn of(case: &Case<'_>) -> Vec<Right> {
    let rows = case.judged().map(|(requirement, verdicts)| {
        let all = |answer| verdicts.iter().all(|verdict| verdict.answer == answer);
        let some = |answer| verdicts.iter().any(|verdict| verdict.answer == answer);
        let verdict = match () {
            () if all(Answer::Allowed) => "allowed",
            () if all(Answer::Denied) => "denied",
            () if some(Answer::DependsOnIdentity) => "depends",
            () => "differs",
        };
        Right {
            need: requirement.need.clone(),
            profiles: vec![case.profile.name.clone()],
            operation: requirement.access.operation.name(),
            path: requirement.access.path.clone(),
            verdict,
        }
    });
    rows.collect()
}

/// Rows that differ in the profile alone become one.
pub(super) fn merged(rows: Vec<Right>) -> Vec<Right> {
    let mut merged: Vec<Right> = Vec::with_capacity(rows.len());
    let mut known = std::collections::HashMap::new();
    for row in rows {
        let key = (row.need.clone(), row.operation, row.path.clone(), row.verdict);
        if let Some(at) = known.get(&key).copied() {
            let earlier: &mut Right = &mut merged[at];
            earlier.profiles.extend(row.profiles);
        } else {
            known.insert(key, merged.len());
            merged.push(row);
        }
    }
    merged.sort_by(|a, b| (&a.need, &a.path, a.operation).cmp(&(&b.need, &b.path, b.operation)));
    merged
}

/// The rows as a table for people.
pub fn table(rights: &[Right]) -> Table {
    let mut table = Table::new(["NEED", "REQUEST", "PROFILES", "VERDICT"]);
    for right in rights {
        table.row([
            right.need.clone(),
            format!("{} {}", right.operation, right.path),
            right.profiles.join(", "),
            right.verdict.to_owned(),
        ]);
    }
    table
}
