//! `depends-on-identity`: a templated rule decides, and the profile has no identity.

use envlock_report::{Code, Finding};

use super::evaluation::PolicyEvaluation;
use crate::verdict::Permission;

pub(super) fn check(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (need_request, verdicts) in evaluation.need_requests_with_verdicts() {
        let depends = verdicts.iter().find(|v| v.permission == Permission::DependsOnIdentity);
        let Some(verdict) = depends else { continue };
        let request = &need_request.request;
        let message = format!(
            "whether {} {} is allowed depends on the identity",
            request.operation.name(),
            request.path
        );
        let help = format!(
            "declare its identity: `identity: {{entity: {{name: …, metadata: {{…}}}}}}` under \
             profile {}",
            evaluation.checked.profile.name
        );
        let finding = Finding::new(Code::DependsOnIdentity, message).with_help(help);
        let mut finding = evaluation.checked.finding(&need_request.need, finding);
        for origin in &verdict.rule {
            let message = format!("path \"{}\" of {} may match", origin.pattern, origin.policy);
            finding = finding.with_related(origin.place.clone(), message);
        }
        findings.push(finding);
    }
}
