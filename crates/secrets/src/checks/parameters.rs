//! `depends-on-parameters`: the rule has conditions on parameters, and the manifest doesn't say what
//! the job sends. Also the help for a condition that denies a request.

use envlock_policy::{DecisionReason, Unknown};
use envlock_report::{Code, Finding};

use super::evaluation::PolicyEvaluation;
use crate::verdict::{Permission, Reason};

pub(super) fn check(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (need_request, verdicts) in evaluation.need_requests_with_verdicts() {
        // A server that denies every such request is reported by `request-denied` or `dialect-dependent`.
        if verdicts.iter().any(|verdict| verdict.permission == Permission::Denied) {
            continue;
        }
        let depends = verdicts.iter().find_map(|verdict| match &verdict.reason {
            Reason::UnknownParameters(unknowns) => Some((verdict, unknowns)),
            _ => None,
        });
        let Some((verdict, unknowns)) = depends else { continue };
        let request = &need_request.request;
        let message = format!(
            "whether {} {} is allowed depends on its parameters",
            request.operation.name(),
            request.path
        );
        let finding = Finding::new(Code::DependsOnParameters, message)
            .with_help(help(unknowns, need_request.need.as_str()));
        let mut finding = evaluation.checked.finding(&need_request.need, finding);
        let shown = unknowns.iter().take(SHOWN);
        for unknown in shown {
            finding.add_note(format!("it depends on {unknown}"));
        }
        if unknowns.len() > SHOWN {
            finding.add_note("it depends on further parameters");
        }
        for origin in &verdict.rule {
            let message = format!("path \"{}\" of {} decides", origin.pattern, origin.policy);
            finding = finding.with_related(origin.place.clone(), message);
        }
        findings.push(finding);
    }
}

/// The maximum number of unknowns that a finding lists.
const SHOWN: usize = 4;

/// What to write, so that nothing is unknown any more.
fn help(unknowns: &[Unknown], need: &str) -> String {
    let mut written: Vec<String> = Vec::new();
    for unknown in unknowns {
        match unknown {
            Unknown::Value(name) => written.push(format!("{name}: VALUE")),
            Unknown::Required(name) => written.push(format!("{name}: ")),
            Unknown::Choice(names) => written.extend(names.first().map(|name| format!("{name}: "))),
            Unknown::Refused(_) | Unknown::Others | Unknown::Spelling(_) => {}
        }
    }
    written.truncate(SHOWN);
    let written = written.join(", ");
    format!(
        "write what the job sends besides the mandatory parameters, for example \
         `parameters: {{{}}}` under the need {need}; a parameter without a value is sent with a \
         value that isn't known",
        written.trim_end()
    )
}

/// The help for a condition that denies every request of a need. It never removes the condition.
pub(super) fn help_for_condition(
    reason: &DecisionReason,
    rule: &str,
    need: &str,
) -> Option<String> {
    Some(match reason {
        DecisionReason::WrapTtlOutOfBounds => format!(
            "if the job asks for a wrapped response, write `wrap_ttl: 5m` with its TTL under the need \
             {need}; otherwise give the job another path"
        ),
        DecisionReason::ParameterMissing(name) => format!(
            "if the job sends the parameter, write `parameters: {{{name}: }}` under the need {need}; \
             otherwise let the job send it"
        ),
        DecisionReason::ParameterNotAllowed(name) => format!(
            "every such request has the parameter: add `\"{name}\" = []` to allowed_parameters of \
             the rule{rule}, and keep the others"
        ),
        DecisionReason::ValueNotAllowed(name) => {
            format!("let the job send a value of `{name}` that the rule{rule} allows")
        }
        DecisionReason::ParameterDenied(name) => format!(
            "every such request has `{name}` with a value that the rule{rule} denies: let the job \
             send another one, and write it in `parameters:` of the need {need}"
        ),
        DecisionReason::PageTooLarge => "let the job ask for a smaller page".to_owned(),
        _ => return None,
    })
}
