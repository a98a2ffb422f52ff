//! `missing-field`: a secret exists without some of the fields of the need.

use envlock_report::{Code, Finding, nearest, one_line};

use super::evaluation::OnlineEvaluation;
use super::state::NeedState;
use super::text::{describe_need, join_names};

/// The maximum number of names that are listed.
const SHOWN: usize = 20;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (resolved, state) in online.needs() {
        let NeedState::Present { missing_fields, .. } = state else { continue };
        let Some(Ok(known)) = online.need_facts(&resolved.name).map(|facts| &facts.fields) else {
            continue;
        };
        if missing_fields.is_empty() {
            continue;
        }
        let word = if missing_fields.len() == 1 { "field" } else { "fields" };
        let message = format!(
            "{} has no {word} {}",
            describe_need(&resolved.need),
            missing_fields.join(", ")
        );
        let mut finding = Finding::new(Code::MissingField, message);
        finding.level = online.level_of_absence(resolved);
        let more = if known.len() > SHOWN { ", …" } else { "" };
        finding.add_note(format!("its fields are {}{more}", join_names(known.iter().take(SHOWN))));
        let meant: Vec<_> = missing_fields
            .iter()
            .filter_map(|name| Some((name, nearest(name, known.iter().map(String::as_str))?)))
            .map(|(name, near)| format!("`{}` for `{name}`", one_line(near)))
            .collect();
        let help = if meant.is_empty() {
            "add it to the secret, or correct its name under `fields:`".to_owned()
        } else {
            format!("did you mean {}?", meant.join(", "))
        };
        findings.push(online.checked.finding(&resolved.name, finding.with_help(help)));
    }
}
