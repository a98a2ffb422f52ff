//! What a server said about a profile, judged: beside the policies where any are attached,
//! alone where none are.
//!
//! [`Live`] is one profile with both answers; the checks are a file each, as those of the
//! policies are.

mod clock_skew;
mod denied;
mod disagreement;
mod ending;
mod lease;
mod live;
mod missing;
mod missing_field;
mod one_of_several;
mod standing;
mod token;
mod ttl_too_short;
mod unattached_policy;
mod unverifiable;
mod words;
mod wrong_engine;

use envlock_report::{Code, Finding};

pub(super) use live::Live;

/// Codes that only a server's answer can lead to: without one nobody knows whether an allowance
/// of them is still needed.
pub(super) const CODES: [Code; 9] = [
    Code::ClockSkew,
    Code::Disagreement,
    Code::Missing,
    Code::MissingField,
    Code::NonExpiringToken,
    Code::TtlTooShort,
    Code::UnattachedPolicy,
    Code::Unverifiable,
    Code::WrongEngine,
];

pub(super) fn check(live: &Live<'_>, findings: &mut Vec<Finding>) {
    clock_skew::check(live, findings);
    token::check(live, findings);
    unattached_policy::check(live, findings);
    denied::check(live, findings);
    disagreement::check(live, findings);
    wrong_engine::check(live, findings);
    missing::check(live, findings);
    missing_field::check(live, findings);
    one_of_several::check(live, findings);
    ending::check(live, findings);
    ttl_too_short::check(live, findings);
    unverifiable::check(live, findings);
}
