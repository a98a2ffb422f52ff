//! The lifetime of tokens, leases and versions.

use envlock_secrets::facts::{Lease, NeedFacts, Presence, ServerFacts, Token, UnknownReason};
use jiff::SignedDuration;

use crate::scenario::{DB, DB_RULE, Scenario, VERIFIER, WAREHOUSE, error, in_hours, note, warning};

#[test]
fn a_token_that_never_expires_is_a_warning_or_an_error_by_the_profile() {
    let endless = |online: &mut ServerFacts| online.token.expires = None;
    let forbids = "    token: {ttl_min: 15m, forbid: [non_expiring]}\n";
    let denies = "deny: [non-expiring-token]\n";
    Scenario::with_needs(DB).with_facts(endless).expect_findings(
        &[warning("non-expiring-token")],
        0,
        &["never expires"],
    );
    Scenario::with_needs(DB).with_lines(forbids).with_facts(endless).expect_findings(
        &[error("non-expiring-token")],
        1,
        &[],
    );
    Scenario::with_needs(DB).with_lines(denies).with_facts(endless).expect_findings(
        &[error("non-expiring-token")],
        1,
        &["`deny:`"],
    );
    Scenario::with_needs(DB).with_lines(forbids).expect_no_findings();
    Scenario::with_needs(DB)
        .with_facts(endless)
        .with_facts(VERIFIER)
        .with_policy(DB_RULE)
        .expect_no_findings();
}

#[test]
fn a_token_that_expires_within_a_minute_is_a_warning_unless_the_profile_has_a_ttl_min() {
    let lives = |seconds, renewable| {
        Scenario::with_needs(DB).with_facts(move |online| {
            (online.token.ttl, online.token.renewable) = (seconds, renewable);
        })
    };
    lives(59, false).expect_findings(
        &[warning("expires-soon")],
        0,
        &["expires in 59 s", "`job: 15m`"],
    );
    lives(60, false).expect_no_findings();
    lives(59, true).expect_findings(&[warning("expires-soon")], 0, &["only if the job renews it"]);
    // The role has token_explicit_max_ttl=45s, or a period of 30 s.
    lives(45, true).with_facts(|online| online.token.explicit_max_ttl = 45).expect_findings(
        &[warning("expires-soon")],
        0,
        &["expires in 45 s", "after 45s in any case"],
    );
    lives(29, true).with_facts(|online| online.token.period = 30).expect_findings(
        &[warning("expires-soon")],
        0,
        &["expires in 29 s"],
    );
    lives(59, true).with_lines("    job: 50s\n").expect_no_findings();
    let rules = "    token: {ttl_min: 30s}\n";
    lives(59, false).with_lines(rules).expect_no_findings();
    lives(59, false).with_policy(DB_RULE).with_facts(VERIFIER).expect_no_findings();
}

#[test]
fn a_token_must_be_valid_long_enough_or_be_renewable() {
    let scenario = |change: fn(&mut Token)| {
        let rules = "    token: {ttl_min: 2h}\n";
        Scenario::with_needs(DB)
            .with_lines(rules)
            .with_facts(move |online| change(&mut online.token))
    };
    let short = &[error("ttl-too-short")];
    scenario(|token| token.ttl = 7200).expect_no_findings();
    scenario(|token| token.period = 3600).expect_no_findings();
    scenario(|token| token.renewable = false).expect_findings(
        short,
        1,
        &["is valid for 1h, and 2h", "can't be renewed"],
    );
    scenario(|token| token.batch = true).expect_findings(short, 1, &["can't be renewed"]);
    scenario(|token| token.explicit_max_ttl = 5400).expect_findings(short, 1, &["up to 1h 30m"]);
    let note = &[note("ttl-too-short")];
    scenario(|_| {}).expect_findings(
        note,
        0,
        &["must be renewed to reach 2h", "that limit can't be read"],
    );
    scenario(|token| token.explicit_max_ttl = 7200).expect_findings(note, 0, &[]);
    // A presence check's token isn't the job's.
    scenario(|token| token.renewable = false)
        .with_policy(DB_RULE)
        .with_facts(VERIFIER)
        .expect_no_findings();
}

