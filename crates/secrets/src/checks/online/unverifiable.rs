//! `unverifiable`: what couldn't be found out about a need. It is no yes.

use envlock_report::{Code, Finding, Level, one_line};

use super::evaluation::OnlineEvaluation;
use super::lease::{self, LeaseCheck};
use super::names::{request, thing};
use super::state::NeedState;
use crate::evidence::ServerVerdict;
use crate::facts::Unknown;
use crate::generate::{block, required_capabilities};
use crate::manifest::ResolvedNeed;
use crate::requirement;
use envlock_model::needs::{Required, Verify};
use envlock_policy::{Capabilities, Capability};
use envlock_policy::{Engine, KnownFields};

/// Something that isn't known of a need.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gap {
    /// As in "it couldn't be found out whether …".
    what: String,
    why: GapReason,
    /// Whether it is about the rights of the token.
    of_rights: bool,
}

/// Why something isn't known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GapReason {
    /// The server didn't tell.
    Unknown(Unknown),
    /// It answered, and not this.
    Omitted,
    /// A verifier asked, and no policies speak for the job.
    NoPolicies,
    /// It is left to the server's own limit.
    ServerDefault,
    /// The engine shows names of fields with their values only. Nothing can be done about
    /// that, so it is no more than a note.
    NamesWithValues,
}

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (resolved, _) in online.needs() {
        let gaps = gaps(online, resolved);
        if !gaps.is_empty() {
            findings.push(finding(online, resolved, &gaps));
        }
    }
}

/// Whether something isn't known of a need that could be.
pub(super) fn is_unverified(online: &OnlineEvaluation<'_>, resolved: &ResolvedNeed) -> bool {
    gaps(online, resolved).iter().any(|gap| gap.why != GapReason::NamesWithValues)
}

fn gaps(online: &OnlineEvaluation<'_>, resolved: &ResolvedNeed) -> Vec<Gap> {
    let need = &resolved.need;
    if need.verify == Verify::Offline {
        return Vec::new();
    }
    let mut gaps = of_rights(online, resolved);
    let mut gap = |what: String, why| gaps.push(Gap { what, why, of_rights: false });
    let state = online.needs().find(|(other, _)| other.name == resolved.name);
    let state = state.map(|(_, state)| state);
    let is_unknown = state == Some(&NeedState::Unknown);
    if !is_unknown && !matches!(state, Some(NeedState::Present { .. })) {
        return gaps;
    }
    let Some(facts) = online.need_facts(&resolved.name) else {
        gap(format!("whether {} is there", thing(need)), GapReason::Unknown(Unknown::NotAsked));
        return gaps;
    };
    if is_unknown {
        if let Err(why) = facts.mount {
            gap(format!("which engine is mounted at {}", need.mount), GapReason::Unknown(why));
        }
        if let Err(why) = facts.presence {
            gap(format!("whether {} is there", thing(need)), GapReason::Unknown(why));
        }
    }
    let wants_names = !need.fields.is_empty() && need.engine.fields() == KnownFields::Any;
    match (need.engine, &facts.fields) {
        (Engine::Kv2, Err(why)) if wants_names => {
            gap("which fields it has".to_owned(), GapReason::Unknown(*why));
        }
        (Engine::Kv1 | Engine::Cubbyhole, _) if wants_names => {
            gap("which fields it has".to_owned(), GapReason::NamesWithValues);
        }
        _ => {}
    }
    if let Some(LeaseCheck::Unknown(why)) = lease::at_first(need, facts) {
        gap("how long its leases last".to_owned(), why);
    }
    if let Some(LeaseCheck::Unknown(why)) = lease::renewed(need, facts) {
        gap("how long its leases can be renewed".to_owned(), why);
    }
    gaps
}

fn of_rights(online: &OnlineEvaluation<'_>, resolved: &ResolvedNeed) -> Vec<Gap> {
    let own = online.judged().filter(|(requirement, ..)| requirement.need == resolved.name);
    let unknown = own.filter_map(|(requirement, verdicts, server)| {
        let why = match server {
            ServerVerdict::Allowed | ServerVerdict::Denied(_) => return None,
            ServerVerdict::Unavailable(_) if online.is_verifier() && verdicts.is_some() => {
                return None;
            }
            ServerVerdict::Unavailable(_) if online.is_verifier() => GapReason::NoPolicies,
            ServerVerdict::Omitted => GapReason::Omitted,
            ServerVerdict::Unavailable(why) => GapReason::Unknown(why),
        };
        let what = format!("whether {} is allowed", request(requirement));
        Some(Gap { what, why, of_rights: true })
    });
    unknown.collect()
}

