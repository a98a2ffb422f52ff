//! `depends-on-identity`: a templated rule decides, and the profile has no identity.

use envlock_report::{Code, Finding};

use super::evaluation::PolicyEvaluation;
use crate::verdict::Permission;

pub(super) fn check(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (requirement, verdicts) in evaluation.requirements_with_verdicts() {
        let depends = verdicts.iter().find(|v| v.permission == Permission::DependsOnIdentity);
        let Some(verdict) = depends else { continue };
        let request = &requirement.request;
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
        let mut finding = evaluation.checked.finding(&requirement.need, finding);
        for origin in &verdict.rule {
            let message = format!("path \"{}\" of {} may match", origin.pattern, origin.policy);
            finding = finding.with_related(origin.place.clone(), message);
        }
        findings.push(finding);
    }
}
