//! `interactive`: allowed, but somebody has to act first, and a job has nobody.

use envlock_report::{Code, Finding, Level};

use super::case::Case;

pub(super) fn check(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let personal = case.subject.profile.auth.as_ref().is_some_and(|auth| auth.method.is_personal());
    for (requirement, verdicts) in case.judged() {
        let Some(verdict) = verdicts.iter().find(|verdict| verdict.waits_for.is_some()) else {
            continue;
        };
        let access = &requirement.access;
        let message = format!(
            "{} {} is allowed and waits for {}",
            access.operation.name(),
            access.path,
            verdict.waits_for.unwrap_or_default()
        );
        let mut diagnostic = Finding::new(Code::Interactive, message)
            .with_help("give the job a path of its own whose rule asks nobody");
        if personal {
            diagnostic.level = Level::Note;
            diagnostic.notes.push("a person uses this profile, and can answer".to_owned());
        }
        let mut finding = case.subject.finding(&requirement.need, diagnostic);
        for origin in &verdict.rule {
            let message = format!("path \"{}\" of {} asks for it", origin.pattern, origin.policy);
            finding = finding.with_related(origin.place.clone(), message);
        }
        findings.push(finding);
    }
}
