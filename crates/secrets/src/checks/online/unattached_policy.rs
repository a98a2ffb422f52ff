//! `unattached-policy`: the token has a policy that the profile doesn't attach.

use envlock_report::{Code, Finding};

use super::evaluation::OnlineEvaluation;
use super::text::join_names;

/// The servers' built-in policy, which every token has unless it was removed.
const BUILT_IN: &str = "default";

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    // A presence check has other policies, and root is reported already.
    if online.evaluation.is_none() || online.is_presence_only() || online.is_root() {
        return;
    }
    let attached = &online.checked.profile.attach;
    let is_attached =
        |name: &String| attached.iter().any(|(known, _)| known.to_lowercase() == *name);
    let token = online.facts.token.policies.iter();
    let unknown: Vec<_> =
        token.filter(|name| *name != BUILT_IN && !is_attached(&name.to_lowercase())).collect();
    if unknown.is_empty() {
        return;
    }
    let message = format!(
        "the token has policies that aren't attached, and what they grant wasn't checked: {}",
        join_names(unknown.iter().copied())
    );
    let finding = Finding::new(Code::UnattachedPolicy, message).with_help(
        "add their texts to the repository and attach them, or remove them from the token",
    );
    let finding = match unknown.as_slice() {
        [only] => finding.about_policy(only),
        _ => finding,
    };
    findings.push(online.checked.profile_finding(finding));
}
