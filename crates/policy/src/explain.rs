//! Why a request is allowed or not: the deciding rule, what it hides, and what it still wants.

use std::fmt;

use serde::Serialize;

use super::acl::{Acl, RuleId, RuleOrigin};
use super::decide::{Decision, Reason};
use super::dialect::Dialect;
use super::pattern::PatternKind;
use super::request::Request;
use super::template::may_match;

/// The answer of one server to one request, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The server's way to read policies.
    pub dialect: Dialect,
    /// The operation that was asked about.
    pub operation: &'static str,
    /// The path that was asked about.
    pub path: String,
    /// Whether it is allowed.
    pub allowed: bool,
    /// Why, as a sentence.
    pub reason: String,
    /// What `capabilities-self` would say of the path.
    pub capabilities: Vec<&'static str>,
    /// The blocks of the deciding rule.
    pub rule: Vec<RuleOrigin>,
    /// Why this rule and no other, as a sentence.
    pub chosen: Option<String>,
    /// The rules that match too and have no say.
    pub hidden: Vec<RuleOrigin>,
    /// What else the request has to meet.
    pub conditions: Vec<String>,
    /// Templated rules that may match, where who asks isn't known: then the answer is open.
    pub undecided: Vec<RuleOrigin>,
}

/// Explains what `acl` says to `request`.
pub fn explain(acl: &Acl<'_>, request: &Request<'_>) -> Explanation {
    let decision = acl.decide(request);
    let path = format!("{}{}", super::canonical_namespace(request.namespace), request.path);
    let listing = request.operation.is_listing(acl.dialect);
    let hidden = decision.rule.map(|rule| acl.hidden(&path, listing, rule)).unwrap_or_default();
    Explanation {
        dialect: acl.dialect,
        operation: request.operation.name(),
        path: request.path.to_owned(),
        allowed: decision.allowed,
        reason: sentence(acl, &decision),
        capabilities: acl.capabilities(request.path, request.namespace),
        rule: decision.rule.map(|rule| acl.origins(rule)).unwrap_or_default(),
        chosen: decision.rule.map(|rule| chosen(acl, rule, &hidden)),
        hidden: hidden.iter().flat_map(|rule| acl.origins(*rule)).collect(),
        conditions: decision.rule.map(|rule| conditions(acl, rule)).unwrap_or_default(),
        undecided: undecided(acl, &path),
    }
}

fn undecided(acl: &Acl<'_>, path: &str) -> Vec<RuleOrigin> {
    let bare = path.strip_suffix('/').unwrap_or(path);
    let open = acl.undecided().iter().filter(|id| {
        let pattern = &acl.block(**id).pattern;
        may_match(pattern, path) || may_match(pattern, bare)
    });
    open.map(|id| acl.origin(*id)).collect()
}

/// The reason of a decision, with what the rule grants instead.
pub fn sentence(acl: &Acl<'_>, decision: &Decision) -> String {
    match (&decision.reason, decision.rule) {
        (Reason::NotGranted(wanted), Some(rule)) => {
            let granted = acl.rule(rule).capabilities;
            if granted.is_empty() {
                return format!("the rule grants nothing, and {} is needed", wanted.name());
            }
            format!("the rule grants {granted}, and {} is needed", wanted.name())
        }
        (reason, _) => reason.to_string(),
    }
}

/// The step of the priority rules that decided.
fn chosen(acl: &Acl<'_>, rule: RuleId, hidden: &[RuleId]) -> String {
    let pattern = &acl.rule(rule).pattern;
    if pattern.kind == PatternKind::Exact {
        return "it names the path exactly, which beats every wildcard".to_owned();
    }
    let Some(next) = hidden.first() else { return "no other rule matches".to_owned() };
    let other = &acl.rule(*next).pattern;
    if other.kind == PatternKind::Exact {
        return "the other rule names the path without its slash, and this one with it".to_owned();
    }
    let step = pattern.rank().won_by(&other.rank());
    format!("{step} than \"{}\"; rules of different patterns are never united", other.written())
}

fn conditions(acl: &Acl<'_>, rule: RuleId) -> Vec<String> {
    let rule = acl.rule(rule);
    let mut conditions = Vec::new();
    if rule.min_wrapping > 0 || rule.max_wrapping > 0 {
        conditions.push("the answer must be wrapped (X-Vault-Wrap-TTL)".to_owned());
    }
    if !rule.required.is_empty() {
        conditions.push(format!(
            "the parameters {} must be there",
            rule.required.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        ));
    }
    for (what, parameters) in [("are allowed", &rule.allowed), ("are denied", &rule.denied)] {
        if let Some(parameters) = parameters.as_ref().filter(|parameters| !parameters.is_empty()) {
            let names: Vec<_> = parameters.keys().map(String::as_str).collect();
            conditions
                .push(format!("the parameters {} {what}, some of them by value", names.join(", ")));
        }
    }
    if rule.mfa {
        conditions.push("a person must confirm (mfa_methods)".to_owned());
    }
    if rule.control_group {
        conditions.push("others must approve (control_group)".to_owned());
    }
    if let Some(end) = rule.expires {
        conditions.push(format!("it ends at {end}"));
    }
    conditions
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the policy root allows everything"),
            Self::RootElsewhere => f.write_str("the policy root is of another namespace"),
            Self::Help => f.write_str("help is for everybody"),
            Self::Granted => f.write_str("the rule grants it"),
            Self::NoRule => {
                f.write_str("no rule matches the path, and what isn't granted is denied")
            }
            Self::Denied => f.write_str("the rule denies"),
            Self::NotGranted(wanted) => write!(f, "the rule doesn't grant {}", wanted.name()),
            Self::NoCapability => {
                f.write_str("no capability of this server stands for the operation")
            }
            Self::Wrapping => {
                f.write_str("the answer must be wrapped for a time within the rule's bounds")
            }
            Self::ParameterMissing(name) => write!(f, "the parameter {name} is required"),
            Self::ParameterDenied(name) => write!(f, "the parameter {name} is denied"),
            Self::ParameterNotAllowed(name) => {
                write!(f, "the parameter {name} isn't among the allowed ones")
            }
            Self::ValueNotAllowed(name) => {
                write!(f, "the value of the parameter {name} isn't among the allowed ones")
            }
            Self::Page => f.write_str("the page is larger than the rule allows"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.allowed { "allowed" } else { "denied" };
        writeln!(f, "{}: {} {}: {verdict}", self.dialect, self.operation, self.path)?;
        writeln!(f, "  why:   {}", self.reason)?;
        for origin in &self.rule {
            let RuleOrigin { policy, place, pattern } = origin;
            writeln!(f, "  rule:  path \"{pattern}\" of {policy} ({place})")?;
        }
        if let Some(chosen) = &self.chosen {
            writeln!(f, "  since: {chosen}")?;
        }
        for condition in &self.conditions {
            writeln!(f, "  and:   {condition}")?;
        }
        for RuleOrigin { policy, place, pattern } in &self.hidden {
            writeln!(f, "  hides: path \"{pattern}\" of {policy} ({place})")?;
        }
        for RuleOrigin { policy, place, pattern } in &self.undecided {
            writeln!(
                f,
                "  open:  path \"{pattern}\" of {policy} ({place}) may match, by who asks"
            )?;
        }
        writeln!(f, "  capabilities-self would say: {}", self.capabilities.join(", "))
    }
}
