//! `unverifiable`: a fact about a need couldn't be determined. It never counts as a success.

use envlock_report::{Code, Finding, Level, one_line};

use super::evaluation::OnlineEvaluation;
use super::lease::{self, LeaseCheck};
use super::state::NeedState;
use super::text::{describe_need, describe_request};
use crate::facts::UnknownReason;
use crate::generate::required_capabilities;
use crate::manifest::ResolvedNeed;
use crate::need_request;
use crate::verdict::ServerVerdict;
use envlock_model::needs::{CheckMode, Required};
use envlock_policy::{Capabilities, Capability, path_block};
use envlock_policy::{Engine, KnownFields};

/// A fact about a need that wasn't determined.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UnverifiedFact {
    /// A clause that completes "it couldn't be determined …".
    what: String,
    why: UnverifiableReason,
    /// Whether the fact is about the rights of the token.
    is_about_rights: bool,
}

/// Why a fact wasn't determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnverifiableReason {
    /// The server didn't report it.
    Unknown(UnknownReason),
    /// The server's answer doesn't contain it.
    Omitted,
    /// A presence check's token was used, and no policies are attached for the job.
    NoPolicies,
    /// The server's default limit applies, which can't be read.
    ServerDefault,
    /// The engine returns names of fields only together with their values. No configuration changes
    /// that, so the finding is only a note.
    NamesWithValues,
}

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (resolved, _) in online.needs() {
        let unverified_facts = unverified_facts(online, resolved);
        if !unverified_facts.is_empty() {
            findings.push(finding(online, resolved, &unverified_facts));
        }
    }
}

/// Whether a fact about the need wasn't determined although the server could report it.
pub(super) fn is_unverified(online: &OnlineEvaluation<'_>, resolved: &ResolvedNeed) -> bool {
    unverified_facts(online, resolved)
        .iter()
        .any(|fact| fact.why != UnverifiableReason::NamesWithValues)
}

fn unverified_facts(online: &OnlineEvaluation<'_>, resolved: &ResolvedNeed) -> Vec<UnverifiedFact> {
    let need = &resolved.need;
    if need.check == CheckMode::Offline {
        return Vec::new();
    }
    let mut unverified_facts = unverified_rights(online, resolved);
    let mut fact = |what: String, why| {
        unverified_facts.push(UnverifiedFact { what, why, is_about_rights: false });
    };
    let state = online.needs().find(|(other, _)| other.name == resolved.name);
    let state = state.map(|(_, state)| state);
    let is_unknown = state == Some(&NeedState::Unknown);
    if !is_unknown && !matches!(state, Some(NeedState::Present { .. })) {
        return unverified_facts;
    }
    let Some(facts) = online.need_facts(&resolved.name) else {
        fact(
            format!("whether {} exists", describe_need(need)),
            UnverifiableReason::Unknown(UnknownReason::NotRequested),
        );
        return unverified_facts;
    };
    if is_unknown {
        if let Err(why) = facts.mount {
            fact(
                format!("which engine is mounted at {}", need.mount),
                UnverifiableReason::Unknown(why),
            );
        }
        if let Err(why) = facts.presence {
            fact(
                format!("whether {} exists", describe_need(need)),
                UnverifiableReason::Unknown(why),
            );
        }
    }
    let wants_names = !need.fields.is_empty() && need.engine.fields() == KnownFields::Any;
    match (need.engine, &facts.fields) {
        (Engine::Kv2, Err(why)) if wants_names => {
            fact("which fields it has".to_owned(), UnverifiableReason::Unknown(*why));
        }
        (Engine::Kv1 | Engine::Cubbyhole, _) if wants_names => {
            fact("which fields it has".to_owned(), UnverifiableReason::NamesWithValues);
        }
        _ => {}
    }
    if let Some(LeaseCheck::Unknown(why)) = lease::check_initial_ttl(need, facts) {
        fact("how long its leases last".to_owned(), why);
    }
    if let Some(LeaseCheck::Unknown(why)) = lease::check_renewal(need, facts) {
        fact("how long its leases can be renewed".to_owned(), why);
    }
    unverified_facts
}

fn unverified_rights(
    online: &OnlineEvaluation<'_>,
    resolved: &ResolvedNeed,
) -> Vec<UnverifiedFact> {
    let own = online
        .need_requests_with_verdicts()
        .filter(|(need_request, ..)| need_request.need == resolved.name);
    let unknown = own.filter_map(|(need_request, verdicts, server)| {
        let why = match server {
            ServerVerdict::Allowed | ServerVerdict::Denied(_) => return None,
            ServerVerdict::Unavailable(_) if online.is_presence_only() && verdicts.is_some() => {
                return None;
            }
            ServerVerdict::Unavailable(_) if online.is_presence_only() => {
                UnverifiableReason::NoPolicies
            }
            ServerVerdict::Omitted => UnverifiableReason::Omitted,
            ServerVerdict::Unavailable(why) => UnverifiableReason::Unknown(why),
        };
        let what = format!("whether {} is allowed", describe_request(need_request));
        Some(UnverifiedFact { what, why, is_about_rights: true })
    });
    unknown.collect()
}

