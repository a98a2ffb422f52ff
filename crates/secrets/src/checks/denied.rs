//! `request-denied`: a request of a need is denied in every dialect, with the rule to add.

use std::collections::BTreeMap;

use envlock_report::{Code, Finding, count};

use super::evaluation::PolicyEvaluation;
use super::{api_path, kv2_data_path, namespace, parameters};
use crate::need_request::{NeedRequest, is_in_default_policy};
use crate::verdict::{Permission, PolicyVerdict, Reason};
use envlock_model::needs::{Need, Required};
use envlock_policy::{Capabilities, Capability, RuleOrigin, path_block};

pub(super) fn check(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (need_request, verdicts) in evaluation.need_requests_with_verdicts() {
        let denied_by_all = verdicts.iter().all(|verdict| verdict.permission == Permission::Denied);
        if !denied_by_all || group_is_served(evaluation, &need_request.need) {
            continue;
        }
        let verdict = &verdicts[0];
        let finding = kv2_data_path::explain_denial(evaluation, need_request)
            .unwrap_or_else(|| denied(evaluation, need_request, verdict));
        findings.push(finding);
    }
    one_of_several(evaluation, findings);
}

/// Whether another need of its group is allowed, so that this one may be denied.
fn group_is_served(evaluation: &PolicyEvaluation<'_>, name: &str) -> bool {
    evaluation.checked.others_in_group(name).any(|other| evaluation.is_allowed(&other.name))
}

fn denied(
    evaluation: &PolicyEvaluation<'_>,
    need_request: &NeedRequest,
    verdict: &PolicyVerdict,
) -> Finding {
    let NeedRequest { need, request, .. } = need_request;
    let message =
        format!("{} {} is denied: {}", request.operation.name(), request.path, verdict.reason);
    let mut finding = Finding::new(Code::RequestDenied, message);
    for origin in &verdict.hidden {
        let note = format!(
            "the deciding rule overrides path \"{}\" of {} ({})",
            origin.pattern, origin.policy, origin.place
        );
        finding.add_note(note);
    }
    if verdict.more_hidden > 0 {
        finding.add_note(format!(
            "the deciding rule overrides {}",
            count(verdict.more_hidden, "more rule")
        ));
    }
    if let Some(note) = namespace::in_patterns(evaluation) {
        finding.add_note(note);
    }
    let group = evaluation.checked.need(need).need.required.group();
    if let Some(group) = group {
        finding.add_note(format!("no other need of the group {group} is allowed either"));
    }
    if is_optional(&evaluation.checked.need(need).need) {
        finding.add_note("it isn't required, but a denied need can't be read even if it exists");
    }
    if is_in_default_policy(&request.path) {
        let note = "the servers' built-in policy `default` allows it: if the token has that \
        policy, add its text to the repository and attach it";
        finding.add_note(note);
    }
    let written = |policy: &str| evaluation.path_in_policy(policy, &request.path);
    let exact = verdict
        .rule
        .iter()
        .find(|origin| origin.pattern.trim_start_matches('/') == written(&origin.policy));
    let wanted = evaluation.checked.required_capabilities_on(&request.path);
    finding.help = Some(exact.map_or_else(
        || {
            let unless =
                if verdict.rule.is_empty() { "" } else { ", unless the deciding rule is intended" };
            format!("add to the policy {}{unless}", target_policy(evaluation))
        },
        |origin| format!("change the rule at {} to", origin.place),
    ));
    let granted = exact
        .map_or(Capabilities::NONE, |origin| granted_by_exact(evaluation, &request.path, origin));
    let policy = exact.map(|origin| origin.policy.as_str());
    let policy = policy.or_else(|| evaluation.attached.last().map(|policy| policy.name()));
    let path = policy.map_or_else(|| request.path.clone(), written);
    let condition = condition_help(verdict, need);
    let mut finding = evaluation.checked.finding(need, finding);
    let manifest = evaluation.checked.manifest;
    let own = &evaluation.checked.need(need).need;
    if let Some(meant) = api_path::intended(manifest, need, own) {
        // A rule for the path that the need names now would grant the wrong thing.
        let lines = api_path::lines(own, &meant);
        finding.help = Some(format!("correct the need first: {lines}"));
    } else if condition.is_some() {
        // A block with capabilities alone would remove the condition.
        finding.help = condition;
    } else {
        finding = finding.with_fix(path_block(&path, wanted.union(granted)));
    }
    for origin in &verdict.rule {
        let message = format!("path \"{}\" of {} decides", origin.pattern, origin.policy);
        finding = finding.with_related(origin.place.clone(), message);
    }
    finding
}

/// The help, if a condition of the rule denies the request.
fn condition_help(verdict: &PolicyVerdict, need: &str) -> Option<String> {
    let Reason::Decision(reason) = &verdict.reason else { return None };
    let rule = verdict.rule.first().map(|origin| format!(" at {}", origin.place));
    parameters::help_for_condition(reason, &rule.unwrap_or_default(), need)
}

fn is_optional(need: &Need) -> bool {
    need.required == Required::Flag(false)
}

/// The capabilities that the block at `origin` grants now, so that the changed block keeps them.
fn granted_by_exact(
    evaluation: &PolicyEvaluation<'_>,
    path: &str,
    origin: &RuleOrigin,
) -> Capabilities {
    let acl = &evaluation.acls[0];
    let blocks = acl.deciding_rule(path, false).map(|rule| acl.rule(rule).blocks());
    let block = blocks.unwrap_or_default().iter().find(|id| acl.block_origin(**id) == *origin);
    let granted = block.map(|id| acl.block(*id).capabilities()).unwrap_or_default();
    granted.difference([Capability::Deny].into_iter().collect())
}

/// The last of the attached policies, which usually is the most specific one.
fn target_policy(evaluation: &PolicyEvaluation<'_>) -> String {
    evaluation
        .attached
        .last()
        .map(|policy| format!("{} ({})", policy.name(), policy.file()))
        .unwrap_or_default()
}

/// Reports several allowed needs of a group that must have exactly one.
fn one_of_several(evaluation: &PolicyEvaluation<'_>, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for need in &evaluation.checked.profile.needs {
        if let Required::OneOf { one_of } = &need.need.required
            && evaluation.is_allowed(&need.name)
        {
            groups.entry(one_of).or_default().push(&need.name);
        }
    }
    for (group, members) in groups.into_iter().filter(|(_, members)| members.len() > 1) {
        let message = format!(
            "exactly one need of the group {group} may be usable (`one_of`), but the policies \
             allow {}",
            members.join(", ")
        );
        let finding = Finding::new(Code::OneOfAmbiguous, message)
            .with_help("remove the rights on the others, or write any_of");
        findings.push(evaluation.checked.finding(members[0], finding));
    }
}
