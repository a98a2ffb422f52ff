//! `root-token`, `non-expiring-token` and `expiring`, by the token: it can do too much, or lives too
//! long or hardly at all.

use envlock_report::{Code, Finding, Level};

use super::evaluation::OnlineEvaluation;
use crate::facts::Token;
use crate::manifest::ForbiddenToken;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    let profile = online.scope.profile;
    let forbids = |what| profile.token.as_ref().is_some_and(|rules| rules.forbid.contains(&what));
    if online.is_root() {
        // A profile that attaches root was told so already.
        if !profile.attach.iter().any(|(name, _)| name == "root") {
            let development = profile.allow_plaintext_loopback && !forbids(ForbiddenToken::Root);
            findings.push(root(online, development));
        }
        return;
    }
    let says_how_long = profile.token.as_ref().is_some_and(|rules| rules.ttl_min.is_some());
    let job = online.job_token().filter(|token| !says_how_long && is_ending(token));
    if let Some(token) = job {
        let message = format!("the token of profile {} ends in {} s", profile.name, token.ttl);
        let finding = Finding::new(Code::Expiring, message).with_help(
            "give the login's role a longer TTL, and say what the job takes: \
             `token: {ttl_min: 15m}`",
        );
        findings.push(online.scope.profile_finding(finding));
    }
    if online.job_token().is_some_and(|token| token.expires.is_none()) {
        let message = format!("the token of profile {} never ends", profile.name);
        let mut finding = Finding::new(Code::NonExpiringToken, message).with_help(
            "log in with an auth method, or make a token that ends: `vault token create -ttl=1h`",
        );
        if forbids(ForbiddenToken::NonExpiring) {
            finding.level = Level::Error;
            finding.notes.push("the profile forbids it: `forbid: [non_expiring]`".to_owned());
        }
        findings.push(online.scope.profile_finding(finding));
    }
}

/// Hardly any job is done in a minute; one that is can't be told from one that isn't.
const SOON: u64 = 60;

fn is_ending(token: &Token) -> bool {
    token.expires.is_some() && token.ttl < SOON && !token.renewable
}

fn root(online: &OnlineEvaluation<'_>, development: bool) -> Finding {
    let name = &online.scope.profile.name;
    let message =
        format!("the token of profile {name} has the policy root, which allows everything");
    let mut finding = Finding::new(Code::RootToken, message)
        .with_note("that the server allows it everything proves nothing about the needs")
        .with_help(
            "use a token with a policy of its own: `envlock policy generate` writes it, \
             `vault token create -policy=NAME` makes the token",
        );
    if development {
        finding.level = Level::Warning;
        let note = "a development server's own token is one; `forbid: [root]` refuses it here too";
        finding.notes.push(note.to_owned());
    }
    online.scope.profile_finding(finding)
}
