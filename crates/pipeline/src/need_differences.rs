//! What a new lock changes about the needs of secrets.

use envlock_model::needs::{self, ChangeKind, LockedNeeds, Need};

/// A change of a need of secrets, compared with the previous lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedDifference {
    /// The need.
    pub need: String,
    /// The profile, if the need changed only there.
    pub profile: Option<String>,
    /// What happened to it.
    pub kind: NeedDifferenceKind,
    /// The difference in words; for a new need, its engine and its location.
    pub message: String,
}

/// What happened to a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeedDifferenceKind {
    /// The previous lock doesn't have it.
    Added,
    /// The new lock doesn't have it.
    Removed,
    /// A part of it changed.
    Changed,
}

/// Returns the differences between the needs of two locks.
pub(crate) fn need_differences(
    old: Option<&LockedNeeds>,
    new: Option<&LockedNeeds>,
) -> Vec<NeedDifference> {
    let needs = |locked: Option<&LockedNeeds>| {
        locked.map(|locked| locked.needs.clone()).unwrap_or_default().into_iter()
    };
    let added = |(name, need): (String, Need)| NeedDifference {
        need: name,
        profile: None,
        kind: NeedDifferenceKind::Added,
        message: format!("{} {}", need.engine, need.location()),
    };
    let removed = |(name, _): (String, Need)| NeedDifference {
        need: name,
        profile: None,
        kind: NeedDifferenceKind::Removed,
        message: "no longer needed".to_owned(),
    };
    let mut differences = Vec::new();
    for change in needs::changes(old, new) {
        let Some(name) = &change.need else {
            differences.extend(needs(new).map(added));
            differences.extend(needs(old).map(removed));
            continue;
        };
        let whole = |locked| needs(locked).find(|(other, _)| other == name);
        differences.push(match (&change.kind, &change.profile) {
            (ChangeKind::Added, None) => match whole(new) {
                Some(need) => added(need),
                None => continue,
            },
            (ChangeKind::Removed, None) => match whole(old) {
                Some(need) => removed(need),
                None => continue,
            },
            _ => NeedDifference {
                need: name.clone(),
                profile: change.profile.clone(),
                kind: NeedDifferenceKind::Changed,
                message: change.to_string(),
            },
        });
    }
    differences
}
