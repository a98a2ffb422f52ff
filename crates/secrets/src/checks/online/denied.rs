//! `denied`, by the server: where no policies are attached, or they leave it open.

use envlock_report::{Code, Finding};

use super::evaluation::OnlineEvaluation;
use super::names::{names, request};
use crate::checks::evaluation::agreed;
use crate::evidence::{Answer, ServerVerdict};
use crate::generate::block;
use crate::requirement::Requirement;
use envlock_model::needs::Required;
use envlock_policy::Capabilities;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (requirement, verdicts, server) in online.judged() {
        let ServerVerdict::Denied(granted) = server else { continue };
        // Where the policies deny it too it was told; where they allow it, the two disagree.
        let told = matches!(verdicts.and_then(agreed), Some(Answer::Allowed | Answer::Denied));
        if !told && !online.is_served(&requirement.need) {
            findings.push(denied(online, requirement, granted));
        }
    }
}

fn denied(
    online: &OnlineEvaluation<'_>,
    requirement: &Requirement,
    granted: Capabilities,
) -> Finding {
    let Requirement { need, access, .. } = requirement;
    let has = if granted.is_empty() { "nothing".to_owned() } else { format!("only {granted}") };
    let message =
        format!("{} is denied by the server: the token has {has} there", request(requirement));
    let policies = &online.facts.token.policies;
    let mut finding = Finding::new(Code::Denied, message)
        .with_note(format!("the token's policies are {}", names(policies)));
    let required = &online.scope.need(need).need.required;
    if let Some(group) = required.group() {
        let note = format!("no other need of the group {group} is known to serve");
        finding.notes.push(note);
    }
    if *required == Required::Plain(false) {
        let note = "it isn't required, but denied isn't absent: it can never be read";
        finding.notes.push(note.to_owned());
    }
    // Every token has `default`, which is nobody's own.
    let own = policies.iter().rev().find(|name| *name != "default");
    let help = match own {
        Some(own) => format!("add to the policy {} of the token", names([own])),
        None => "give the token a policy of its own with".to_owned(),
    };
    let fix = block(&access.path, online.scope.required_on(&access.path).union(granted));
    online.scope.finding(need, finding.with_help(help)).with_fix(fix)
}
