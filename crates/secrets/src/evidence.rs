//! What is known about each requirement, wherever it is known from: offline, from policies;
//! online, from what a server says of the capabilities of a token.

use jiff::Timestamp;

use crate::facts::{Online, Unknown};
use crate::generate::taken;
use crate::requirement::Requirement;
use envlock_policy::explain::explain;
use envlock_policy::{Acl, BlockId, Capabilities, Dialect, Request, RuleId, RuleOrigin, may_match};

/// What one server says to one requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The server's way to read policies.
    pub dialect: Dialect,
    /// Its answer.
    pub answer: Answer,
    /// Why, as a sentence.
    pub reason: String,
    /// The blocks of the deciding rule.
    pub rule: Vec<RuleOrigin>,
    /// The rules that match too and have no say.
    pub hidden: Vec<RuleOrigin>,
    /// Who has to act before the answer comes, though it is allowed.
    pub waits_for: Option<&'static str>,
    /// When the deciding rule ends.
    pub ends: Option<Timestamp>,
    /// Whether it is refused by a condition of the rule, on parameters or wrapping: servers
    /// tell the rule's capabilities all the same.
    pub by_condition: bool,
}

/// Yes, no, or nobody can say without knowing who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The request is let through.
    Allowed,
    /// It isn't.
    Denied,
    /// It hangs on who asks: a templated rule may match.
    DependsOnIdentity,
}

/// What `acl` says to `requirement`.
pub(crate) fn verdict(acl: &Acl<'_>, dialect: Dialect, requirement: &Requirement) -> Verdict {
    let request = Request::new(requirement.access.operation, &requirement.access.path);
    let decision = acl.decide(&request);
    let allowed = decision.allowed && (!requirement.sudo || decision.root_privs);
    let rule = decision.rule.map(|id| acl.rule(id));
    let waits_for = rule.filter(|_| allowed).and_then(|rule| match rule {
        rule if rule.mfa => Some("a person who confirms (mfa_methods)"),
        rule if rule.control_group => Some("others who approve (control_group)"),
        _ => None,
    });
    let ends = rule.and_then(|rule| rule.expires);
    let unless_known = if allowed { Answer::Allowed } else { Answer::Denied };
    let templates = deciding_templates(acl, decision.rule, requirement, allowed);
    if let Some(block) = templates.first() {
        return Verdict {
            dialect,
            answer: Answer::DependsOnIdentity,
            reason: "a templated rule may match, and who asks isn't known".to_owned(),
            rule: vec![acl.origin(*block)],
            hidden: Vec::new(),
            waits_for: None,
            ends: None,
            by_condition: false,
        };
    }
    if allowed {
        let rule = decision.rule.map(|id| acl.origins(id)).unwrap_or_default();
        let reason = decision.reason.to_string();
        let hidden = Vec::new();
        return Verdict {
            dialect,
            answer: unless_known,
            reason,
            rule,
            hidden,
            waits_for,
            ends,
            by_condition: false,
        };
    }
    let explained = explain(acl, &request);
    let reason = if decision.allowed {
        "the endpoint is protected, and the rule doesn't grant sudo".to_owned()
    } else {
        explained.reason
    };
    let (rule, hidden) = (explained.rule, explained.hidden);
    let by_condition = decision.reason.is_condition();
    Verdict { dialect, answer: unless_known, reason, rule, hidden, waits_for, ends, by_condition }
}

/// The templated blocks that could change the answer, for some identity. An exact rule for
/// the path can be changed only by a template that may become the same exact pattern; and
/// templates that grant the same without conditions change nothing.
fn deciding_templates(
    acl: &Acl<'_>,
    rule: Option<RuleId>,
    requirement: &Requirement,
    allowed: bool,
) -> Vec<BlockId> {
    let path = requirement.access.path.as_str();
    let exact = rule.is_some_and(|id| acl.rule(id).pattern.written() == path);
    let capability = taken(requirement);
    let candidates = acl.undecided().iter().copied().filter(|id| {
        let block = acl.block(*id);
        if exact && block.pattern.contains(['*', '+']) {
            return false;
        }
        let bare = path.strip_suffix('/');
        may_match(&block.pattern, path) || bare.is_some_and(|b| may_match(&block.pattern, b))
    });
    let changes = |id: &BlockId| {
        let block = acl.block(*id);
        let grants = capability.without(block.capabilities).is_empty();
        !(allowed && grants && block.is_unconditional())
    };
    let candidates: Vec<_> = candidates.collect();
    if candidates.iter().any(changes) { candidates } else { Vec::new() }
}

/// What a server says to one requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The request is let through.
    Allowed,
    /// It isn't; these are granted on its path.
    Denied(Capabilities),
    /// The server answered, and left the path out: neither a yes nor a no.
    LeftOut,
    /// The server told nothing.
    Untold(Unknown),
}

/// What the server of `online` says to `requirement`. Paths are matched as they were asked.
/// Capabilities that envlock doesn't know are of newer servers, and grant nothing here.
pub(crate) fn heard(online: &Online, requirement: &Requirement) -> Heard {
    let paths = match &online.capabilities {
        Ok(paths) => paths,
        Err(unknown) => return Heard::Untold(*unknown),
    };
    let Some(names) = paths.get(&requirement.access.path) else { return Heard::LeftOut };
    if names.contains("root") {
        return Heard::Allowed;
    }
    let granted: Capabilities = names.iter().filter_map(|name| name.parse().ok()).collect();
    let granted = if granted.denies() { Capabilities::NONE } else { granted };
    if taken(requirement).without(granted).is_empty() {
        Heard::Allowed
    } else {
        Heard::Denied(granted)
    }
}
