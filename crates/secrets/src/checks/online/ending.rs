//! `expiring`, by the server: a version of a secret that it deletes soon.

use envlock_report::{Code, Finding};

use super::live::Live;
use super::standing::Standing;
use super::words::thing;

pub(super) fn check(live: &Live<'_>, findings: &mut Vec<Finding>) {
    for (resolved, standing) in live.needs() {
        let Standing::There { ends: Some(end), .. } = standing else { continue };
        if *end > live.horizon {
            continue;
        }
        let need = &resolved.need;
        let message = format!("the server deletes the current version of {} at {end}", thing(need));
        let help = format!(
            "write a new version before, or let it live longer: `vault kv metadata put \
             -mount={} -delete-version-after=0s {}`, then a new version",
            need.mount,
            need.locator.name()
        );
        let diagnostic = Finding::new(Code::Expiring, message).with_help(help);
        findings.push(live.subject.finding(&resolved.name, diagnostic));
    }
}
