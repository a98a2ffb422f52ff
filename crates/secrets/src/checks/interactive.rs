//! `approval-required`: the request needs an approval or a confirmation, which a job can't give.

use envlock_report::{Code, Finding, Level};

use super::evaluation::PolicyEvaluation;

pub(super) fn check(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    let personal =
        evaluation.checked.profile.auth.as_ref().is_some_and(|auth| auth.method.is_interactive());
    for (need_request, verdicts) in evaluation.need_requests_with_verdicts() {
        let waiting =
            verdicts.iter().find_map(|verdict| Some((verdict, verdict.required_approval?)));
        let Some((verdict, required_approval)) = waiting else { continue };
        let request = &need_request.request;
        let message = format!(
            "{} {} is allowed, and requires {required_approval}",
            request.operation.name(),
            request.path,
        );
        let mut finding = Finding::new(Code::ApprovalRequired, message)
            .with_help("give the job a separate path whose rule requires neither");
        if personal {
            finding.level = Level::Note;
            finding.add_note("a person uses this profile, and can confirm");
        }
        let mut finding = evaluation.checked.finding(&need_request.need, finding);
        for origin in &verdict.rule {
            let message = format!("path \"{}\" of {} requires it", origin.pattern, origin.policy);
            finding = finding.with_related(origin.place.clone(), message);
        }
        findings.push(finding);
    }
}
