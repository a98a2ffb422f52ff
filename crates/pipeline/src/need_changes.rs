//! What a new lock changes about the needs.

use envlock_model::needs::{self, LockedNeeds, Need, StaleNeedKind};

/// A change of a need, compared with the previous lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedChange {
    /// The need.
    pub need: String,
    /// The profile, if the need changed only there.
    pub profile: Option<String>,
    /// What happened to it.
    pub kind: NeedChangeKind,
    /// The difference in words; for a new need, its engine and its location.
    pub message: String,
}

/// What happened to a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeedChangeKind {
    /// The previous lock doesn't have it.
    Added,
    /// The new lock doesn't have it.
    Removed,
    /// A part of it changed.
    Changed,
}

/// Returns the differences between the needs of two locks.
pub(crate) fn need_changes(
    old: Option<&LockedNeeds>,
    new: Option<&LockedNeeds>,
) -> Vec<NeedChange> {
    let needs = |locked: Option<&LockedNeeds>| {
        locked.map(|locked| locked.needs.clone()).unwrap_or_default().into_iter()
    };
    let added = |(name, need): (String, Need)| NeedChange {
        need: name,
        profile: None,
        kind: NeedChangeKind::Added,
        message: format!("{} {}", need.engine, need.location()),
    };
    let removed = |(name, _): (String, Need)| NeedChange {
        need: name,
        profile: None,
        kind: NeedChangeKind::Removed,
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
            (StaleNeedKind::Added, None) => match whole(new) {
                Some(need) => added(need),
                None => continue,
            },
            (StaleNeedKind::Removed, None) => match whole(old) {
                Some(need) => removed(need),
                None => continue,
            },
            _ => NeedChange {
                need: name.clone(),
                profile: change.profile.clone(),
                kind: NeedChangeKind::Changed,
                message: change.to_string(),
            },
        });
    }
    differences
}
