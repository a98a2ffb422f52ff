//! Decides one request by the rules, with the reason.

use std::fmt;

use serde_json::{Map, Value};

use super::acl::{Acl, RuleId};
use super::capability::{Capabilities, Capability};
use super::dialect::Dialect;
use super::document::canonical_namespace;
use super::lowercase::lowered;
use super::parameters;
use super::protected::requires_sudo;
use super::request::{Operation, Request};
use super::rule::Rule;

/// The decision on a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Whether the request is allowed.
    pub allowed: bool,
    /// Whether the rule also grants `sudo`, which protected endpoints need.
    pub grants_sudo: bool,
    /// The `limit` of a list, after the rule's `pagination_limit` is applied.
    pub limit: Option<Value>,
    /// The reason.
    pub reason: DecisionReason,
    /// The deciding rule, as an index into the [`Acl`].
    pub rule: Option<RuleId>,
}

/// Why a request is allowed or denied. [`Display`](fmt::Display) writes it for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionReason {
    /// The policy `root` allows everything below its namespace.
    Root,
    /// The token has the policy `root` of another namespace.
    RootOfOtherNamespace,
    /// Every token may request help.
    HelpOperation,
    /// The rule grants what the operation requires.
    Granted,
    /// No rule matches the path.
    NoRule,
    /// The rule contains `deny`.
    Denied,
    /// The rule doesn't grant what the operation requires.
    NotGranted {
        /// The capability that the operation requires.
        wanted: Capability,
        /// The capabilities that the rule grants.
        granted: Capabilities,
    },
    /// This server has no capability for the operation.
    NoCapability,
    /// The response must be wrapped with a TTL within the rule's limits, and isn't.
    WrapTtlOutOfBounds,
    /// A required parameter is missing.
    ParameterMissing(String),
    /// A parameter, or its value, is denied.
    ParameterDenied(String),
    /// A parameter isn't among the allowed ones.
    ParameterNotAllowed(String),
    /// A parameter's value isn't among the allowed ones.
    ValueNotAllowed(String),
    /// The policy writes the parameter in different letter case, and the server keeps one of them at
    /// random.
    ParameterSpellings(String),
    /// The page is larger than the rule allows, or isn't a number.
    PageTooLarge,
    /// The endpoint is protected, and the rule doesn't grant `sudo`.
    SudoMissing,
}

impl DecisionReason {
    /// Whether the rule grants what the operation requires, and a condition on the wrapping
    /// of the response or on parameters still denies the request.
    pub fn is_condition(&self) -> bool {
        matches!(
            self,
            Self::WrapTtlOutOfBounds
                | Self::ParameterMissing(_)
                | Self::ParameterDenied(_)
                | Self::ParameterNotAllowed(_)
                | Self::ValueNotAllowed(_)
                | Self::ParameterSpellings(_)
                | Self::PageTooLarge
        )
    }
}

impl fmt::Display for DecisionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the policy root allows everything"),
            Self::RootOfOtherNamespace => {
                f.write_str("the policy root belongs to another namespace")
            }
            Self::HelpOperation => f.write_str("every token may request help"),
            Self::Granted => f.write_str("the rule grants it"),
            Self::NoRule => {
                f.write_str("no rule matches the path, and what isn't granted is denied")
            }
            Self::Denied => f.write_str("the rule denies"),
            Self::NotGranted { wanted, granted } if granted.is_empty() => {
                write!(f, "the rule grants nothing, and {} is needed", wanted.name())
            }
            Self::NotGranted { wanted, granted } => {
                write!(f, "the rule grants {granted}, and {} is needed", wanted.name())
            }
            Self::NoCapability => f.write_str("this server has no capability for the operation"),
            Self::WrapTtlOutOfBounds => {
                f.write_str("the response must be wrapped with a TTL within the rule's limits")
            }
            Self::ParameterMissing(name) => write!(f, "the parameter {name} is required"),
            Self::ParameterDenied(name) => write!(f, "the parameter {name} is denied"),
            Self::ParameterNotAllowed(name) => {
                write!(f, "the parameter {name} isn't among the allowed ones")
            }
            Self::ValueNotAllowed(name) => {
                write!(f, "the value of the parameter {name} isn't among the allowed ones")
            }
            Self::ParameterSpellings(name) => write!(
                f,
                "the policy writes the parameter {name} in different letter case, and the server keeps \
                 one of them at random"
            ),
            Self::PageTooLarge => f.write_str("the page is larger than the rule allows"),
            Self::SudoMissing => {
                f.write_str("the endpoint is protected, and the rule doesn't grant sudo")
            }
        }
    }
}

