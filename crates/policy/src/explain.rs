//! Explains a decision: the deciding rule, the rules that it overrides, and further conditions.

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::acl::{Acl, RuleId, RuleOrigin};
use super::block::Parameters;
use super::capability::Capability;
pub use super::choice::RuleChoice;
use super::decide::DecisionReason;
use super::dialect::Dialect;
use super::partial_body::{PartialBody, PartialDecision, Unknown};
use super::protected::may_be_protected_by_pki;
use super::request::Request;
use super::rule::{RequiredApproval, Rule};

/// The answer of one server to one request, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The server version whose policy rules are followed.
    pub dialect: Dialect,
    /// The operation of the request.
    pub operation: &'static str,
    /// The path of the request.
    pub path: String,
    /// Whether it is allowed, whatever the parts of it that aren't known.
    pub allowed: bool,
    /// What the answer depends on: parameters that aren't known. Empty if it is certain.
    #[serde(serialize_with = "texts")]
    pub depends_on: Vec<Unknown>,
    /// The reason.
    #[serde(serialize_with = "text")]
    pub reason: DecisionReason,
    /// The answer of `capabilities-self` for the path.
    pub capabilities: Vec<&'static str>,
    /// The blocks of the deciding rule.
    pub rule: Vec<RuleOrigin>,
    /// Why this rule decides.
    #[serde(rename = "chosen", serialize_with = "optional_text")]
    pub why_chosen: Option<RuleChoice>,
    /// The other rules that match, which the deciding rule overrides.
    pub hidden: Vec<RuleOrigin>,
    /// Further conditions of the request.
    #[serde(serialize_with = "texts")]
    pub conditions: Vec<RuleCondition>,
    /// Templated rules that may match. The answer then depends on the identity, which is unknown.
    pub undecided: Vec<RuleOrigin>,
}

fn text<S: Serializer>(value: &DecisionReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn optional_text<S: Serializer>(
    value: &Option<RuleChoice>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(serializer)
}

fn texts<T: fmt::Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}

/// Explains how `acl` decides `request`. With a `body` its parameters are those that are known of them,
/// instead of its `data`. A list is explained with the final slash, which the servers add.
pub fn explain(acl: &Acl<'_>, request: &Request<'_>, body: Option<&PartialBody>) -> Explanation {
    let checked = request.operation.checked_path(request.path);
    let request = &Request { path: &checked, ..*request };
    let (decision, depends_on) = match body {
        None => (acl.decide(request), Vec::new()),
        Some(body) => {
            let PartialDecision { decision, unknowns, .. } =
                acl.decide_partial(request, std::slice::from_ref(body));
            (decision, unknowns)
        }
    };
    let path = acl.path_from_root(request.path, request.namespace);
    let listing = request.operation.tries_path_without_slash(acl.dialect);
    let hidden =
        decision.rule.map(|rule| acl.hidden_from_root(&path, listing, rule)).unwrap_or_default();
    let choice = acl.choose(&path, listing).filter(|choice| decision.rule == Some(choice.rule));
    let why_chosen = choice.map(|choice| acl.why(choice, &path, listing, hidden.first().copied()));
    Explanation {
        dialect: acl.dialect,
        operation: request.operation.name(),
        path: request.path.to_owned(),
        allowed: decision.allowed,
        depends_on,
        capabilities: acl.capabilities(request.path, request.namespace),
        rule: decision.rule.map(|rule| acl.rule_origins(rule)).unwrap_or_default(),
        why_chosen,
        hidden: hidden.iter().flat_map(|rule| acl.rule_origins(*rule)).collect(),
        conditions: decision.rule.map(|rule| conditions(acl, rule, request)).unwrap_or_default(),
        undecided: undecided(acl, &path),
        reason: decision.reason,
    }
}

fn undecided(acl: &Acl<'_>, path: &str) -> Vec<RuleOrigin> {
    let bare = path.strip_suffix('/').unwrap_or(path);
    let open = acl.undecided_blocks().iter();
    let open =
        open.filter(|id| [path, bare].iter().any(|path| acl.block_may_match_from_root(**id, path)));
    open.map(|id| acl.block_origin(*id)).collect()
}