fn finding(
    online: &OnlineEvaluation<'_>,
    resolved: &ResolvedNeed,
    unverified_facts: &[UnverifiedFact],
) -> Finding {
    let what: Vec<_> = unverified_facts.iter().map(|fact| fact.what.as_str()).collect();
    let message = format!("it couldn't be determined {}", what.join(", "));
    let mut finding = Finding::new(Code::Unverifiable, message);
    finding.level = level(online, resolved, unverified_facts);
    for fact in unverified_facts {
        let why = describe(fact.why, &online.facts.server.version);
        finding.add_note(format!("{}: {why}", fact.what));
    }
    let mount = online.need_facts(&resolved.name).map(|facts| &facts.mount);
    if mount == Some(&Err(UnknownReason::Forbidden)) {
        let note = "the server answers the same for a mount that doesn't exist: check `mount:`, and the \
                    namespace";
        finding.add_note(note);
    }
    let has = |why| unverified_facts.iter().any(|fact| fact.why == why);
    let forbidden = has(UnverifiableReason::Unknown(UnknownReason::Forbidden));
    let help = if forbidden {
        "add these lines to a policy of the token; they give access to no value"
    } else if has(UnverifiableReason::NoPolicies) {
        "add `attach: [POLICY, …]` with the policies of the job's token"
    } else if has(UnverifiableReason::ServerDefault) {
        "set `default_ttl` and `max_ttl` on the role or the mount, or write `verify: offline` for \
         the need"
    } else if unverified_facts.iter().all(|fact| fact.why == UnverifiableReason::NamesWithValues) {
        "move it to kv2 if the fields matter, or write `verify: offline` for the need"
    } else if has(UnverifiableReason::Omitted) {
        "try again; if the result is the same, write `verify: offline` for the need"
    } else {
        "write `verify: offline` for the need: only its policies are then checked"
    };
    let finding = online.checked.finding(&resolved.name, finding.with_help(help));
    if forbidden { finding.with_fix(rules_to_add(resolved, unverified_facts)) } else { finding }
}

/// An error, unless the need is optional or another need of its group can be used.
fn level(
    online: &OnlineEvaluation<'_>,
    resolved: &ResolvedNeed,
    unverified_facts: &[UnverifiedFact],
) -> Level {
    let optional = resolved.need.required == Required::Flag(false);
    let minor = unverified_facts.iter().all(|fact| fact.why == UnverifiableReason::NamesWithValues);
    let note = optional || minor || online.has_usable_alternative(&resolved.name);
    if note { Level::Note } else { Level::Error }
}

/// The rules that a presence check's policy needs for the requests that were denied.
fn rules_to_add(resolved: &ResolvedNeed, unverified_facts: &[UnverifiedFact]) -> String {
    let forbidden = unverified_facts
        .iter()
        .filter(|fact| fact.why == UnverifiableReason::Unknown(UnknownReason::Forbidden));
    let mut lines = Vec::new();
    if forbidden.clone().any(|fact| fact.is_about_rights) {
        let update: Capabilities = [Capability::Update].into_iter().collect();
        lines.push(path_block("sys/capabilities-self", update));
    }
    if forbidden.clone().any(|fact| !fact.is_about_rights) {
        let presence = need_request::presence_requests_of_need(resolved);
        lines.extend(presence.iter().map(|need_request| {
            path_block(&need_request.request.path, required_capabilities(need_request))
        }));
    }
    lines.join("\n")
}

fn describe(why: UnverifiableReason, version: &str) -> String {
    match why {
        UnverifiableReason::Unknown(UnknownReason::Forbidden) => {
            "the server denies the request to the token (403)".to_owned()
        }
        UnverifiableReason::Unknown(UnknownReason::Unsupported) if version.is_empty() => {
            "the server doesn't support the request".to_owned()
        }
        UnverifiableReason::Unknown(UnknownReason::Unsupported) => {
            format!("the server, {}, doesn't support the request", one_line(version))
        }
        UnverifiableReason::Unknown(UnknownReason::NoSafeRequest) => {
            "every possible request could return a value".to_owned()
        }
        UnverifiableReason::Unknown(UnknownReason::NotRequested) => {
            "it wasn't requested, because an earlier fact is unknown".to_owned()
        }
        UnverifiableReason::Omitted => "the server's answer doesn't contain this path".to_owned(),
        UnverifiableReason::NoPolicies => {
            "the login only checks presence, and no policies are attached for the job".to_owned()
        }
        UnverifiableReason::ServerDefault => {
            "the server's default limit applies, which can't be read".to_owned()
        }
        UnverifiableReason::NamesWithValues => {
            "the engine returns field names only together with their values".to_owned()
        }
    }
}
