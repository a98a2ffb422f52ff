//! `expires-soon`: a request is allowed now, and denied when a rule of OpenBao has expired.

use envlock_report::{Code, Finding};

use super::evaluation::PolicyEvaluation;
use crate::verdict::{self, Permission};

pub(super) fn check(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    for later in &evaluation.acls_at_horizon {
        for (need_request, verdicts) in evaluation.need_requests_with_verdicts() {
            let today = verdicts.iter().find(|verdict| verdict.dialect == later.dialect());
            let Some(today) = today.filter(|verdict| verdict.permission == Permission::Allowed)
            else {
                continue;
            };
            let then = verdict::policy_verdict(later, need_request);
            let (Some(end), true) = (today.expires, then.permission != Permission::Allowed) else {
                continue;
            };
            let request = &need_request.request;
            let message =
                format!("{} {} is allowed until {end}", request.operation.name(), request.path);
            let finding = Finding::new(Code::ExpiresSoon, message)
                .with_note(format!("after that: {}", then.reason))
                .with_help("set a later `expiration`, or remove it");
            let mut finding = evaluation.checked.finding(&need_request.need, finding);
            for origin in &today.rule {
                let message = format!("path \"{}\" of {} expires", origin.pattern, origin.policy);
                finding = finding.with_related(origin.place.clone(), message);
            }
            findings.push(finding);
        }
    }
}
