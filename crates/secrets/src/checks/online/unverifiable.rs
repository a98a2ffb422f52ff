//! `unverifiable`: what couldn't be found out about a need. It is no yes.

use envlock_report::{Code, Finding, Level, one_line};

use super::lease::{self, Lasts};
use super::live::Live;
use super::standing::Standing;
use super::words::{request, thing};
use crate::evidence::Heard;
use crate::facts::Unknown;
use crate::generate::{block, taken};
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
    why: Why,
    /// Whether it is about the rights of the token.
    of_rights: bool,
}

/// Why something isn't known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The server didn't tell.
    Unknown(Unknown),
    /// It answered, and not this.
    LeftOut,
    /// A verifier asked, and no policies speak for the job.
    NobodySpeaks,
    /// It is left to the server's own limit.
    ServersOwn,
    /// The engine shows names of fields with their values only. Nothing can be done about
    /// that, so it is no more than a note.
    NoNames,
}

pub(super) fn check(live: &Live<'_>, findings: &mut Vec<Finding>) {
    for (resolved, _) in live.needs() {
        let gaps = gaps(live, resolved);
        if !gaps.is_empty() {
            findings.push(finding(live, resolved, &gaps));
        }
    }
}

/// Whether something isn't known of a need that could be.
pub(super) fn is_open(live: &Live<'_>, resolved: &ResolvedNeed) -> bool {
    gaps(live, resolved).iter().any(|gap| gap.why != Why::NoNames)
}

fn gaps(live: &Live<'_>, resolved: &ResolvedNeed) -> Vec<Gap> {
    let need = &resolved.need;
    if need.verify == Verify::Offline {
        return Vec::new();
    }
    let mut gaps = of_rights(live, resolved);
    let mut gap = |what: String, why| gaps.push(Gap { what, why, of_rights: false });
    let standing = live.needs().find(|(other, _)| other.name == resolved.name);
    let standing = standing.map(|(_, standing)| standing);
    let is_unknown = standing == Some(&Standing::Unknown);
    if !is_unknown && !matches!(standing, Some(Standing::There { .. })) {
        return gaps;
    }
    let Some(facts) = live.facts(&resolved.name) else {
        gap(format!("whether {} is there", thing(need)), Why::Unknown(Unknown::NotAsked));
        return gaps;
    };
    if is_unknown {
        if let Err(why) = facts.mount {
            gap(format!("which engine is mounted at {}", need.mount), Why::Unknown(why));
        }
        if let Err(why) = facts.presence {
            gap(format!("whether {} is there", thing(need)), Why::Unknown(why));
        }
    }
    let wants_names = !need.fields.is_empty() && need.engine.fields() == KnownFields::Any;
    match (need.engine, &facts.fields) {
        (Engine::Kv2, Err(why)) if wants_names => {
            gap("which fields it has".to_owned(), Why::Unknown(*why));
        }
        (Engine::Kv1 | Engine::Cubbyhole, _) if wants_names => {
            gap("which fields it has".to_owned(), Why::NoNames);
        }
        _ => {}
    }
    if let Some(Lasts::Unknown(why)) = lease::at_first(need, facts) {
        gap("how long its leases last".to_owned(), why);
    }
    if let Some(Lasts::Unknown(why)) = lease::renewed(need, facts) {
        gap("how long its leases can be renewed".to_owned(), why);
    }
    gaps
}

fn of_rights(live: &Live<'_>, resolved: &ResolvedNeed) -> Vec<Gap> {
    let own = live.judged().filter(|(requirement, ..)| requirement.need == resolved.name);
    let unheard = own.filter_map(|(requirement, verdicts, heard)| {
        let why = match heard {
            Heard::Allowed | Heard::Denied(_) => return None,
            Heard::Untold(_) if live.is_verifier() && verdicts.is_some() => return None,
            Heard::Untold(_) if live.is_verifier() => Why::NobodySpeaks,
            Heard::LeftOut => Why::LeftOut,
            Heard::Untold(why) => Why::Unknown(why),
        };
        let what = format!("whether {} is allowed", request(requirement));
        Some(Gap { what, why, of_rights: true })
    });
    unheard.collect()
}

