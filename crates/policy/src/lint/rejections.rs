//! Reports the errors for which some or all servers reject a policy.

use envlock_report::{Code, Finding};
use jiff::Timestamp;

use crate::dialect::{Dialect, DialectSet};
use crate::document::Policy;
use crate::error::{PolicyError, PolicyErrorKind};

/// One finding for each error, with the servers that reject the policy for it.
pub fn rejections(policy: &Policy, now: Timestamp) -> Vec<Finding> {
    let mut faults: Vec<(&PolicyError, Vec<Dialect>)> = Vec::new();
    for dialect in Dialect::PORTABLE {
        let Some(error) = policy.error_for(dialect, now) else { continue };
        match faults.iter_mut().find(|(known, _)| *known == error) {
            Some((_, dialects)) => dialects.push(dialect),
            None => faults.push((error, vec![dialect])),
        }
    }
    faults
        .into_iter()
        .map(|(error, dialects)| finding(error, &dialects).about_policy(&policy.name))
        .collect()
}

fn finding(error: &PolicyError, dialects: &[Dialect]) -> Finding {
    let base = error.finding();
    match error.kind {
        PolicyErrorKind::DuplicateAttribute(_) => {
            Finding { code: Code::DuplicateAttribute, ..base }
        }
        _ if dialects.len() == Dialect::PORTABLE.len() => base,
        _ => {
            let refused: DialectSet = dialects.iter().copied().collect();
            let warning = Finding::new(Code::DialectSpecific, base.message);
            let warning = warning.with_note(format!("rejected by {refused}"));
            Finding { place: base.place, help: base.help, ..warning }
        }
    }
}
