//! `request-denied`, by the server: no policies are attached, or they don't decide.

use envlock_report::{Code, Finding};

use super::evaluation::OnlineEvaluation;
use super::text::{describe_request, join_names};
use crate::checks::evaluation::common_permission;
use crate::need_request::NeedRequest;
use crate::verdict::{Permission, ServerVerdict};
use envlock_model::needs::Required;
use envlock_policy::{Capabilities, path_block};

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (need_request, verdicts, server) in online.need_requests_with_verdicts() {
        let ServerVerdict::Denied(granted) = server else { continue };
        // A denial by the policies is reported already; if they allow it, `server-disagrees` reports it.
        let reported = matches!(
            verdicts.and_then(common_permission),
            Some(Permission::Allowed | Permission::Denied)
        );
        if !reported && !online.has_usable_alternative(&need_request.need) {
            findings.push(denied(online, need_request, granted));
        }
    }
}

fn denied(
    online: &OnlineEvaluation<'_>,
    need_request: &NeedRequest,
    granted: Capabilities,
) -> Finding {
    let NeedRequest { need, request, .. } = need_request;
    let has = if granted.is_empty() { "nothing".to_owned() } else { format!("only {granted}") };
    let message = format!(
        "{} is denied by the server: the token has {has} there",
        describe_request(need_request)
    );
    let policies = &online.facts.token.policies;
    let mut finding = Finding::new(Code::RequestDenied, message)
        .with_note(format!("the token's policies are {}", join_names(policies)));
    let required = &online.checked.need(need).need.required;
    if let Some(group) = required.group() {
        let note = format!("no other need of the group {group} is known to be usable");
        finding.add_note(note);
    }
    if *required == Required::Flag(false) {
        let note = "it isn't required, but a denied need can't be read even if it exists";
        finding.add_note(note);
    }
    // Every token has the policy `default`, which isn't specific to the job.
    let own = policies.iter().rev().find(|name| *name != "default");
    let help = match own {
        Some(own) => format!("add to the policy {} of the token", join_names([own])),
        None => "give the token a specific policy with".to_owned(),
    };
    let fix = path_block(
        &request.path,
        online.checked.required_capabilities_on(&request.path).union(granted),
    );
    online.checked.finding(need, finding.with_help(help)).with_fix(fix)
}
