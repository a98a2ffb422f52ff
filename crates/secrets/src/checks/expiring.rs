//! `expiring`: allowed today, and no longer once a rule of OpenBao has ended.

use envlock_report::{Code, Finding};

use super::evaluation::PolicyEvaluation;
use crate::evidence::{self, Answer};

pub(super) fn check(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    for later in &evaluation.later {
        for (requirement, verdicts) in evaluation.judged() {
            let today = verdicts.iter().find(|verdict| verdict.dialect == later.dialect());
            let Some(today) = today.filter(|verdict| verdict.answer == Answer::Allowed) else {
                continue;
            };
            let then = evidence::verdict(later, requirement);
            let (Some(end), true) = (today.ends, then.answer != Answer::Allowed) else { continue };
            let access = &requirement.access;
            let message =
                format!("{} {} is allowed until {end}", access.operation.name(), access.path);
            let finding = Finding::new(Code::Expiring, message)
                .with_note(format!("after that: {}", then.reason))
                .with_help("give the rule a later `expiration`, or take it off");
            let mut finding = evaluation.scope.finding(&requirement.need, finding);
            for origin in &today.rule {
                let message = format!("path \"{}\" of {} ends", origin.pattern, origin.policy);
                finding = finding.with_related(origin.place.clone(), message);
            }
            findings.push(finding);
        }
    }
}
