//! Verdicts on a requirement: of the policies, and of a server that listed the capabilities of
//! a token.

use std::fmt;

use envlock_policy::explain::explain;
use envlock_policy::{
    self as policy, Acl, BlockId, Capabilities, Dialect, Request, RequiredApproval, RuleId,
    RuleOrigin, may_match,
};
use jiff::Timestamp;

use crate::facts::{ServerFacts, UnknownReason};
use crate::generate::required_capabilities;
use crate::requirement::Requirement;

/// How the policies answer one requirement on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVerdict {
    /// The server's way to read policies.
    pub dialect: Dialect,
    /// The answer.
    pub permission: Permission,
    /// Why.
    pub reason: Reason,
    /// The blocks of the deciding rule.
    pub rule: Vec<RuleOrigin>,
    /// The rules that match too, and that the deciding rule hides.
    pub hidden: Vec<RuleOrigin>,
    /// Who has to act before an allowed request is answered.
    pub required_approval: Option<RequiredApproval>,
    /// When the deciding rule ends.
    pub expires: Option<Timestamp>,
}

/// Yes, no, or it depends on the identity of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// The request is allowed.
    Allowed,
    /// The request is denied.
    Denied,
    /// A templated rule may match, and the identity isn't known.
    DependsOnIdentity,
}

/// Why a requirement is allowed or denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The decision of the policies.
    Decision(policy::DecisionReason),
    /// The endpoint is protected, and the rule doesn't grant `sudo`.
    SudoMissing,
    /// A templated rule may match, and the identity isn't known.
    UnknownIdentity,
}

impl Reason {
    /// Whether a condition of the rule denies the request, on parameters or wrapping. A server
    /// still lists the rule's capabilities.
    pub fn is_condition(&self) -> bool {
        matches!(self, Self::Decision(reason) if reason.is_condition())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decision(reason) => reason.fmt(f),
            Self::SudoMissing => {
                f.write_str("the endpoint is protected, and the rule doesn't grant sudo")
            }
            Self::UnknownIdentity => {
                f.write_str("a templated rule may match, and the identity isn't known")
            }
        }
    }
}

/// How `acl` answers `requirement`.
pub(crate) fn policy_verdict(acl: &Acl<'_>, requirement: &Requirement) -> PolicyVerdict {
    let dialect = acl.dialect();
    let request = Request::new(requirement.request.operation, &requirement.request.path);
    let decision = acl.decide(&request);
    let allowed = decision.allowed && (!requirement.sudo || decision.root_privs);
    let templates = deciding_templates(acl, decision.rule, requirement, allowed);
    if let Some(block) = templates.first() {
        return PolicyVerdict {
            dialect,
            permission: Permission::DependsOnIdentity,
            reason: Reason::UnknownIdentity,
            rule: vec![acl.block_origin(*block)],
            hidden: Vec::new(),
            required_approval: None,
            expires: None,
        };
    }
    let rule = decision.rule.map(|id| acl.rule(id));
    let expires = rule.and_then(policy::Rule::expires);
    if allowed {
        return PolicyVerdict {
            dialect,
            permission: Permission::Allowed,
            reason: Reason::Decision(decision.reason),
            rule: decision.rule.map(|id| acl.rule_origins(id)).unwrap_or_default(),
            hidden: Vec::new(),
            required_approval: rule.and_then(policy::Rule::required_approval),
            expires,
        };
    }
    let explained = explain(acl, &request);
    let sudo_missing = decision.allowed;
    PolicyVerdict {
        dialect,
        permission: Permission::Denied,
        reason: if sudo_missing { Reason::SudoMissing } else { Reason::Decision(decision.reason) },
        rule: explained.rule,
        hidden: explained.hidden,
        required_approval: None,
        expires,
    }
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
    let path = requirement.request.path.as_str();
    let exact = rule.is_some_and(|id| acl.rule(id).pattern() == path);
    let capability = required_capabilities(requirement);
    let candidates = acl.undecided_blocks().iter().copied().filter(|id| {
        let block = acl.block(*id);
        if exact && block.pattern().contains(['*', '+']) {
            return false;
        }
        let bare = path.strip_suffix('/');
        may_match(block.pattern(), path) || bare.is_some_and(|b| may_match(block.pattern(), b))
    });
    let changes = |id: &BlockId| {
        let block = acl.block(*id);
        let grants = capability.difference(block.capabilities()).is_empty();
        !(allowed && grants && block.is_unconditional())
    };
    let candidates: Vec<_> = candidates.collect();
    if candidates.iter().any(changes) { candidates } else { Vec::new() }
}

/// How a server answers one requirement, by the capabilities that it lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerVerdict {
    /// The request is allowed.
    Allowed,
    /// The request is denied; these capabilities are granted on its path.
    Denied(Capabilities),
    /// The server's answer doesn't contain the path: neither a yes nor a no.
    Omitted,
    /// The server gave no answer.
    Unavailable(UnknownReason),
}

/// How the server of `online` answers `requirement`. Paths are compared as they were requested.
/// Capabilities that envlock doesn't know belong to newer servers, and grant nothing here.
pub(crate) fn server_verdict(online: &ServerFacts, requirement: &Requirement) -> ServerVerdict {
    let paths = match &online.capabilities {
        Ok(paths) => paths,
        Err(unknown) => return ServerVerdict::Unavailable(*unknown),
    };
    let Some(names) = paths.get(&requirement.request.path) else { return ServerVerdict::Omitted };
    if names.contains("root") {
        return ServerVerdict::Allowed;
    }
    let granted: Capabilities = names.iter().filter_map(|name| name.parse().ok()).collect();
    let granted = if granted.contains_deny() { Capabilities::NONE } else { granted };
    if required_capabilities(requirement).difference(granted).is_empty() {
        ServerVerdict::Allowed
    } else {
        ServerVerdict::Denied(granted)
    }
}
