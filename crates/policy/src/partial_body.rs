//! Decides a request of which only a part is known: the parameters that it always has, those that it
//! may have, and the values that are known. An answer holds for every request that fits.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::acl::Acl;
use super::block::Parameters;
use super::decide::{Decision, DecisionReason};
use super::dialect::Dialect;
use super::lowercase::lowered;
use super::parameters::listed;
use super::protected::requires_sudo;
use super::request::Request;
use super::request_parameters::DeclaredParameters;
use super::rule::Rule;

/// What is known about the parameters of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartialBody {
    /// The parameters, by the name that is sent.
    pub parameters: BTreeMap<String, KnownParameter>,
    /// Whether it may also have parameters whose names aren't known.
    pub open: bool,
}

impl PartialBody {
    /// The body with these parameters and no others.
    pub fn exactly(declared: &DeclaredParameters) -> Self {
        let sent = declared.iter().map(|(name, value)| {
            (name.clone(), KnownParameter { always: true, value: value.clone() })
        });
        Self { parameters: sent.collect(), open: false }
    }

    fn mandatory_first(&self) -> impl Iterator<Item = (&String, &KnownParameter)> {
        let with = |always| self.parameters.iter().filter(move |(_, p)| p.always == always);
        with(true).chain(with(false))
    }
}

/// What is known about a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownParameter {
    /// Whether every such request has it.
    pub always: bool,
    /// Its value, if that is known.
    pub value: Option<Value>,
}

/// The decision on a request of which only a part is known.
#[derive(Debug, Clone, PartialEq)]
pub struct PartialDecision {
    /// Whether every request that fits is allowed, or every one denied. `None` if it depends on the
    /// request.
    pub allowed: Option<bool>,
    /// The deciding rule, and the reason if every request is denied.
    pub decision: Decision,
    /// What the decision depends on, without duplicates.
    pub unknowns: Vec<Unknown>,
}

/// Something unknown that a decision depends on. [`Display`](fmt::Display) writes it for messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unknown {
    /// The value of a parameter.
    Value(String),
    /// Whether a parameter is sent that the rule requires.
    Required(String),
    /// Whether a parameter is sent that the rule refuses, or of which it refuses the value.
    Refused(String),
    /// Which spelling of a parameter the server keeps, of those that the policy writes.
    Spelling(String),
    /// Whether parameters are sent whose names aren't known.
    Others,
    /// Which of these parameters is sent.
    Choice(Vec<String>),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(name) => write!(f, "the value of `{name}`"),
            Self::Required(name) => write!(f, "whether `{name}` is sent, which the rule requires"),
            Self::Refused(name) => write!(f, "whether `{name}` is sent, which the rule refuses"),
            Self::Spelling(name) => {
                write!(f, "which spelling of `{name}` in the policy the server keeps, at random")
            }
            Self::Others => f.write_str("whether other parameters are sent"),
            Self::Choice(names) => write!(f, "which of `{}` is sent", names.join("` and `")),
        }
    }
}

/// The maximum number of unknowns that are kept, and of characters of a name: a hostile rule could have a
/// hundred thousand parameters, or a name of a megabyte.
const KEPT: usize = 8;
const KEPT_CHARACTERS: usize = 100;

fn shortened(name: &str) -> String {
    name.chars().take(KEPT_CHARACTERS).collect()
}

/// The result for one of the bodies that a request may have.
#[derive(Default)]
struct BodyResult {
    denied: Option<DecisionReason>,
    unknowns: Vec<Unknown>,
}

impl BodyResult {
    fn deny(&mut self, reason: DecisionReason) {
        self.denied.get_or_insert(reason);
    }

    fn depend(&mut self, unknown: Unknown) {
        if self.unknowns.len() < KEPT && !self.unknowns.contains(&unknown) {
            self.unknowns.push(unknown);
        }
    }
}

/// Whether a value is in a list of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    Yes,
    No,
    Perhaps,
}

impl Acl<'_> {
    /// Decides `request`, whose `data` isn't used: it has one of `bodies`. Without bodies it has no
    /// parameters.
    pub fn decide_partial(&self, request: &Request<'_>, bodies: &[PartialBody]) -> PartialDecision {
        let mut decision = self.decide(&Request { data: None, ..*request });
        let by_parameters = matches!(
            decision.reason,
            DecisionReason::Granted | DecisionReason::ParameterMissing(_)
        );
        let rule = decision.rule.map(|rule| self.rule(rule));
        let rule = rule.filter(|_| by_parameters && request.operation.has_parameters());
        let (Some(rule), false) = (rule, bodies.is_empty()) else {
            return PartialDecision {
                allowed: Some(decision.allowed),
                decision,
                unknowns: Vec::new(),
            };
        };
        let mut results: Vec<BodyResult> =
            bodies.iter().map(|body| judge(rule, body, self.dialect)).collect();
        let sudo_missing = !decision.grants_sudo && requires_sudo(self.dialect, request.path);
        let denied = results.iter().filter(|result| result.denied.is_some()).count();
        if sudo_missing || denied == results.len() {
            let reason = results[0].denied.take().filter(|_| !sudo_missing);
            decision.reason = reason.unwrap_or(DecisionReason::SudoMissing);
            decision.allowed = false;
            return PartialDecision { allowed: Some(false), decision, unknowns: Vec::new() };
        }
        let mut all = BodyResult::default();
        for result in &mut results {
            // What a body depends on doesn't matter if it is denied anyway.
            if result.denied.is_none() {
                for unknown in result.unknowns.drain(..) {
                    all.depend(unknown);
                }
            }
        }
        if denied > 0 {
            all.unknowns.insert(0, Unknown::Choice(distinguishing(bodies)));
        }
        let depends = !all.unknowns.is_empty();
        decision.allowed = !depends;
        decision.reason = DecisionReason::Granted;
        PartialDecision { allowed: (!depends).then_some(true), decision, unknowns: all.unknowns }
    }
}

