//! `expiring`: allowed today, and no longer once a rule of OpenBao has ended.

use envlock_report::{Code, Finding};

use super::case::Case;
use crate::evidence::{self, Answer};

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for later in &case.later {
        for (requirement, verdicts) in case.judged() {
            let today = verdicts.iter().find(|verdict| verdict.dialect == later.dialect());
            let Some(today) = today.filter(|verdict| verdict.answer == Answer::Allowed) else {
                continue;
            };
            let then = evidence::verdict(later, later.dialect(), requirement);
            let (Some(end), true) = (today.ends, then.answer != Answer::Allowed) else { continue };
            let access = &requirement.access;
            let message =
                format!("{} {} is allowed until {end}", access.operation.name(), access.path);
            let diagnostic = Finding::new(Code::Expiring, message)
                .with_note(format!("after that: {}", then.reason))
                .with_help("give the rule a later `expiration`, or take it off");
            let mut finding = case.subject.finding(&requirement.need, diagnostic);
            for origin in &today.rule {
                let message = format!("path \"{}\" of {} ends", origin.pattern, origin.policy);
                finding = finding.with_related(origin.place.clone(), message);
            }
            findings.push(finding);
        }
    }
}
