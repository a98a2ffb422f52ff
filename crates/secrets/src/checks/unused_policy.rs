//! `unused-policy`: a policy that is attached to nothing, or that decides nothing.

use std::collections::{BTreeSet, HashMap};

use envlock_report::{Code, Finding};

use super::Input;
use super::case::{Case, Use};
use super::kv2_data_path;
use crate::manifest::ResolvedProfile;
use envlock_policy::{Acl, BlockId};

/// Attached policies none of whose rules serve a need.
pub(super) fn attached(
    case: &Case<'_>,
    serving: &HashMap<BlockId, Use>,
    findings: &mut Vec<Finding>,
) {
    let misnamed = kv2_data_path::misnamed(case);
    let used: BTreeSet<usize> = serving.keys().chain(&misnamed).map(|id| id.policy).collect();
    let undecided: BTreeSet<usize> =
        case.acls.iter().flat_map(Acl::undecided).map(|id| id.policy).collect();
    for (index, (name, pos)) in case.subject.profile.attach.iter().enumerate() {
        if used.contains(&index) || undecided.contains(&index) || denies(case, index) {
            continue;
        }
        let message = format!("the policy {name} is attached, and serves no need");
        let diagnostic = Finding::new(Code::UnusedPolicy, message)
            .at(case.subject.manifest.place(*pos))
            .about_policy(name)
            .with_help("take it out of `attach:`, and the token's other rights with it");
        findings.push(diagnostic.in_profile(&case.subject.profile.name));
    }
}

/// A policy that only takes away has its use.
fn denies(case: &Case<'_>, policy: usize) -> bool {
    let acl = &case.acls[0];
    acl.rules()
        .iter()
        .flat_map(|rule| &rule.blocks)
        .any(|id| id.policy == policy && acl.block(*id).capabilities.denies())
}

/// Policies that no profile attaches.
pub(super) fn declared(
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
            let diagnostic = Finding::new(Code::UnusedPolicy, message)
                .at(input.manifest.place(policy.pos))
                .about_policy(name)
                .with_help("attach it where it belongs, or take it out");
            findings.push(diagnostic);
        }
    }
}