impl Acl<'_> {
    /// Decides `request`: whether it is allowed, why, and by which rule. The path of a list is the
    /// one that the server checks: see [`Operation::checked_path`].
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        let namespace = canonical_namespace(request.namespace);
        let limit = request.data.and_then(|data| data.get("limit")).cloned();
        let mut decision = Decision {
            allowed: false,
            grants_sudo: false,
            limit,
            reason: DecisionReason::NoRule,
            rule: None,
        };
        if self.root {
            let here = namespace.starts_with(&self.token_namespace);
            (decision.allowed, decision.grants_sudo) = (here, here);
            decision.reason =
                if here { DecisionReason::Root } else { DecisionReason::RootOfOtherNamespace };
            return decision;
        }
        if request.operation == Operation::Help {
            decision.allowed = true;
            decision.reason = DecisionReason::HelpOperation;
            return decision;
        }
        let listing = request.operation.tries_path_without_slash(self.dialect);
        let path = self.path_from_root(request.path, &namespace);
        let deciding = match request.operation {
            Operation::Scan => self.rule_for_scan(&path),
            _ => self.rule_for(&path, listing),
        };
        let Some(id) = deciding else { return decision };
        let rule = self.rule(id);
        decision.rule = Some(id);
        decision.grants_sudo = rule.capabilities.contains(Capability::Sudo);
        let refused = self.refuse(rule, request, &mut decision.limit).or_else(|| {
            let missing = !decision.grants_sudo && requires_sudo(self.dialect, request.path);
            missing.then_some(DecisionReason::SudoMissing)
        });
        decision.allowed = refused.is_none();
        decision.reason = refused.unwrap_or(DecisionReason::Granted);
        decision
    }

    fn refuse(
        &self,
        rule: &Rule,
        request: &Request<'_>,
        limit: &mut Option<Value>,
    ) -> Option<DecisionReason> {
        if rule.capabilities.contains_deny() {
            return Some(DecisionReason::Denied);
        }
        let Some(capability) = request.operation.capability(self.dialect) else {
            return Some(DecisionReason::NoCapability);
        };
        if !rule.capabilities.contains(capability) {
            let (wanted, granted) = (capability, rule.capabilities);
            return Some(DecisionReason::NotGranted { wanted, granted });
        }
        if !wrapped_within(rule, request.wrap_ttl) {
            return Some(DecisionReason::WrapTtlOutOfBounds);
        }
        if request.operation.has_parameters() {
            let nothing = Map::new();
            return parameters::check_parameters(
                rule,
                request.data.unwrap_or(&nothing),
                self.dialect,
            );
        }
        let pages =
            request.operation.tries_path_without_slash(self.dialect) && self.dialect.is_openbao();
        if pages { page(rule, limit, self.dialect) } else { None }
    }
}

fn wrapped_within(rule: &Rule, wrap_ttl: Option<f64>) -> bool {
    let (min, max) = (rule.min_wrapping_ttl, rule.max_wrapping_ttl);
    // Contradictory limits are never met, not even by limits that bound nothing.
    if min != 0 && max != 0 && max < min {
        return false;
    }
    if min <= 0 && max <= 0 {
        return true;
    }
    let Some(seconds) = wrap_ttl else { return false };
    #[expect(clippy::cast_precision_loss, reason = "bounds are seconds, far below 2^53")]
    let within =
        |bound: i64, ok: fn(f64, f64) -> bool| bound <= 0 || ok(seconds, bound as f64 / 1e9);
    within(max, |seconds, max| seconds <= max) && within(min, |seconds, min| seconds >= min)
}

/// Applies OpenBao's pagination: a missing limit is filled in, a larger one is denied. Before 2.6.0
/// a negative one isn't larger.
fn page(rule: &Rule, limit: &mut Option<Value>, dialect: Dialect) -> Option<DecisionReason> {
    let cap = rule.pagination_limit;
    let asked_for_all = limit.as_ref().and_then(Value::as_str) == Some("max");
    if cap <= 0 {
        if asked_for_all {
            *limit = Some("0".into());
        }
        return None;
    }
    let capped = Some(Value::from(cap.to_string()));
    let Some(asked) = limit.as_ref() else {
        if rule.required.iter().any(|name| lowered(name) == "limit") {
            return Some(DecisionReason::ParameterMissing("limit".to_owned()));
        }
        *limit = capped;
        return None;
    };
    if asked_for_all {
        *limit = capped;
        return None;
    }
    let number = asked.as_i64().or_else(|| asked.as_str()?.trim().parse().ok());
    match number {
        Some(0) => *limit = capped,
        Some(number) if (1..=cap).contains(&number) => {}
        Some(number) if number < 0 && dialect == Dialect::OpenBaoLegacy => {}
        _ => return Some(DecisionReason::PageTooLarge),
    }
    None
}
