//! `ttl-too-short`: the token, or a lease, expires before the time that the manifest requires.

use envlock_report::{Code, Finding, Level};

use super::evaluation::OnlineEvaluation;
use super::lease::{self, LeaseCheck};
use super::state::NeedState;
use super::text::{describe_need, format_duration};
use crate::facts::Token;
use envlock_model::needs::validate::seconds;

const CODE: Code = Code::TtlTooShort;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    let rules = online.checked.profile.token.as_ref();
    let least = rules.and_then(|rules| seconds(rules.ttl_min.as_deref()?));
    if let (Some(token), Some(least)) = (online.job_token(), least) {
        findings
            .extend(check_token(token, least).map(|found| online.checked.profile_finding(found)));
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

/// Checks a token that must be valid for `least` seconds. A periodic token can be renewed without
/// end, unless it has an explicit max TTL.
fn check_token(token: &Token, least: u64) -> Option<Finding> {
    if token.expires.is_none() || token.ttl >= least {
        return None;
    }
    let (has, required) = (format_duration(token.ttl), format_duration(least));
    let help = "raise the TTL of the role's tokens (`token_ttl`, `token_max_ttl`), or require \
                less: `token: {ttl_min: …}`";
    let bounded = token.explicit_max_ttl > 0 && token.explicit_max_ttl < least;
    if !token.renewable || token.batch || bounded {
        let message = format!("the token is valid for {has}, and {required} are needed");
        let why = if token.renewable && !token.batch {
            let most = format_duration(token.explicit_max_ttl);
            format!("it can be renewed up to {most}, its explicit_max_ttl")
        } else {
            "it can't be renewed".to_owned()
        };
        return Some(Finding::new(CODE, message).with_note(why).with_help(help));
    }
    if token.period > 0 {
        return None;
    }
    let message = format!("the token is valid for {has}, and must be renewed to reach {required}");
    let finding = Finding::new(CODE, message)
        .at_level(Level::Note)
        .with_note("its auth mount also limits the renewal, and that limit can't be read")
        .with_help("let the job renew it, or raise `token_ttl` of its role");
    Some(finding)
}
