//! `expires-soon`, by the server: it will delete a secret's version soon.

use envlock_report::{Code, Finding};

use super::evaluation::OnlineEvaluation;
use super::state::NeedState;
use super::text::describe_need;
use crate::facts::program;

pub(super) fn check(online: &OnlineEvaluation<'_>, findings: &mut Vec<Finding>) {
    for (resolved, state) in online.needs() {
        let NeedState::Present { deleted_at: Some(end), .. } = state else { continue };
        if *end > online.horizon {
            continue;
        }
        let need = &resolved.need;
        let message =
            format!("the server deletes the current version of {} at {end}", describe_need(need));
        let help = format!(
            "write a new version before, or keep it longer: `{} kv metadata put \
             -mount={} -delete-version-after=0s {}`, then a new version",
            program(online.facts.server.product),
            need.mount,
            need.locator.name()
        );
        let finding = Finding::new(Code::ExpiresSoon, message).with_help(help);
        findings.push(online.checked.finding(&resolved.name, finding));
    }
}
