//! `root-token`, `non-expiring-token` and `expiring`: the token has the policy `root`, never expires,
//! or expires too soon.

use envlock_report::{Code, Finding, Level};

use super::evaluation::OnlineEvaluation;
use crate::facts::Token;
use crate::manifest::ForbiddenToken;

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
    let declares_ttl = profile.token.as_ref().is_some_and(|rules| rules.ttl_min.is_some());
    let job = online.job_token().filter(|token| !declares_ttl && is_ending(token));
    if let Some(token) = job {
        let message = format!("the token of profile {} expires in {} s", profile.name, token.ttl);
        let finding = Finding::new(Code::Expiring, message).with_help(
            "give the login's role a longer TTL, and declare how long the job takes: \
             `token: {ttl_min: 15m}`",
        );
        findings.push(online.checked.profile_finding(finding));
    }
    if online.job_token().is_some_and(|token| token.expires.is_none()) {
        let message = format!("the token of profile {} never expires", profile.name);
        let mut finding = Finding::new(Code::NonExpiringToken, message).with_help(
            "log in with an auth method, or create a token that expires: `vault token create -ttl=1h`",
        );
        if forbids(ForbiddenToken::NonExpiring) {
            finding.level = Level::Error;
            finding.add_note("the profile forbids it: `forbid: [non_expiring]`");
        }
        findings.push(online.checked.profile_finding(finding));
    }
}

/// The shortest token TTL, in seconds, without a finding: few jobs end within a minute.
const SOON: u64 = 60;

fn is_ending(token: &Token) -> bool {
    token.expires.is_some() && token.ttl < SOON && !token.renewable
}

fn root(online: &OnlineEvaluation<'_>, development: bool) -> Finding {
    let name = &online.checked.profile.name;
    let message =
        format!("the token of profile {name} has the policy root, which allows everything");
    let mut finding = Finding::new(Code::RootToken, message)
        .with_note("the server allows this token everything, which proves nothing about the needs")
        .with_help(
            "use a token with a specific policy: `envlock policy generate` writes it, \
             `vault token create -policy=NAME` makes the token",
        );
    if development {
        finding.level = Level::Warning;
        let note = "the initial token of a development server has it; `forbid: [root]` makes this an error";
        finding.add_note(note);
    }
    online.checked.profile_finding(finding)
}
