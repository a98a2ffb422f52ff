//! `clock-skew`: the server's clock isn't this machine's, so that ends and TTLs are off.

use envlock_report::{Code, Finding};
use jiff::SignedDuration;

use super::evaluation::OnlineEvaluation;

/// Certificates and signed logins allow about as much.
const TOLERATED: SignedDuration = SignedDuration::from_secs(60);

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    let Some(ahead) = online.facts.server.clock_ahead else { return };
    if ahead.abs() <= TOLERATED {
        return;
    }
    let side = if ahead.is_positive() { "ahead of" } else { "behind" };
    let message = format!("the server's clock is {:#} {side} this machine's", ahead.abs());
    let finding = Finding::new(Code::ClockSkew, message)
        .with_note("what ends soon may have ended already, and signed logins may be refused")
        .with_help("set both clocks by NTP: `timedatectl status` shows this machine's");
    findings.push(online.scope.profile_finding(finding));
}
