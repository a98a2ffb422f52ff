//! `missing-field`: a secret is there, and some of its fields aren't.

use envlock_report::{Code, Finding, nearest, one_line};

use super::live::Live;
use super::standing::Standing;
use super::words::{names, thing};

/// More names than these aren't listed.
const SHOWN: usize = 20;

pub(super) fn check(live: &Live<'_>, findings: &mut Vec<Finding>) {
    for (resolved, standing) in live.needs() {
        let Standing::There { lacks, .. } = standing else { continue };
        let Some(Ok(known)) = live.facts(&resolved.name).map(|facts| &facts.fields) else {
            continue;
        };
        if lacks.is_empty() {
            continue;
        }
        let word = if lacks.len() == 1 { "field" } else { "fields" };
        let message = format!("{} has no {word} {}", thing(&resolved.need), lacks.join(", "));
        let mut diagnostic = Finding::new(Code::MissingField, message);
        diagnostic.level = live.weight_of_absence(resolved);
        let more = if known.len() > SHOWN { ", …" } else { "" };
        diagnostic.notes.push(format!("its fields are {}{more}", names(known.iter().take(SHOWN))));
        let meant: Vec<_> = lacks
            .iter()
            .filter_map(|name| Some((name, nearest(name, known.iter().map(String::as_str))?)))
            .map(|(name, near)| format!("`{}` for `{name}`", one_line(near)))
            .collect();
        let help = if meant.is_empty() {
            "add it to the secret, or correct its name under `fields:`".to_owned()
        } else {
            format!("did you mean {}?", meant.join(", "))
        };
        findings.push(live.subject.finding(&resolved.name, diagnostic.with_help(help)));
    }
}
