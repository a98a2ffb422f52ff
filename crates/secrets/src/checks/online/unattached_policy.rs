//! `unattached-policy`: a policy of the token that the repository doesn't know.

use envlock_report::{Code, Finding};

use super::live::Live;
use super::words::names;

/// The servers' own policy, which every token has unless somebody took it away.
const BUILT_IN: &str = "default";

pub(super) fn check(live: &Live<'_>, findings: &mut Vec<Finding>) {
    // A verifier's policies are its own, and root was told.
    if live.case.is_none() || live.is_verifier() || live.is_root() {
        return;
    }
    let attached = &live.subject.profile.attach;
    let is_attached =
        |name: &String| attached.iter().any(|(known, _)| known.to_lowercase() == *name);
    let token = live.online.token.policies.iter();
    let unknown: Vec<_> =
        token.filter(|name| *name != BUILT_IN && !is_attached(&name.to_lowercase())).collect();
    if unknown.is_empty() {
        return;
    }
    let message = format!(
        "the token has policies that aren't attached, and nobody judged what they grant: {}",
        names(unknown)
    );
    let diagnostic = Finding::new(Code::UnattachedPolicy, message).with_help(
        "put their texts into the repository and attach them, or take them from the token",
    );
    findings.push(live.subject.of_profile(diagnostic));
}