fn finding(live: &Live<'_>, resolved: &ResolvedNeed, gaps: &[Gap]) -> Finding {
    let what: Vec<_> = gaps.iter().map(|gap| gap.what.as_str()).collect();
    let message = format!("it couldn't be found out {}", what.join(", "));
    let mut diagnostic = Finding::new(Code::Unverifiable, message);
    diagnostic.level = severity(live, resolved, gaps);
    for gap in gaps {
        let why = in_words(gap.why, &live.online.server.version);
        diagnostic.notes.push(format!("{}: {why}", gap.what));
    }
    let mount = live.facts(&resolved.name).map(|facts| &facts.mount);
    if mount == Some(&Err(Unknown::Forbidden)) {
        let note = "a server says the same of a mount that isn't there: check `mount:`, and the \
                    namespace";
        diagnostic.notes.push(note.to_owned());
    }
    let has = |why| gaps.iter().any(|gap| gap.why == why);
    let forbidden = has(Why::Unknown(Unknown::Forbidden));
    let help = if forbidden {
        "add these lines to a policy of the token: they show no value"
    } else if has(Why::NobodySpeaks) {
        "add `attach: [POLICY, …]` with the policies that the job's token gets"
    } else if has(Why::ServersOwn) {
        "set `default_ttl` and `max_ttl` on the role or the mount, or say `verify: offline` for \
         the need"
    } else if gaps.iter().all(|gap| gap.why == Why::NoNames) {
        "move it to kv2 where the fields matter, or say `verify: offline` for the need"
    } else if has(Why::LeftOut) {
        "ask again; where it stays so, say `verify: offline` for the need"
    } else {
        "say `verify: offline` for the need: then its policies alone are the proof"
    };
    let finding = live.subject.finding(&resolved.name, diagnostic.with_help(help));
    if forbidden { finding.with_fix(lines(resolved, gaps)) } else { finding }
}

/// An error, unless the work goes on without it or with another of its group.
fn severity(live: &Live<'_>, resolved: &ResolvedNeed, gaps: &[Gap]) -> Level {
    let optional = resolved.need.required == Required::Plain(false);
    let minor = gaps.iter().all(|gap| gap.why == Why::NoNames);
    let note = optional || minor || live.is_served(&resolved.name);
    if note { Level::Note } else { Level::Error }
}

/// The rules of a verifier that would let the token ask.
fn lines(resolved: &ResolvedNeed, gaps: &[Gap]) -> String {
    let forbidden = gaps.iter().filter(|gap| gap.why == Why::Unknown(Unknown::Forbidden));
    let mut lines = Vec::new();
    if forbidden.clone().any(|gap| gap.of_rights) {
        let update: Capabilities = [Capability::Update].into_iter().collect();
        lines.push(block("sys/capabilities-self", update));
    }
    if forbidden.clone().any(|gap| !gap.of_rights) {
        let presence = requirement::of_presence(resolved);
        lines.extend(presence.iter().map(|asked| block(&asked.access.path, taken(asked))));
    }
    lines.join("\n")
}

fn in_words(why: Why, version: &str) -> String {
    match why {
        Why::Unknown(Unknown::Forbidden) => "the token may not ask (403)".to_owned(),
        Why::Unknown(Unknown::Unsupported) if version.is_empty() => {
            "the server has no such request".to_owned()
        }
        Why::Unknown(Unknown::Unsupported) => {
            format!("the server, {}, has no such request", one_line(version))
        }
        Why::Unknown(Unknown::NoSafeWay) => {
            "every request that would tell could return a value".to_owned()
        }
        Why::Unknown(Unknown::NotAsked) => {
            "it wasn't asked, because something before it isn't known".to_owned()
        }
        Why::LeftOut => "the server answered, and left this path out".to_owned(),
        Why::NobodySpeaks => "a verifier asked, and no policies speak for the job".to_owned(),
        Why::ServersOwn => {
            "the role and the mount leave it to the server, which doesn't tell".to_owned()
        }
        Why::NoNames => "the engine shows names only together with their values".to_owned(),
    }
}
