//! `other-server`: the server isn't the one that the manifest declares.

use envlock_policy::DialectSet;
use envlock_report::{Code, Finding};

use super::evaluation::OnlineEvaluation;
use crate::manifest::TargetServers;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    let Some(release) = online.facts.server.release() else { return };
    let declared = online.checked.manifest.server;
    let known: DialectSet = declared.dialects().iter().copied().collect();
    let own: DialectSet = release.dialects().iter().copied().collect();
    let is_meant = release.dialects().iter().all(|dialect| known.contains(*dialect));
    if declared == TargetServers::Portable || is_meant {
        return;
    }
    let message = format!(
        "the manifest is for {known}, and the server is {release}, which reads policies as {own}"
    );
    let help = format!("declare the server: `server: {}`", release.to_manifest());
    let finding = Finding::new(Code::OtherServer, message).with_help(help);
    findings.push(online.checked.profile_finding(finding));
}
