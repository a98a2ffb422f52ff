//! `denied`, by the server: where no policies are attached, or they leave it open.

use envlock_report::{Code, Finding};

use super::evaluation::OnlineEvaluation;
use super::text::{describe_request, join_names};
use crate::checks::evaluation::common_permission;
use crate::generate::path_block;
use crate::requirement::Requirement;
use crate::verdict::{Permission, ServerVerdict};
use envlock_model::needs::Required;
use envlock_policy::Capabilities;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (requirement, verdicts, server) in online.requirements_with_verdicts() {
        let ServerVerdict::Denied(granted) = server else { continue };
        // Where the policies deny it too it was told; where they allow it, the two disagree.
        let told = matches!(
            verdicts.and_then(common_permission),
            Some(Permission::Allowed | Permission::Denied)
        );
        if !told && !online.has_usable_alternative(&requirement.need) {
            findings.push(denied(online, requirement, granted));
        }
    }
}

fn denied(
    online: &OnlineEvaluation<'_>,
    requirement: &Requirement,
    granted: Capabilities,
) -> Finding {
    let Requirement { need, request, .. } = requirement;
    let has = if granted.is_empty() { "nothing".to_owned() } else { format!("only {granted}") };
    let message = format!(
        "{} is denied by the server: the token has {has} there",
        describe_request(requirement)
    );
    let policies = &online.facts.token.policies;
    let mut finding = Finding::new(Code::Denied, message)
        .with_note(format!("the token's policies are {}", join_names(policies)));
    let required = &online.scope.need(need).need.required;
    if let Some(group) = required.group() {
        let note = format!("no other need of the group {group} is known to serve");
        finding.notes.push(note);
    }
    if *required == Required::Flag(false) {
        let note = "it isn't required, but denied isn't absent: it can never be read";
        finding.notes.push(note.to_owned());
    }
    // Every token has `default`, which is nobody's own.
    let own = policies.iter().rev().find(|name| *name != "default");
    let help = match own {
        Some(own) => format!("add to the policy {} of the token", join_names([own])),
        None => "give the token a policy of its own with".to_owned(),
    };
    let fix = path_block(
        &request.path,
        online.scope.required_capabilities_on(&request.path).union(granted),
    );
    online.scope.finding(need, finding.with_help(help)).with_fix(fix)
}
