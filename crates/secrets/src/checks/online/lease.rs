//! How long the leases of a need last, against how long they have to.

use super::unverifiable::Why;
use crate::facts::{Fact, Lease, Mount, NeedFacts};
use envlock_model::needs::Need;
use envlock_model::needs::words::seconds;

/// How a wish about a lease comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lasts {
    /// Long enough.
    Enough,
    /// Too short.
    Short {
        /// What is asked for, in seconds.
        asked: u64,
        /// What there is, in seconds.
        given: u64,
    },
    /// Nobody can say.
    Unknown(Why),
}

/// Whether a lease lasts `ttl: {min: …}` at first; nothing where that isn't asked.
pub(super) fn at_first(need: &Need, facts: &NeedFacts) -> Option<Lasts> {
    let asked = seconds(need.ttl.as_ref()?.min.as_deref()?)?;
    let lease = match &facts.lease {
        Ok(lease) => lease,
        Err(unknown) => return Some(Lasts::Unknown(Why::Unknown(*unknown))),
    };
    // No lease starts out longer than it may ever become.
    let most = longest(lease, &facts.mount);
    let first = limit(lease.default_ttl, &facts.mount, |mount| mount.default_ttl);
    Some(match (first, most) {
        (_, Ok(most)) if most < asked => Lasts::Short { asked, given: most },
        (Ok(given), _) => compared(asked, given),
        (Err(why), _) => Lasts::Unknown(why),
    })
}

/// Whether a lease can be renewed as long as `ttl: {renew: until …}` says.
pub(super) fn renewed(need: &Need, facts: &NeedFacts) -> Option<Lasts> {
    let asked = seconds(need.ttl.as_ref()?.renew.as_deref()?)?;
    let most = match &facts.lease {
        Ok(lease) => longest(lease, &facts.mount),
        Err(unknown) => Err(Why::Unknown(*unknown)),
    };
    Some(most.map_or_else(Lasts::Unknown, |given| compared(asked, given)))
}

fn compared(asked: u64, given: u64) -> Lasts {
    if given < asked { Lasts::Short { asked, given } } else { Lasts::Enough }
}

fn longest(lease: &Lease, mount: &Fact<Mount>) -> Result<u64, Why> {
    limit(lease.max_ttl, mount, |mount| mount.max_ttl)
}

/// The role's own limit, else the mount's; a server doesn't tell its own.
fn limit(role: u64, mount: &Fact<Mount>, of_mount: fn(&Mount) -> u64) -> Result<u64, Why> {
    if role > 0 {
        return Ok(role);
    }
    match mount {
        Err(unknown) => Err(Why::Unknown(*unknown)),
        Ok(mount) if of_mount(mount) > 0 => Ok(of_mount(mount)),
        Ok(_) => Err(Why::ServersOwn),
    }
}
