//! How long a token lasts, and how long the job and its needs require it.

use envlock_model::needs::validate::seconds;

use crate::facts::Token;
use crate::manifest::ResolvedProfile;

/// The longest time that a token can be used, with renewals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenLife {
    /// It never expires, or it is renewed without an end.
    Unlimited,
    /// It ends after this number of seconds at the latest, for a reason.
    AtMost(u64, LifeLimit),
    /// It can be renewed. The limit of its auth mount isn't known.
    Renewable,
}

/// What ends a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifeLimit {
    /// It can't be renewed.
    NotRenewable,
    /// Its explicit_max_ttl.
    ExplicitMaxTtl,
    /// The max_lease_ttl of its auth mount.
    Mount,
}

impl TokenLife {
    /// The life of `token`, counted from now.
    pub fn of(token: &Token) -> Self {
        if token.expires.is_none() {
            return Self::Unlimited;
        }
        if token.batch || !token.renewable {
            return Self::AtMost(token.ttl, LifeLimit::NotRenewable);
        }
        let periodic = token.period > 0;
        let own = (token.explicit_max_ttl, LifeLimit::ExplicitMaxTtl);
        // A periodic token is bound by no mount.
        let mount = (if periodic { 0 } else { token.mount_max_ttl }, LifeLimit::Mount);
        let limits = [own, mount].into_iter().filter(|(limit, _)| *limit > 0);
        match limits.min_by_key(|(limit, _)| *limit) {
            // The server sets a TTL within the limits, so a shorter limit is only a rounding.
            Some((limit, why)) => Self::AtMost(limit.max(token.ttl), why),
            None if periodic => Self::Unlimited,
            None => Self::Renewable,
        }
    }
}

/// What requires a token to last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenDemand {
    /// `token: {ttl_min: …}` of the profile.
    TtlMin,
    /// `job: …` of the profile.
    Job,
    /// The lease of this need: it ends with the token.
    Lease(String),
}

/// The demands of a profile on its token, each with its number of seconds.
pub fn demands(profile: &ResolvedProfile) -> Vec<(TokenDemand, u64)> {
    let rules = profile.token.as_ref();
    let ttl_min = rules.and_then(|rules| seconds(rules.ttl_min.as_deref()?));
    let job = profile.job.as_deref().and_then(seconds);
    let of_profile = [(TokenDemand::TtlMin, ttl_min), (TokenDemand::Job, job)];
    let of_profile = of_profile.into_iter().filter_map(|(what, least)| Some((what, least?)));
    let leases = profile.needs.iter().filter_map(|resolved| {
        let ttl = resolved.need.ttl.as_ref()?;
        let least = [&ttl.min, &ttl.renew].into_iter().flatten();
        let least = least.filter_map(|text| seconds(text)).max()?;
        Some((TokenDemand::Lease(resolved.name.clone()), least))
    });
    of_profile.chain(leases).collect()
}

/// Whether the answer about the auth mount can change the verdict on `token`.
pub fn depends_on_mount(token: &Token, profile: &ResolvedProfile) -> bool {
    let longest = demands(profile).into_iter().map(|(_, least)| least).max();
    longest.is_some_and(|least| match TokenLife::of(token) {
        TokenLife::Unlimited | TokenLife::AtMost(_, LifeLimit::NotRenewable) => false,
        TokenLife::AtMost(most, _) => token.period == 0 && token.ttl < least && most >= least,
        TokenLife::Renewable => token.ttl < least,
    })
}