/// A condition of a request, in addition to the capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleCondition {
    /// The response must be wrapped.
    Wrapping,
    /// The request must have these parameters.
    Required(Vec<String>),
    /// The request may have only these parameters.
    Allowed(Vec<String>),
    /// The request may not have these parameters.
    Denied(Vec<String>),
    /// Another person must act first.
    RequiredApproval(RequiredApproval),
    /// The rule expires.
    Expires(Timestamp),
    /// If a pki engine serves the path, the rule must also grant `sudo`.
    SudoOnPki,
}

impl fmt::Display for RuleCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrapping => f.write_str("the response must be wrapped (X-Vault-Wrap-TTL)"),
            Self::Required(names) => {
                write!(f, "the request must have the parameters {}", names.join(", "))
            }
            Self::Allowed(names) => {
                write!(f, "the request may have only the parameters {}", names.join(", "))
            }
            Self::Denied(names) => {
                write!(f, "the request may not have the parameters {}", names.join(", "))
            }
            Self::RequiredApproval(RequiredApproval::Confirmation) => {
                f.write_str("a person must confirm (mfa_methods)")
            }
            Self::RequiredApproval(RequiredApproval::Approval) => {
                f.write_str("other people must approve (control_group)")
            }
            Self::Expires(end) => write!(f, "the rule expires at {end}"),
            Self::SudoOnPki => f.write_str("on a mount of pki the rule must also grant sudo"),
        }
    }
}

fn conditions(acl: &Acl<'_>, rule: RuleId, request: &Request<'_>) -> Vec<RuleCondition> {
    let rule = acl.rule(rule);
    let mut conditions = Vec::new();
    if rule.min_wrapping_ttl > 0 || rule.max_wrapping_ttl > 0 {
        conditions.push(RuleCondition::Wrapping);
    }
    if request.operation.has_parameters() {
        conditions.extend(parameter_conditions(rule));
    }
    conditions.extend(
        rule.mfa.then_some(RuleCondition::RequiredApproval(RequiredApproval::Confirmation)),
    );
    conditions.extend(
        rule.control_group.then_some(RuleCondition::RequiredApproval(RequiredApproval::Approval)),
    );
    conditions.extend(rule.expires.map(RuleCondition::Expires));
    let lacks_sudo = !rule.capabilities.contains(Capability::Sudo)
        && may_be_protected_by_pki(request.path, request.operation);
    conditions.extend(lacks_sudo.then_some(RuleCondition::SudoOnPki));
    conditions
}

/// The conditions on the parameters of a request. The servers check them for some operations only.
fn parameter_conditions(rule: &Rule) -> impl Iterator<Item = RuleCondition> {
    let names = |parameters: &Option<Parameters>| {
        let parameters = parameters.iter().flatten();
        let named = parameters.map(|(name, values)| match values.as_slice() {
            [] => name.clone(),
            _ => format!("{name} (some values)"),
        });
        named.collect()
    };
    [
        RuleCondition::Required(rule.required.iter().cloned().collect()),
        RuleCondition::Allowed(names(&rule.allowed)),
        RuleCondition::Denied(names(&rule.denied)),
    ]
    .into_iter()
    .filter(|condition| match condition {
        RuleCondition::Required(names)
        | RuleCondition::Allowed(names)
        | RuleCondition::Denied(names) => !names.is_empty(),
        _ => true,
    })
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.allowed {
            true => "allowed",
            false if self.depends_on.is_empty() => "denied",
            false => "depends on its parameters",
        };
        writeln!(f, "{}: {} {}: {verdict}", self.dialect, self.operation, self.path)?;
        writeln!(f, "  why:            {}", self.reason)?;
        for origin in &self.rule {
            let RuleOrigin { policy, place, pattern } = origin;
            writeln!(f, "  rule:           path \"{pattern}\" of {policy} ({place})")?;
        }
        for unknown in &self.depends_on {
            writeln!(f, "  on:    {unknown}")?;
        }
        if let Some(chosen) = &self.why_chosen {
            writeln!(f, "  chosen because: {chosen}")?;
        }
        for condition in &self.conditions {
            writeln!(f, "  condition:      {condition}")?;
        }
        for RuleOrigin { policy, place, pattern } in &self.hidden {
            writeln!(f, "  overrides:      path \"{pattern}\" of {policy} ({place})")?;
        }
        for RuleOrigin { policy, place, pattern } in &self.undecided {
            writeln!(
                f,
                "  undecided:      path \"{pattern}\" of {policy} ({place}) may match, depending on the identity"
            )?;
        }
        writeln!(f, "  capabilities-self returns: {}", self.capabilities.join(", "))
    }
}
