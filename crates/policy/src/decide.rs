//! One request against the rules, and why.

use serde_json::{Map, Value};

use super::acl::{Acl, RuleId};
use super::capability::Capability;
use super::dialect::Dialect;
use super::document::canonical_namespace;
use super::parameters;
use super::request::{Operation, Request};
use super::rule::Rule;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Whether the rules let it through.
    pub allowed: bool,
    /// Whether they would on a protected endpoint, too.
    pub root_privs: bool,
    /// The `limit` that a list goes on with.
    pub limit: Option<Value>,
    /// Why.
    pub reason: Reason,
    /// The rule that decided, by its index in the [`Acl`].
    pub rule: Option<RuleId>,
}

/// Why a request is let through or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The policy `root` allows everything below its namespace.
    Root,
    /// The policy `root` of another namespace.
    RootElsewhere,
    /// Help is for everybody.
    Help,
    /// The rule grants what the operation takes.
    Granted,
    /// No rule matches the path.
    NoRule,
    /// The rule denies.
    Denied,
    /// The rule grants other things, or nothing.
    NotGranted(Capability),
    /// No capability of this server stands for the operation.
    NoCapability,
    /// The answer must be wrapped for a time within the rule's bounds, and isn't.
    Wrapping,
    /// A required parameter isn't there.
    ParameterMissing(String),
    /// A parameter, or its value, is denied.
    ParameterDenied(String),
    /// A parameter isn't among the allowed ones.
    ParameterNotAllowed(String),
    /// A parameter's value isn't among the allowed ones.
    ValueNotAllowed(String),
    /// The page is larger than the rule allows, or isn't a number.
    Page,
}

impl Reason {
    /// Whether the rule grants what the operation takes, and a condition on the answer's
    /// wrapping or on parameters refuses it all the same.
    pub fn is_condition(&self) -> bool {
        matches!(
            self,
            Self::Wrapping
                | Self::ParameterMissing(_)
                | Self::ParameterDenied(_)
                | Self::ParameterNotAllowed(_)
                | Self::ValueNotAllowed(_)
                | Self::Page
        )
    }
}

impl Acl<'_> {
    /// Whether `request` is let through, and by which rule.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        let namespace = canonical_namespace(request.namespace);
        let limit = request.data.and_then(|data| data.get("limit")).cloned();
        let mut decision = Decision {
            allowed: false,
            root_privs: false,
            limit,
            reason: Reason::NoRule,
            rule: None,
        };
        if self.root {
            let here = namespace.starts_with(&self.token_namespace);
            (decision.allowed, decision.root_privs) = (here, here);
            decision.reason = if here { Reason::Root } else { Reason::RootElsewhere };
            return decision;
        }
        if request.operation == Operation::Help {
            decision.allowed = true;
            decision.reason = Reason::Help;
            return decision;
        }
        let listing = request.operation.is_listing(self.dialect);
        let Some(id) = self.find(&format!("{namespace}{}", request.path), listing) else {
            return decision;
        };
        let rule = self.rule(id);
        decision.rule = Some(id);
        decision.root_privs = rule.capabilities.contains(Capability::Sudo);
        let refused = self.refuse(rule, request, &mut decision.limit);
        decision.allowed = refused.is_none();
        decision.reason = refused.unwrap_or(Reason::Granted);
        decision
    }

    fn refuse(
        &self,
        rule: &Rule,
        request: &Request<'_>,
        limit: &mut Option<Value>,
    ) -> Option<Reason> {
        if rule.capabilities.denies() {
            return Some(Reason::Denied);
        }
        let Some(capability) = request.operation.capability(self.dialect) else {
            return Some(Reason::NoCapability);
        };
        if !rule.capabilities.contains(capability) {
            return Some(Reason::NotGranted(capability));
        }
        if !wrapped_within(rule, request.wrap_ttl) {
            return Some(Reason::Wrapping);
        }
        if request.operation.has_parameters() {
            let nothing = Map::new();
            return parameters::refuse(rule, request.data.unwrap_or(&nothing), self.dialect);
        }
        let pages = request.operation.is_listing(self.dialect) && self.dialect == Dialect::OpenBao;
        if pages { page(rule, limit) } else { None }
    }
}

fn wrapped_within(rule: &Rule, wrap_ttl: Option<f64>) -> bool {
    let (min, max) = (rule.min_wrapping, rule.max_wrapping);
    // Times that contradict each other are never met, not even those that bound nothing.
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

/// OpenBao's pages: a missing limit is filled in, a larger one is refused.
fn page(rule: &Rule, limit: &mut Option<Value>) -> Option<Reason> {
    let cap = rule.pagination;
    let asked_for_all = limit.as_ref().and_then(Value::as_str) == Some("max");
    if cap <= 0 {
        if asked_for_all {
            *limit = Some("0".into());
        }
        return None;
    }
    let capped = Some(Value::from(cap.to_string()));
    let Some(asked) = limit.as_ref() else {
        if rule.required.iter().any(|name| name.eq_ignore_ascii_case("limit")) {
            return Some(Reason::ParameterMissing("limit".to_owned()));
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
        _ => return Some(Reason::Page),
    }
    None
}
