//! What some or all servers refuse.

use envlock_report::{Diagnostic, Finding};
use jiff::Timestamp;

use crate::policy::dialect::{Dialect, DialectSet};
use crate::policy::document::Policy;
use crate::policy::error::{Fault, PolicyError};

/// One finding for each fault, which names the servers that refuse the policy for it.
pub(crate) fn refusals(policy: &Policy, now: Timestamp) -> Vec<Finding> {
    let mut faults: Vec<(&PolicyError, Vec<Dialect>)> = Vec::new();
    for dialect in Dialect::PORTABLE {
        let Some(error) = policy.fault(dialect, now) else { continue };
        match faults.iter_mut().find(|(known, _)| *known == error) {
            Some((_, dialects)) => dialects.push(dialect),
            None => faults.push((error, vec![dialect])),
        }
    }
    faults.into_iter().map(|(error, dialects)| finding(error, &dialects)).collect()
}

fn finding(error: &PolicyError, dialects: &[Dialect]) -> Finding {
    let base = error.diagnostic();
    let diagnostic = match error.fault {
        Fault::DuplicateAttribute(_) => Diagnostic { code: "duplicate-attribute", ..base },
        _ if dialects.len() == Dialect::PORTABLE.len() => base,
        _ => {
            let refused: DialectSet = dialects.iter().copied().collect();
            let warning = Diagnostic::warning("dialect-only", base.message);
            let warning = warning.with_note(format!("refused by {refused}"));
            Diagnostic { place: base.place, help: base.help, ..warning }
        }
    };
    Finding::new(diagnostic)
}
