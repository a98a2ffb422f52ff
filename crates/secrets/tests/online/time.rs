//! How long tokens, leases and versions last.

use envlock_secrets::facts::{Lease, NeedFacts, Presence, ServerFacts, Token, UnknownReason};
use jiff::SignedDuration;

use crate::story::{DB, DB_RULE, Story, VERIFIER, WAREHOUSE, error, in_hours, note, warning};

#[test]
fn a_token_that_never_ends_is_a_warning_or_what_the_profile_makes_of_it() {
    let endless = |online: &mut ServerFacts| online.token.expires = None;
    let forbids = "    token: {ttl_min: 15m, forbid: [non_expiring]}\n";
    let denies = "deny: [non-expiring-token]\n";
    Story::of(DB).but(endless).ends(&[warning("non-expiring-token")], 0, &["never ends"]);
    Story::of(DB).with(forbids).but(endless).ends(&[error("non-expiring-token")], 1, &[]);
    Story::of(DB).with(denies).but(endless).ends(&[error("non-expiring-token")], 1, &["`deny:`"]);
    Story::of(DB).with(forbids).passes();
    Story::of(DB).but(endless).but(VERIFIER).attached(DB_RULE).passes();
}

#[test]
fn a_token_that_ends_within_a_minute_is_a_warning_unless_the_profile_says_how_long_it_takes() {
    let lives = |seconds, renewable| {
        Story::of(DB).but(move |online| {
            (online.token.ttl, online.token.renewable) = (seconds, renewable);
        })
    };
    lives(59, false).ends(&[warning("expiring")], 0, &["ends in 59 s", "ttl_min"]);
    lives(60, false).passes();
    lives(59, true).passes();
    let rules = "    token: {ttl_min: 30s}\n";
    lives(59, false).with(rules).passes();
    lives(59, false).attached(DB_RULE).but(VERIFIER).passes();
}

#[test]
fn a_token_lives_long_enough_or_can_be_renewed_to() {
    let story = |change: fn(&mut Token)| {
        let rules = "    token: {ttl_min: 2h}\n";
        Story::of(DB).with(rules).but(move |online| change(&mut online.token))
    };
    let short = &[error("ttl-too-short")];
    story(|token| token.ttl = 7200).passes();
    story(|token| token.period = 3600).passes();
    story(|token| token.renewable = false).ends(
        short,
        1,
        &["lives 1h, and 2h", "can't be renewed"],
    );
    story(|token| token.batch = true).ends(short, 1, &["can't be renewed"]);
    story(|token| token.explicit_max_ttl = 5400).ends(short, 1, &["to 1h 30m at most"]);
    let note = &[note("ttl-too-short")];
    story(|_| {}).ends(note, 0, &["has to be renewed to reach 2h", "which isn't told"]);
    story(|token| token.explicit_max_ttl = 7200).ends(note, 0, &[]);
    // A verifier's token isn't the job's.
    story(|token| token.renewable = false).attached(DB_RULE).but(VERIFIER).passes();
}

#[test]
fn leases_last_as_long_as_the_role_says_or_else_the_mount() {
    let story = |lease: (u64, u64), mount: (u64, u64)| {
        Story::of(WAREHOUSE).need("warehouse", move |facts| {
            facts.lease = Ok(Lease { default_ttl: lease.0, max_ttl: lease.1 });
            let served = facts.mount.as_mut().expect("it is known");
            (served.default_ttl, served.max_ttl) = mount;
        })
    };
    let (hour, day) = (3600, 86_400);
    let short = error("ttl-too-short");
    story((hour, day), (0, 0)).passes();
    story((0, 0), (hour, day)).passes();
    story((600, day), (0, 0)).ends(&[short], 1, &["leases of 10m, and 1h are needed"]);
    story((0, day), (600, 0)).ends(&[short], 1, &["leases of 10m"]);
    story((hour, 2 * hour), (0, 0)).ends(&[short], 1, &["renewed until 2h, and 12h are needed"]);
    story((hour, 600), (0, 0)).ends(&[short, short], 1, &["leases of 10m", "until 10m"]);
    let unknown = error("unverifiable");
    story((0, day), (0, 0)).ends(&[unknown], 3, &["how long its leases last", "doesn't tell"]);
    story((hour, 0), (0, 0)).ends(&[unknown], 3, &["can be renewed", "set `default_ttl`"]);
    let no_mount = |facts: &mut NeedFacts| facts.mount = Err(UnknownReason::Forbidden);
    story((hour, day), (0, 0)).need("warehouse", no_mount).passes();
    story((0, day), (0, 0)).need("warehouse", no_mount).ends(&[unknown], 3, &["403"]);
}

#[test]
fn a_version_that_ends_within_the_horizon_is_a_warning() {
    let ends = |hours| {
        let deleted_at = Some(in_hours(hours));
        Story::of(DB)
            .need("db_creds", move |facts| facts.presence = Ok(Presence::Present { deleted_at }))
    };
    ends(24).ends(&[warning("expiring")], 0, &["at 2026-11-24T00:00:00Z", "write a new version"]);
    ends(31 * 24).passes();
}

#[test]
fn clocks_that_differ_by_more_than_a_minute_are_a_warning() {
    let ahead = |seconds| {
        let ahead = Some(SignedDuration::from_secs(seconds));
        Story::of(DB).but(move |online| online.server.clock_ahead = ahead)
    };
    ahead(60).passes();
    ahead(61).ends(&[warning("clock-skew")], 0, &["1m 1s ahead of this machine's"]);
    ahead(-7200).ends(&[warning("clock-skew")], 0, &["2h behind this machine's"]);
}
