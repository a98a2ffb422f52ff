//! `ttl-too-short`: the token, or a lease, expires before the time that the manifest requires.

use envlock_report::{Code, Finding, Level};

use super::evaluation::OnlineEvaluation;
use super::lease::{self, LeaseCheck};
use super::state::NeedState;
use super::text::{describe_need, format_duration};
use crate::facts::Token;
use crate::token_life::{self, LifeLimit, TokenDemand, TokenLife};

const CODE: Code = Code::TtlTooShort;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (demand, least) in token_life::demands(online.checked.profile) {
        let Some(token) = online.job_token() else { break };
        let Some(finding) = check_token(token, &demand, least) else { continue };
        findings.push(match &demand {
            TokenDemand::Lease(need) => online.checked.finding(need, finding),
            TokenDemand::TtlMin | TokenDemand::Job => online.checked.profile_finding(finding),
        });
    }
    for (resolved, state) in online.needs() {
        let (NeedState::Present { .. } | NeedState::Unknown, Some(facts)) =
            (state, online.need_facts(&resolved.name))
        else {
            continue;
        };
        let need = &resolved.need;
        if let Some(LeaseCheck::TooShort { required, actual }) =
            lease::check_initial_ttl(need, facts)
        {
            let (required, actual) = (format_duration(required), format_duration(actual));
            let message = format!(
                "{} gives leases of {actual}, and {required} are needed",
                describe_need(need)
            );
            let finding = Finding::new(CODE, message)
                .with_help("raise the role's `default_ttl`, or require less: `ttl: {min: …}`");
            findings.push(online.checked.finding(&resolved.name, finding));
        }
        if let Some(LeaseCheck::TooShort { required, actual }) = lease::check_renewal(need, facts) {
            let (required, actual) = (format_duration(required), format_duration(actual));
            let message = format!(
                "leases of {} can be renewed until {actual}, and {required} are needed",
                describe_need(need)
            );
            let finding = Finding::new(CODE, message)
                .with_help("raise the role's `max_ttl`, or require less: `ttl: {renew: until …}`");
            findings.push(online.checked.finding(&resolved.name, finding));
        }
    }
}

/// Whether a demand of the profile is more than its token can last.
pub(super) fn is_too_short(online: &OnlineEvaluation<'_>, token: &Token) -> bool {
    token_life::demands(online.checked.profile).into_iter().any(
        |(_, least)| matches!(TokenLife::of(token), TokenLife::AtMost(most, _) if most < least),
    )
}

/// Checks a token that must last `least` seconds.
fn check_token(token: &Token, demand: &TokenDemand, least: u64) -> Option<Finding> {
    let life = TokenLife::of(token);
    if life == TokenLife::Unlimited || token.ttl >= least {
        return None;
    }
    let (has, required) = (format_duration(token.ttl), format_duration(least));
    let wanted = match demand {
        TokenDemand::TtlMin => format!("{required} are needed"),
        TokenDemand::Job => format!("the job takes {required}"),
        TokenDemand::Lease(need) => {
            format!("the lease of {need}, which ends with it, must last {required}")
        }
    };
    let less = match demand {
        TokenDemand::TtlMin => "`token: {ttl_min: …}`",
        TokenDemand::Job => "`job: …`",
        TokenDemand::Lease(_) => "`ttl: …`",
    };
    let help = format!(
        "raise the TTL of the role's tokens (`token_ttl`, `token_max_ttl`, \
         `token_explicit_max_ttl`, or a `token_period`), or require less: {less}"
    );
    match life {
        TokenLife::AtMost(most, limit) if most < least => {
            let message = format!("the token is valid for {has}, and {wanted}");
            let most = format_duration(most);
            let why = match limit {
                LifeLimit::NotRenewable => "it can't be renewed".to_owned(),
                LifeLimit::ExplicitMaxTtl => {
                    format!("it can be renewed up to {most}, its explicit_max_ttl")
                }
                LifeLimit::Mount => {
                    format!("it can be renewed up to {most}, the max_lease_ttl of its auth mount")
                }
            };
            Some(Finding::new(CODE, message).with_note(why).with_help(help))
        }
        // What the auth mount allows is known to be enough.
        TokenLife::AtMost(..) if token.mount_max_ttl > 0 || token.period > 0 => None,
        _ if matches!(demand, TokenDemand::Lease(_)) => None,
        _ => {
            let message =
                format!("the token is valid for {has}, and must be renewed to reach {required}");
            let finding = Finding::new(CODE, message)
                .at_level(Level::Note)
                .with_note("its auth mount also limits the renewal, and that limit can't be read")
                .with_help("let the job renew it, or raise `token_ttl` of its role");
            Some(finding)
        }
    }
}
