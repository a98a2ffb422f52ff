//! Compares the TTL of a need's leases with the TTL that the need requires.

use super::unverifiable::UnverifiableReason;
use crate::facts::{Fact, Lease, Mount, NeedFacts};
use envlock_model::needs::Need;
use envlock_model::needs::validate::seconds;

/// Whether the TTL of leases is long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaseCheck {
    /// Long enough.
    Enough,
    /// Too short.
    TooShort {
        /// The required duration in seconds.
        required: u64,
        /// The actual duration in seconds.
        actual: u64,
    },
    /// Unknown.
    Unknown(UnverifiableReason),
}

/// Checks the TTL of a new lease against `ttl: {min: …}`. `None` if the need has no `min`.
pub(super) fn check_initial_ttl(need: &Need, facts: &NeedFacts) -> Option<LeaseCheck> {
    let required = seconds(need.ttl.as_ref()?.min.as_deref()?)?;
    let lease = match &facts.lease {
        Ok(lease) => lease,
        Err(unknown) => return Some(LeaseCheck::Unknown(UnverifiableReason::Unknown(*unknown))),
    };
    // The first TTL of a lease can't exceed its max TTL.
    let most = longest(lease, &facts.mount);
    let first = limit(lease.default_ttl, &facts.mount, |mount| mount.default_ttl);
    Some(match (first, most) {
        (_, Ok(most)) if most < required => LeaseCheck::TooShort { required, actual: most },
        (Ok(actual), _) => compared(required, actual),
        (Err(why), _) => LeaseCheck::Unknown(why),
    })
}

/// Checks the longest TTL with renewals against `ttl: {renew: until …}`.
pub(super) fn check_renewal(need: &Need, facts: &NeedFacts) -> Option<LeaseCheck> {
    let required = seconds(need.ttl.as_ref()?.renew.as_deref()?)?;
    let most = match &facts.lease {
        Ok(lease) => longest(lease, &facts.mount),
        Err(unknown) => Err(UnverifiableReason::Unknown(*unknown)),
    };
    Some(most.map_or_else(LeaseCheck::Unknown, |actual| compared(required, actual)))
}

fn compared(required: u64, actual: u64) -> LeaseCheck {
    if actual < required { LeaseCheck::TooShort { required, actual } } else { LeaseCheck::Enough }
}

fn longest(lease: &Lease, mount: &Fact<Mount>) -> Result<u64, UnverifiableReason> {
    limit(lease.max_ttl, mount, |mount| mount.max_ttl)
}

/// The limit of the role, or else of the mount. The server's default limit can't be read.
fn limit(
    role: u64,
    mount: &Fact<Mount>,
    of_mount: fn(&Mount) -> u64,
) -> Result<u64, UnverifiableReason> {
    if role > 0 {
        return Ok(role);
    }
    match mount {
        Err(unknown) => Err(UnverifiableReason::Unknown(*unknown)),
        Ok(mount) if of_mount(mount) > 0 => Ok(of_mount(mount)),
        Ok(_) => Err(UnverifiableReason::ServerDefault),
    }
}
