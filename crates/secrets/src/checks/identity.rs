//! `depends-on-identity`: a templated rule decides, and the profile doesn't say who it is.

use envlock_report::{Code, Finding};

use super::case::Case;
use crate::evidence::Answer;

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for (requirement, verdicts) in case.judged() {
        let depends = verdicts.iter().find(|v| v.answer == Answer::DependsOnIdentity);
        let Some(verdict) = depends else { continue };
        let access = &requirement.access;
        let message = format!(
            "whether {} {} is allowed depends on who asks",
            access.operation.name(),
            access.path
        );
        let help = format!(
            "say who the profile is: `identity: {{entity: {{name: …, metadata: {{…}}}}}}` under \
             profile {}",
            case.subject.profile.name
        );
        let diagnostic = Finding::new(Code::DependsOnIdentity, message).with_help(help);
        let mut finding = case.subject.finding(&requirement.need, diagnostic);
        for origin in &verdict.rule {
            let message = format!("path \"{}\" of {} may match", origin.pattern, origin.policy);
            finding = finding.with_related(origin.place.clone(), message);
        }
        findings.push(finding);
    }
}
