//! `root-token`: a profile whose token may do everything.

use envlock_report::{Code, Finding};

use crate::manifest::{Manifest, ResolvedProfile};

/// Whether `profile` attaches `root`: then there is nothing else to say about its rights.
pub(super) fn check(
    manifest: &Manifest,
    profile: &ResolvedProfile,
    findings: &mut Vec<Finding>,
) -> bool {
    let Some((_, pos)) = profile.attach.iter().find(|(name, _)| name == "root") else {
        return false;
    };
    let message =
        format!("profile {} attaches the policy root, which allows everything", profile.name);
    let finding = Finding::new(Code::RootToken, message)
        .about_policy("root")
        .at(manifest.place(*pos))
        .with_help("attach a policy of its own: `envlock policy generate` writes it");
    findings.push(finding.in_profile(&profile.name));
    true
}
