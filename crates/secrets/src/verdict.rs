//! Verdicts on a request of a need: of the policies, and of a server that listed a token's capabilities.

use std::fmt;

use envlock_policy::{
    self as policy, Acl, BlockId, Capabilities, Dialect, Request, RequiredApproval, RuleId,
    RuleOrigin, Unknown,
};
use jiff::Timestamp;

use crate::facts::{ServerFacts, UnknownReason};
use crate::generate::required_capabilities;
use crate::need_request::NeedRequest;

/// The verdict of the policies on one request of a need on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyVerdict {
    /// The server version whose policy rules are followed.
    pub dialect: Dialect,
    /// Whether the request is allowed.
    pub permission: Permission,
    /// The reason.
    pub reason: Reason,
    /// The first blocks of the deciding rule.
    pub rule: Vec<RuleOrigin>,
    /// The first of the other rules that match, which the deciding rule overrides.
    pub hidden: Vec<RuleOrigin>,
    /// The number of hidden rules that aren't in `hidden`.
    pub more_hidden: usize,
    /// The action of another person that an allowed request requires.
    pub required_approval: Option<RequiredApproval>,
    /// The expiration time of the deciding rule.
    pub expires: Option<Timestamp>,
}

/// Whether a request is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// The request is allowed.
    Allowed,
    /// The request is denied.
    Denied,
    /// A templated rule may match, and the identity is unknown.
    DependsOnIdentity,
    /// The rule allows some of the requests that the job may send, and denies others.
    DependsOnParameters,
}

/// Why a request of a need is allowed or denied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The decision of the policies.
    Decision(policy::DecisionReason),
    /// A templated rule may match, and the identity is unknown.
    UnknownIdentity,
    /// The rule has conditions on parameters that aren't known.
    UnknownParameters(Vec<Unknown>),
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
            Self::UnknownIdentity => {
                f.write_str("a templated rule may match, and the identity is unknown")
            }
            Self::UnknownParameters(unknowns) => {
                let unknowns: Vec<_> = unknowns.iter().map(ToString::to_string).collect();
                write!(f, "it depends on {}", unknowns.join(", and on "))
            }
        }
    }
}

/// The verdict of `acl` on `need_request`.
pub(crate) fn policy_verdict(acl: &Acl<'_>, need_request: &NeedRequest) -> PolicyVerdict {
    let dialect = acl.dialect();
    let wrap_ttl =
        need_request.wrap_ttl.map(|ttl| f64::from(u32::try_from(ttl).unwrap_or(u32::MAX)));
    let request = Request::new(need_request.request.operation, &need_request.request.path);
    let request = Request { wrap_ttl, ..request };
    let policy::PartialDecision { allowed, mut decision, unknowns } =
        acl.decide_partial(&request, &need_request.bodies);
    let mut permission = match allowed {
        Some(true) => Permission::Allowed,
        Some(false) => Permission::Denied,
        None => Permission::DependsOnParameters,
    };
    if permission != Permission::Denied && need_request.sudo && !decision.grants_sudo {
        permission = Permission::Denied;
        decision.reason = policy::DecisionReason::SudoMissing;
    }
    let allowed = permission == Permission::Allowed;
    let templates = deciding_templates(acl, decision.rule, need_request, allowed);
    if let Some(block) = templates.first() {
        return PolicyVerdict {
            dialect,
            permission: Permission::DependsOnIdentity,
            reason: Reason::UnknownIdentity,
            rule: vec![acl.block_origin(*block)],
            hidden: Vec::new(),
            more_hidden: 0,
            required_approval: None,
            expires: None,
        };
    }
    let rule = decision.rule.map(|id| acl.rule(id));
    let deciding = decision.rule.map(|id| acl.first_rule_origins(id, SHOWN_RULES));
    let deciding = deciding.unwrap_or_default();
    let expires = rule.and_then(policy::Rule::expires);
    if allowed {
        return PolicyVerdict {
            dialect,
            permission: Permission::Allowed,
            reason: Reason::Decision(decision.reason),
            rule: deciding,
            hidden: Vec::new(),
            more_hidden: 0,
            required_approval: rule.and_then(policy::Rule::required_approval),
            expires,
        };
    }
    let listing = need_request.request.operation.tries_path_without_slash(dialect);
    let hidden = decision.rule.map(|id| acl.hidden_rules(request.path, listing, id));
    let hidden = hidden.unwrap_or_default();
    let shown = hidden.iter().take(SHOWN_RULES);
    let reason = match permission {
        Permission::DependsOnParameters => Reason::UnknownParameters(unknowns),
        _ => Reason::Decision(decision.reason),
    };
    PolicyVerdict {
        dialect,
        permission,
        reason,
        rule: deciding,
        hidden: shown.flat_map(|rule| acl.first_rule_origins(*rule, 1)).collect(),
        more_hidden: hidden.len().saturating_sub(SHOWN_RULES),
        required_approval: None,
        expires,
    }
}

/// The maximum number of rules, and of blocks of a rule, that a verdict names: a hostile policy can have
/// a hundred thousand that match one path.
const SHOWN_RULES: usize = 5;

/// The templated blocks that could change the verdict, for some identity. A template changes an
/// exact rule only if it may expand to the same exact pattern; and templates that grant the same
/// without conditions change nothing.
fn deciding_templates(
    acl: &Acl<'_>,
    rule: Option<RuleId>,
    need_request: &NeedRequest,
    allowed: bool,
) -> Vec<BlockId> {
    let path = need_request.request.path.as_str();
    let exact = rule.is_some_and(|id| acl.is_exactly(id, path));
    let capability = required_capabilities(need_request);
    let candidates = acl.undecided_blocks().iter().copied().filter(|id| {
        let block = acl.block(*id);
        if exact && block.pattern().contains(['*', '+']) {
            return false;
        }
        let bare = path.strip_suffix('/');
        acl.block_may_match(*id, path) || bare.is_some_and(|bare| acl.block_may_match(*id, bare))
    });
    let changes = |id: &BlockId| {
        let block = acl.block(*id);
        let grants = capability.difference(block.capabilities()).is_empty();
        !(allowed && grants && block.is_unconditional())
    };
    let candidates: Vec<_> = candidates.collect();
    if candidates.iter().any(changes) { candidates } else { Vec::new() }
}

/// A server's verdict on one request of a need, by the capabilities that it lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerVerdict {
    /// The request is allowed.
    Allowed,
    /// The request is denied. These capabilities are granted on its path.
    Denied(Capabilities),
    /// The server's answer doesn't contain the path, so the verdict is unknown.
    Omitted,
    /// The server gave no answer.
    Unavailable(UnknownReason),
}

/// The verdict of the server of `online` on `need_request`. Paths are compared as they were
/// requested. Unknown capabilities belong to newer servers, and grant nothing here.
pub(crate) fn server_verdict(online: &ServerFacts, need_request: &NeedRequest) -> ServerVerdict {
    let paths = match &online.capabilities {
        Ok(paths) => paths,
        Err(unknown) => return ServerVerdict::Unavailable(*unknown),
    };
    let Some(names) = paths.get(&need_request.request.path) else { return ServerVerdict::Omitted };
    if names.contains("root") {
        return ServerVerdict::Allowed;
    }
    let granted: Capabilities = names.iter().filter_map(|name| name.parse().ok()).collect();
    let granted = if granted.contains_deny() { Capabilities::NONE } else { granted };
    if required_capabilities(need_request).difference(granted).is_empty() {
        ServerVerdict::Allowed
    } else {
        ServerVerdict::Denied(granted)
    }
}
