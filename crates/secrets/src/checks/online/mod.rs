//! Checks of a server's facts about a profile, together with its policies, if it attaches any.
//!
//! [`OnlineEvaluation`] is a profile with both; each check is a file.

mod clock_skew;
mod denied;
mod disagreement;
mod evaluation;
mod expiring_version;
mod lease;
mod missing;
mod missing_field;
mod namespace_ignored;
mod one_of_several;
mod other_server;
mod state;
mod text;
mod token;
mod ttl_too_short;
mod unattached_policy;
mod unverifiable;
mod wrong_engine;

use envlock_report::{Code, Finding};

pub(super) use evaluation::OnlineEvaluation;

/// Codes that only a server's facts can cause. Without a server an exception of them can't be
/// reported as unused.
pub(super) const SERVER_ONLY_CODES: [Code; 11] = [
    Code::ClockSkew,
    Code::ServerDisagrees,
    Code::SecretMissing,
    Code::MissingField,
    Code::NamespaceIgnored,
    Code::NonExpiringToken,
    Code::OtherServer,
    Code::TtlTooShort,
    Code::UnattachedPolicy,
    Code::Unverifiable,
    Code::WrongEngine,
];

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    clock_skew::check(online, findings);
    namespace_ignored::check(online, findings);
    other_server::check(online, findings);
    token::check(online, findings);
    unattached_policy::check(online, findings);
    denied::check(online, findings);
    disagreement::check(online, findings);
    wrong_engine::check(online, findings);
    missing::check(online, findings);
    missing_field::check(online, findings);
    one_of_several::check(online, findings);
    expiring_version::check(online, findings);
    ttl_too_short::check(online, findings);
    unverifiable::check(online, findings);
}
