//! `unused-policy`: no profile attaches a policy, or no need uses it.

use std::collections::{BTreeSet, HashMap};

use envlock_report::{Code, Finding};

use super::Input;
use super::evaluation::{BlockUsage, PolicyEvaluation};
use super::kv2_data_path;
use crate::manifest::ResolvedProfile;
use envlock_policy::{Acl, BlockId, Rule};

/// Reports attached policies of which no rule allows a request of a need.
pub(super) fn check_attached(
    evaluation: &PolicyEvaluation<'_>,
    serving: &HashMap<BlockId, BlockUsage>,
    findings: &mut Vec<Finding>,
) {
    let blocks_on_logical_path = kv2_data_path::blocks_on_logical_path(evaluation);
    let used: BTreeSet<usize> =
        serving.keys().chain(&blocks_on_logical_path).map(|id| id.policy).collect();
    let undecided: BTreeSet<usize> =
        evaluation.acls.iter().flat_map(Acl::undecided_blocks).map(|id| id.policy).collect();
    for (index, (name, pos)) in evaluation.checked.profile.attach.iter().enumerate() {
        if used.contains(&index) || undecided.contains(&index) || denies(evaluation, index) {
            continue;
        }
        let message = format!("the policy {name} is attached, and serves no need");
        let finding = Finding::new(Code::UnusedPolicy, message)
            .about_policy(name)
            .at(evaluation.checked.manifest.place(*pos))
            .with_help("remove it from `attach:`, and from the token");
        findings.push(finding.in_profile(&evaluation.checked.profile.name));
    }
}

/// Whether the policy only denies, which is a use.
fn denies(evaluation: &PolicyEvaluation<'_>, policy: usize) -> bool {
    let acl = &evaluation.acls[0];
    acl.rules()
        .iter()
        .flat_map(Rule::blocks)
        .any(|id| id.policy == policy && acl.block(*id).capabilities().contains_deny())
}

/// Reports policies that no profile attaches.
pub(super) fn check_declared(
    input: &Input<'_>,
    profiles: &[ResolvedProfile],
    findings: &mut Vec<Finding>,
) {
    if input.profile.is_some() {
        return;
    }
    let attached: BTreeSet<&str> = profiles
        .iter()
        .flat_map(|profile| &profile.attach)
        .map(|(name, _)| name.as_str())
        .collect();
    for (name, policy) in &input.manifest.policies {
        if !attached.contains(name.as_str()) {
            let message = format!("no profile attaches the policy {name}");
            let finding = Finding::new(Code::UnusedPolicy, message)
                .about_policy(name)
                .at(input.manifest.place(policy.pos))
                .with_help("attach it to a profile, or remove it");
            findings.push(finding);
        }
    }
}
