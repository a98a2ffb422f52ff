//! `root-token`, `non-expiring-token` and `expires-soon`: the token has the policy `root`, never expires,
//! or expires too soon.

use envlock_report::{Code, Finding, Level};

use super::evaluation::OnlineEvaluation;
use super::text::format_duration;
use super::ttl_too_short;
use crate::facts::{Token, program};
use crate::manifest::{ForbiddenToken, ResolvedProfile};
use crate::token_life::{self, LifeLimit, TokenDemand, TokenLife};

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    let profile = online.checked.profile;
    let forbids = |what| profile.token.as_ref().is_some_and(|rules| rules.forbid.contains(&what));
    if online.is_root() {
        // A profile that attaches root is reported already.
        if !profile.attach.iter().any(|(name, _)| name == "root") {
            let development = profile.allow_plaintext_loopback && !forbids(ForbiddenToken::Root);
            findings.push(root(online, development));
        }
        return;
    }
    let job = online.job_token().filter(|token| is_ending(token, profile));
    if let Some(token) = job.filter(|token| !ttl_too_short::is_too_short(online, token)) {
        let message = format!("the token of profile {} expires in {} s", profile.name, token.ttl);
        let why = match TokenLife::of(token) {
            TokenLife::AtMost(_, LifeLimit::NotRenewable) => "it can't be renewed".to_owned(),
            TokenLife::AtMost(most, _) => {
                format!("it can be renewed, and ends after {} in any case", format_duration(most))
            }
            TokenLife::Renewable | TokenLife::Unlimited => {
                "it lasts longer only if the job renews it in this time".to_owned()
            }
        };
        let finding = Finding::new(Code::ExpiresSoon, message).with_note(why).with_help(
            "give the login's role a longer TTL, and declare how long the job takes, as in \
             `job: 15m`",
        );
        findings.push(online.checked.profile_finding(finding));
    }
    if online.job_token().is_some_and(|token| token.expires.is_none()) {
        let message = format!("the token of profile {} never expires", profile.name);
        let mut finding = Finding::new(Code::NonExpiringToken, message).with_help(format!(
            "log in with an auth method, or create a token that expires: `{} token create -ttl=1h`",
            program(online.facts.server.product)
        ));
        if forbids(ForbiddenToken::NonExpiring) {
            finding.level = Level::Error;
            finding.add_note("the profile forbids it: `forbid: [non_expiring]`");
        }
        findings.push(online.checked.profile_finding(finding));
    }
}

/// The shortest token TTL, in seconds, without a finding: few jobs end within a minute.
const SOON: u64 = 60;

/// Whether the token ends soon, and the profile doesn't say that this is long enough.
fn is_ending(token: &Token, profile: &ResolvedProfile) -> bool {
    let enough = token_life::demands(profile).into_iter().any(|(demand, least)| {
        matches!(demand, TokenDemand::TtlMin | TokenDemand::Job) && least <= token.ttl
    });
    token.expires.is_some() && token.ttl < SOON && !enough
}

fn root(online: &OnlineEvaluation<'_>, development: bool) -> Finding {
    let name = &online.checked.profile.name;
    let message =
        format!("the token of profile {name} has the policy root, which allows everything");
    let mut finding = Finding::new(Code::RootToken, message)
        .with_note("the server allows this token everything, which proves nothing about the needs")
        .with_help(format!(
            "use a token with a specific policy: `envlock policy generate` writes it, \
             `{} token create -policy=NAME` makes the token",
            program(online.facts.server.product)
        ));
    if development {
        finding.level = Level::Warning;
        let note = "the initial token of a development server has it; `forbid: [root]` makes this an error";
        finding.add_note(note);
    }
    online.checked.profile_finding(finding)
}
