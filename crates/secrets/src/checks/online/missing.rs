//! `missing`: something that a need names isn't there.

use std::collections::BTreeSet;

use envlock_report::{Code, Finding, Level};

use super::live::Live;
use super::standing::{Gone, Standing};
use super::words::thing;
use crate::manifest::ResolvedNeed;
use envlock_model::needs::{Need, Required};
use envlock_policy::Engine;

pub(super) fn check(live: &Live<'_>, findings: &mut Vec<Finding>) {
    let mut groups = BTreeSet::new();
    for (resolved, standing) in live.needs() {
        let Standing::Gone(gone) = standing else { continue };
        let severity = live.weight_of_absence(resolved);
        match resolved.need.required.group() {
            Some(group) if severity == Level::Error => {
                if groups.insert(group) {
                    findings.push(of_group(live, group, resolved));
                }
            }
            _ => findings.push(of_need(live, resolved, *gone, severity)),
        }
    }
}

fn of_need(live: &Live<'_>, resolved: &ResolvedNeed, gone: Gone, severity: Level) -> Finding {
    let need = &resolved.need;
    let mut diagnostic =
        Finding::new(Code::Missing, in_words(need, gone)).with_help(help(need, gone));
    diagnostic.level = severity;
    if need.required == Required::Plain(false) {
        diagnostic.notes.push("it isn't required".to_owned());
    } else if severity == Level::Note {
        let served = live.is_served(&resolved.name);
        let group = need.required.group().unwrap_or_default();
        diagnostic.notes.push(if served {
            format!("another need of the group {group} is there")
        } else {
            format!("another need of the group {group} may be there: that couldn't be found out")
        });
    }
    live.subject.finding(&resolved.name, diagnostic)
}

/// One finding for a group none of whose needs can be used.
fn of_group(live: &Live<'_>, group: &str, first: &ResolvedNeed) -> Finding {
    let message = format!("no need of the group {group} can be used");
    let mut diagnostic = Finding::new(Code::Missing, message)
        .with_help("create one of them, or correct where the manifest looks for it");
    for (resolved, standing) in live.needs() {
        if resolved.need.required.group() != Some(group) {
            continue;
        }
        let state = match standing {
            Standing::Gone(gone) => in_words(&resolved.need, *gone),
            Standing::Elsewhere(_) => "something else is mounted there".to_owned(),
            _ if !live.is_allowed(&resolved.name) => "it is denied".to_owned(),
            _ => "it isn't whole".to_owned(),
        };
        diagnostic.notes.push(format!("{}: {state}", resolved.name));
    }
    live.subject.finding(&first.name, diagnostic)
}

fn in_words(need: &Need, gone: Gone) -> String {
    let thing = thing(need);
    match gone {
        Gone::Absent => format!("{thing} isn't there"),
        Gone::Deleted => format!("the current version of {thing} is deleted"),
        Gone::Destroyed => format!("the current version of {thing} is destroyed"),
        Gone::Ended(end) => format!("the server deleted {thing} at {end}, as it was told to"),
    }
}

fn help(need: &Need, gone: Gone) -> String {
    let key = need.locator.kind().key();
    let (mount, locator) = (&need.mount, need.locator.name());
    let write = format!("`vault kv put -mount={mount} {locator} @FILE.json`");
    match (gone, need.engine) {
        (Gone::Deleted | Gone::Ended(_), _) => format!(
            "bring it back: `vault kv undelete -mount={mount} -versions=N {locator}`; or write a \
             new version: {write}"
        ),
        (Gone::Destroyed, _) => format!("it can't be brought back; write a new version: {write}"),
        (Gone::Absent, Engine::Kv1 | Engine::Kv2 | Engine::Cubbyhole) => {
            format!("write it: {write}; or correct `{key}:`")
        }
        (Gone::Absent, _) => format!("create it, or correct `{key}:` or `mount:`"),
    }
}