fn finding(online: &OnlineEvaluation<'_>, resolved: &ResolvedNeed, gaps: &[Gap]) -> Finding {
    let what: Vec<_> = gaps.iter().map(|gap| gap.what.as_str()).collect();
    let message = format!("it couldn't be found out {}", what.join(", "));
    let mut finding = Finding::new(Code::Unverifiable, message);
    finding.level = level(online, resolved, gaps);
    for gap in gaps {
        let why = describe(gap.why, &online.facts.server.version);
        finding.notes.push(format!("{}: {why}", gap.what));
    }
    let mount = online.need_facts(&resolved.name).map(|facts| &facts.mount);
    if mount == Some(&Err(Unknown::Forbidden)) {
        let note = "a server says the same of a mount that isn't there: check `mount:`, and the \
                    namespace";
        finding.notes.push(note.to_owned());
    }
    let has = |why| gaps.iter().any(|gap| gap.why == why);
    let forbidden = has(GapReason::Unknown(Unknown::Forbidden));
    let help = if forbidden {
        "add these lines to a policy of the token: they show no value"
    } else if has(GapReason::NoPolicies) {
        "add `attach: [POLICY, …]` with the policies that the job's token gets"
    } else if has(GapReason::ServerDefault) {
        "set `default_ttl` and `max_ttl` on the role or the mount, or say `verify: offline` for \
         the need"
    } else if gaps.iter().all(|gap| gap.why == GapReason::NamesWithValues) {
        "move it to kv2 where the fields matter, or say `verify: offline` for the need"
    } else if has(GapReason::Omitted) {
        "ask again; where it stays so, say `verify: offline` for the need"
    } else {
        "say `verify: offline` for the need: then its policies alone are the proof"
    };
    let finding = online.scope.finding(&resolved.name, finding.with_help(help));
    if forbidden { finding.with_fix(lines(resolved, gaps)) } else { finding }
}

/// An error, unless the work goes on without it or with another of its group.
fn level(online: &OnlineEvaluation<'_>, resolved: &ResolvedNeed, gaps: &[Gap]) -> Level {
    let optional = resolved.need.required == Required::Plain(false);
    let minor = gaps.iter().all(|gap| gap.why == GapReason::NamesWithValues);
    let note = optional || minor || online.is_served(&resolved.name);
    if note { Level::Note } else { Level::Error }
}

/// The rules of a verifier that would let the token ask.
fn lines(resolved: &ResolvedNeed, gaps: &[Gap]) -> String {
    let forbidden = gaps.iter().filter(|gap| gap.why == GapReason::Unknown(Unknown::Forbidden));
    let mut lines = Vec::new();
    if forbidden.clone().any(|gap| gap.of_rights) {
        let update: Capabilities = [Capability::Update].into_iter().collect();
        lines.push(block("sys/capabilities-self", update));
    }
    if forbidden.clone().any(|gap| !gap.of_rights) {
        let presence = requirement::of_presence(resolved);
        lines.extend(
            presence.iter().map(|asked| block(&asked.access.path, required_capabilities(asked))),
        );
    }
    lines.join("\n")
}

fn describe(why: GapReason, version: &str) -> String {
    match why {
        GapReason::Unknown(Unknown::Forbidden) => "the token may not ask (403)".to_owned(),
        GapReason::Unknown(Unknown::Unsupported) if version.is_empty() => {
            "the server has no such request".to_owned()
        }
        GapReason::Unknown(Unknown::Unsupported) => {
            format!("the server, {}, has no such request", one_line(version))
        }
        GapReason::Unknown(Unknown::NoSafeWay) => {
            "every request that would tell could return a value".to_owned()
        }
        GapReason::Unknown(Unknown::NotAsked) => {
            "it wasn't asked, because something before it isn't known".to_owned()
        }
        GapReason::Omitted => "the server answered, and left this path out".to_owned(),
        GapReason::NoPolicies => "a verifier asked, and no policies speak for the job".to_owned(),
        GapReason::ServerDefault => {
            "the role and the mount leave it to the server, which doesn't tell".to_owned()
        }
        GapReason::NamesWithValues => {
            "the engine shows names only together with their values".to_owned()
        }
    }
}