/// For each body the mandatory parameter that the fewest other bodies have, which tells it apart.
fn distinguishing(bodies: &[PartialBody]) -> Vec<String> {
    let bodies_with = |name: &str| {
        let always = |body: &&PartialBody| {
            body.parameters.get(name).is_some_and(|parameter| parameter.always)
        };
        bodies.iter().filter(always).count()
    };
    let names = bodies.iter().filter_map(|body| {
        let own = body.parameters.iter().filter(|(_, parameter)| parameter.always);
        own.map(|(name, _)| name).min_by_key(|name| bodies_with(name))
    });
    names.cloned().collect()
}

/// Checks a body in the servers' order: required, denied, allowed parameters. A reason to deny comes
/// only from a parameter that every request has.
fn judge(rule: &Rule, body: &PartialBody, dialect: Dialect) -> BodyResult {
    let mut found = BodyResult::default();
    for name in &rule.required {
        match body.parameters.get(&lowered(name)) {
            Some(parameter) if parameter.always => {}
            None if !body.open => found.deny(DecisionReason::ParameterMissing(name.clone())),
            _ => found.depend(Unknown::Required(shortened(name))),
        }
    }
    let certain = without_random(rule, body, &mut found);
    let body = certain.as_ref().unwrap_or(body);
    if let Some(denied) = &rule.denied {
        judge_denied(denied, body, dialect, &mut found);
    }
    if let Some(allowed) = &rule.allowed {
        judge_allowed(allowed, body, dialect, &mut found);
    }
    found
}

/// The body without the parameters of which the server keeps one of several letter cases; `None` if
/// it has none of them.
fn without_random(rule: &Rule, body: &PartialBody, found: &mut BodyResult) -> Option<PartialBody> {
    let is_random = |name: &str| rule.colliding.contains(&lowered(name));
    let everything = rule.denied.as_ref().is_some_and(|denied| denied.contains_key("*"));
    let mut certain = None;
    for (name, parameter) in body.parameters.iter().filter(|(name, _)| is_random(name)) {
        if everything && parameter.always {
            found.deny(DecisionReason::ParameterDenied(name.clone()));
        }
        found.depend(Unknown::Spelling(shortened(name)));
        certain.get_or_insert_with(|| body.clone()).parameters.remove(name);
    }
    certain
}

fn judge_denied(denied: &Parameters, body: &PartialBody, dialect: Dialect, found: &mut BodyResult) {
    let everything = denied.contains_key("*");
    for (name, parameter) in body.mandatory_first() {
        let key = lowered(name);
        let list = denied.get(&key);
        let hit = list.map_or(Listed::No, |list| is_listed(parameter, list, true, &key, dialect));
        match hit {
            _ if everything && parameter.always => {
                found.deny(DecisionReason::ParameterDenied(name.clone()));
            }
            Listed::Yes if parameter.always => {
                found.deny(DecisionReason::ParameterDenied(name.clone()));
            }
            Listed::Perhaps if !everything => found.depend(Unknown::Value(shortened(name))),
            Listed::No if !everything => {}
            _ => found.depend(Unknown::Refused(shortened(name))),
        }
    }
    if body.open {
        let known = |key: &str| body.parameters.keys().any(|name| lowered(name) == key);
        if everything {
            found.depend(Unknown::Others);
        }
        for key in denied.keys().filter(|key| *key != "*" && !known(key)) {
            found.depend(Unknown::Refused(shortened(key)));
        }
    }
}

fn judge_allowed(
    allowed: &Parameters,
    body: &PartialBody,
    dialect: Dialect,
    found: &mut BodyResult,
) {
    let anything = allowed.contains_key("*");
    if allowed.is_empty() || (anything && allowed.len() == 1) {
        return;
    }
    for (name, parameter) in body.mandatory_first() {
        let key = lowered(name);
        let Some(list) = allowed.get(&key) else {
            match (anything, parameter.always) {
                (true, _) => {}
                (false, true) => found.deny(DecisionReason::ParameterNotAllowed(name.clone())),
                (false, false) => found.depend(Unknown::Refused(shortened(name))),
            }
            continue;
        };
        match is_listed(parameter, list, false, &key, dialect) {
            Listed::Yes => {}
            Listed::No if parameter.always => {
                found.deny(DecisionReason::ValueNotAllowed(name.clone()));
            }
            Listed::No => found.depend(Unknown::Refused(shortened(name))),
            Listed::Perhaps => found.depend(Unknown::Value(shortened(name))),
        }
    }
    if body.open {
        let known = |key: &str| body.parameters.keys().any(|name| lowered(name) == key);
        if !anything {
            found.depend(Unknown::Others);
        }
        let limited = allowed.iter().filter(|(key, list)| !list.is_empty() && !known(key));
        for (key, _) in limited.filter(|(key, _)| *key != "*") {
            found.depend(Unknown::Value(shortened(key)));
        }
    }
}

fn is_listed(
    parameter: &KnownParameter,
    list: &[Value],
    denied: bool,
    key: &str,
    dialect: Dialect,
) -> Listed {
    match &parameter.value {
        _ if list.is_empty() => Listed::Yes,
        None => Listed::Perhaps,
        Some(value) if listed(value, list, denied, key, dialect) => Listed::Yes,
        Some(_) => Listed::No,
    }
}
