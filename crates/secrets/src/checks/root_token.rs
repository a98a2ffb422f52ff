//! `root-token`: a profile attaches the policy `root`.

use envlock_report::{Code, Finding};

use crate::manifest::{Manifest, ResolvedProfile};

/// Reports a profile that attaches `root`, and returns whether it does. Nothing else is then
/// checked about its rights.
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
        .with_help("attach a specific policy: `envlock policy generate` writes it");
    findings.push(finding.in_profile(&profile.name));
    true
}