#[test]
fn a_job_and_the_lease_of_a_need_last_no_longer_than_the_token_can() {
    let job = |change: fn(&mut Token)| {
        Scenario::with_needs(DB)
            .with_lines("    job: 8h\n")
            .with_facts(move |online| change(&mut online.token))
    };
    let short = &[error("ttl-too-short")];
    job(|token| token.ttl = 28_800).expect_no_findings();
    job(|token| token.expires = None).expect_findings(&[warning("non-expiring-token")], 0, &[]);
    job(|token| token.period = 600).expect_no_findings();
    job(|token| token.mount_max_ttl = 86_400).expect_no_findings();
    job(|_| {}).expect_findings(&[note("ttl-too-short")], 0, &["must be renewed to reach 8h"]);
    job(|token| token.renewable = false).expect_findings(short, 1, &["and the job takes 8h"]);
    job(|token| token.explicit_max_ttl = 7200).expect_findings(short, 1, &["its explicit_max_ttl"]);
    job(|token| token.mount_max_ttl = 7200).expect_findings(
        short,
        1,
        &["up to 2h, the max_lease_ttl of its auth mount"],
    );
    // A limit of its own also ends a periodic token; the mount's doesn't.
    let periodic = |token: &mut Token| (token.period, token.mount_max_ttl) = (600, 7200);
    job(periodic).expect_no_findings();
    let both = |token: &mut Token| (token.period, token.explicit_max_ttl) = (600, 7200);
    job(both).expect_findings(short, 1, &[]);
    // One finding, not a warning about the same token in addition.
    let seconds = |token: &mut Token| (token.ttl, token.explicit_max_ttl) = (45, 45);
    job(seconds).expect_findings(short, 1, &["is valid for 45s, and the job takes 8h"]);

    let leases = |change: fn(&mut Token)| {
        Scenario::with_needs(WAREHOUSE).with_facts(move |online| change(&mut online.token))
    };
    leases(|token| token.ttl = 43_200).expect_no_findings();
    leases(|token| token.period = 600).expect_no_findings();
    leases(|token| token.renewable = false).expect_findings(
        short,
        1,
        &["the lease of warehouse, which ends with it, must last 12h"],
    );
}

#[test]
fn the_ttl_of_leases_is_that_of_the_role_or_else_of_the_mount() {
    let scenario = |lease: (u64, u64), mount: (u64, u64)| {
        Scenario::with_needs(WAREHOUSE).with_need_facts("warehouse", move |facts| {
            facts.lease = Ok(Lease { default_ttl: lease.0, max_ttl: lease.1 });
            let served = facts.mount.as_mut().expect("the mount is known");
            (served.default_ttl, served.max_ttl) = mount;
        })
    };
    let (hour, day) = (3600, 86_400);
    let short = error("ttl-too-short");
    scenario((hour, day), (0, 0)).expect_no_findings();
    scenario((0, 0), (hour, day)).expect_no_findings();
    scenario((600, day), (0, 0)).expect_findings(
        &[short],
        1,
        &["leases of 10m, and 1h are needed"],
    );
    scenario((0, day), (600, 0)).expect_findings(&[short], 1, &["leases of 10m"]);
    scenario((hour, 2 * hour), (0, 0)).expect_findings(
        &[short],
        1,
        &["renewed until 2h, and 12h are needed"],
    );
    scenario((hour, 600), (0, 0)).expect_findings(
        &[short, short],
        1,
        &["leases of 10m", "until 10m"],
    );
    let unknown = error("unverifiable");
    scenario((0, day), (0, 0)).expect_findings(
        &[unknown],
        3,
        &["how long its leases last", "can't be read"],
    );
    scenario((hour, 0), (0, 0)).expect_findings(
        &[unknown],
        3,
        &["can be renewed", "set `default_ttl`"],
    );
    let no_mount = |facts: &mut NeedFacts| facts.mount = Err(UnknownReason::Forbidden);
    scenario((hour, day), (0, 0)).with_need_facts("warehouse", no_mount).expect_no_findings();
    scenario((0, day), (0, 0)).with_need_facts("warehouse", no_mount).expect_findings(
        &[unknown],
        3,
        &["403"],
    );
}

#[test]
fn a_version_that_expires_within_the_horizon_is_a_warning() {
    let ends = |hours| {
        let deleted_at = Some(in_hours(hours));
        Scenario::with_needs(DB).with_need_facts("db_creds", move |facts| {
            facts.presence = Ok(Presence::Present { deleted_at });
        })
    };
    ends(24).expect_findings(
        &[warning("expires-soon")],
        0,
        &["at 2026-11-24T00:00:00Z", "write a new version"],
    );
    ends(31 * 24).expect_no_findings();
}

#[test]
fn clocks_that_differ_by_more_than_a_minute_are_a_warning() {
    let ahead = |seconds| {
        let ahead = Some(SignedDuration::from_secs(seconds));
        Scenario::with_needs(DB).with_facts(move |online| online.server.clock_ahead = ahead)
    };
    ahead(60).expect_no_findings();
    ahead(61).expect_findings(&[warning("clock-skew")], 0, &["1m 1s ahead of this machine's"]);
    ahead(-7200).expect_findings(&[warning("clock-skew")], 0, &["2h behind this machine's"]);
}
