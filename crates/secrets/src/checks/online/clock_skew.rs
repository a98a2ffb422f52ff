//! `clock-skew`: the server's clock differs from this machine's, so expiry times and TTLs are wrong.

use envlock_report::{Code, Finding};
use jiff::SignedDuration;

use super::evaluation::OnlineEvaluation;

/// Certificates and signed logins tolerate about the same difference.
const TOLERATED: SignedDuration = SignedDuration::from_secs(60);

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    let Some(ahead) = online.facts.server.clock_ahead else { return };
    if ahead.abs() <= TOLERATED {
        return;
    }
    let side = if ahead.is_positive() { "ahead of" } else { "behind" };
    let message = format!("the server's clock is {:#} {side} this machine's", ahead.abs());
    let finding = Finding::new(Code::ClockSkew, message)
        .with_note("what expires soon may have expired already, and signed logins may fail")
        .with_help("set both clocks by NTP: `timedatectl status` shows this machine's");
    findings.push(online.checked.profile_finding(finding));
}
