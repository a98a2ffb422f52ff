//! `secret-missing`: the secret, role or key of a need doesn't exist.

use std::collections::BTreeSet;

use envlock_report::{Code, Finding, Level};

use super::evaluation::OnlineEvaluation;
use super::state::{Absence, NeedState};
use super::text::describe_need;
use crate::facts::program;
use crate::manifest::ResolvedNeed;
use envlock_model::needs::{Need, Required};
use envlock_policy::Engine;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    let mut groups = BTreeSet::new();
    for (resolved, state) in online.needs() {
        let NeedState::Missing(absence) = state else { continue };
        let level = online.level_of_absence(resolved);
        match resolved.need.required.group() {
            Some(group) if level == Level::Error => {
                if groups.insert(group) {
                    findings.push(group_finding(online, group, resolved));
                }
            }
            _ => findings.push(need_finding(online, resolved, *absence, level)),
        }
    }
}

fn need_finding(
    online: &OnlineEvaluation<'_>,
    resolved: &ResolvedNeed,
    absence: Absence,
    level: Level,
) -> Finding {
    let need = &resolved.need;
    let mut finding = Finding::new(Code::SecretMissing, describe(need, absence))
        .with_help(help(online, need, absence));
    finding.level = level;
    if need.required == Required::Flag(false) {
        finding.add_note("it isn't required");
    } else if level == Level::Note {
        let served = online.has_usable_alternative(&resolved.name);
        let group = need.required.group().unwrap_or_default();
        finding.add_note(if served {
            format!("another need of the group {group} exists")
        } else {
            format!("another need of the group {group} may exist, which couldn't be determined")
        });
    }
    online.checked.finding(&resolved.name, finding)
}

/// One finding for a group of which no need can be used.
fn group_finding(online: &OnlineEvaluation<'_>, group: &str, first: &ResolvedNeed) -> Finding {
    let message = format!("no need of the group {group} can be used");
    let mut finding = Finding::new(Code::SecretMissing, message)
        .with_help("create one of them, or correct its mount or path in the manifest");
    for (resolved, state) in online.needs() {
        if resolved.need.required.group() != Some(group) {
            continue;
        }
        let state = match state {
            NeedState::Missing(absence) => describe(&resolved.need, *absence),
            NeedState::WrongMount(_) => "another engine or mount is at its path".to_owned(),
            _ if !online.is_allowed(&resolved.name) => "it is denied".to_owned(),
            _ => "a field is missing".to_owned(),
        };
        finding.add_note(format!("{}: {state}", resolved.name));
    }
    online.checked.finding(&first.name, finding)
}

fn describe(need: &Need, absence: Absence) -> String {
    let thing = describe_need(need);
    match absence {
        Absence::Absent => format!("{thing} doesn't exist"),
        Absence::Deleted => format!("the current version of {thing} is deleted"),
        Absence::Destroyed => format!("the current version of {thing} is destroyed"),
        Absence::Expired(end) => {
            format!("the server deleted {thing} at {end}, its configured deletion time")
        }
    }
}

fn help(online: &OnlineEvaluation<'_>, need: &Need, absence: Absence) -> String {
    let program = program(online.facts.server.product);
    let key = need.locator.kind().key();
    let (mount, locator) = (&need.mount, need.locator.name());
    let write = format!("`{program} kv put -mount={mount} {locator} @FILE.json`");
    match (absence, need.engine) {
        (Absence::Deleted | Absence::Expired(_), _) => format!(
            "restore it: `{program} kv undelete -mount={mount} -versions=N {locator}`; or write a \
             new version: {write}"
        ),
        (Absence::Destroyed, _) => {
            format!("it can't be restored; write a new version: {write}")
        }
        (Absence::Absent, Engine::Kv1 | Engine::Kv2 | Engine::Cubbyhole) => {
            format!("write it: {write}; or correct `{key}:`")
        }
        (Absence::Absent, _) => format!("create it, or correct `{key}:` or `mount:`"),
    }
}
